"""``./run manage user``: people with sandboxes, and roles on the sandboxes of others."""

import pytest
from django.core.management import CommandError, call_command

from gateway.accounts.models import Role, Subscription, User
from gateway.accounts.roles import role_of

pytestmark = pytest.mark.django_db


def test_a_new_user_gets_a_sandbox_and_a_link(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("user", "anna")
    assert "/account/link/" in capsys.readouterr().out
    assert Subscription.objects.filter(sandbox_of__username="anna").exists()


def test_a_user_gets_a_role_on_somebody_elses_sandbox() -> None:
    call_command("user", "anna")
    call_command("user", "bert", role="Reader", of="anna")
    sandbox = Subscription.objects.get(sandbox_of__username="anna")
    assert role_of(User.objects.get(username="bert"), sandbox) == Role.READER


def test_a_role_without_a_sandbox_is_refused_with_words() -> None:
    with pytest.raises(CommandError, match="--of"):
        call_command("user", "bert", role="Reader", of="nobody")
