"""The first owner and the people who come after."""

from __future__ import annotations

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError

from gateway.accounts.models import User

OWNER_NAME = "owner"


def ensure_owner() -> User:
    """The installation's administrator; created at the first start, without a password.

    The printed one-time link signs in, and the account page sets a password.
    """
    owner = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    return owner or create_user(OWNER_NAME, administrator=True)


def create_user(name: str, *, administrator: bool = False, trainer: bool = False) -> User:
    """A user without a password; raises ``ValidationError`` if the name is taken or malformed."""
    UnicodeUsernameValidator()(name)
    if len(name) > 150:
        raise ValidationError("A user name has at most 150 characters.")
    if User.objects.filter(username__iexact=name).exists():
        raise ValidationError(f"There is already a user named “{name}”.")
    user = User(
        username=name, is_superuser=administrator, is_staff=administrator, is_trainer=trainer
    )
    user.set_unusable_password()
    user.save()
    return user
