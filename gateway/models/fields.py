"""Field validators and small column types that several families of resources share."""

from __future__ import annotations

import ipaddress
import re

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

# RegexValidator searches, so the patterns are tied to both ends.
# Naming rules of network resources (Azure "Naming rules and restrictions"): 1-80 characters.
NAME_PATTERN = re.compile(r"\A[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?\Z")

validate_name = RegexValidator(
    NAME_PATTERN,
    "Use 1 to 80 letters, digits, underscores, periods and hyphens; begin with a letter or digit "
    "and end with a letter, digit or underscore.",
    code="name-invalid",
)

GROUP_PATTERN = re.compile(r"\A[\w().-]{0,89}[\w()-]\Z")
validate_group_name = RegexValidator(
    GROUP_PATTERN,
    "Use 1 to 90 letters, digits, underscores, hyphens, periods and parentheses, "
    "not ending with a period.",
    code="name-invalid",
)


def between(low: int, high: int, unit: str = "") -> list[MinValueValidator | MaxValueValidator]:
    """Validators for a whole number from ``low`` to ``high`` (``unit`` for the message)."""
    words = f"Enter a whole number from {low} to {high}{' ' + unit if unit else ''}."
    return [MinValueValidator(low, words), MaxValueValidator(high, words)]


DOMAIN_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z", re.ASCII)


def validate_domain_name(value: str) -> None:
    """A plain DNS name without wildcards (RFC 1123, underscores tolerated)."""
    labels = value.rstrip(".").split(".")
    if len(value) > 253 or not all(DOMAIN_LABEL.match(label) for label in labels):
        raise ValidationError(
            "%(value)s is not a host name. Use letters, digits, hyphens and periods, "
            "for example www.contoso.com.",
            code="host-name-invalid",
            params={"value": value},
        )


def validate_host_name(value: str) -> None:
    """A host name or an IP address (what a probe or an override may name)."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        validate_domain_name(value)


def validate_path(value: str) -> None:
    """A path that begins with a slash."""
    if not value.startswith("/"):
        raise ValidationError("A path begins with “/”.", code="path-invalid")
    if any(character.isspace() or ord(character) < 32 for character in value):
        raise ValidationError("A path holds no blanks.", code="path-invalid")
