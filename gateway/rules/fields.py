"""The validators of the models' fields, as problems.

A row passes here before it is stored; what it refers to, and how it stands to other rows, is for
:func:`gateway.rules.check`. No query is made: references are left alone.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendHttpSettings,
    Child,
    CustomError,
    FrontendPort,
    HttpListener,
    PathRule,
    Probe,
    RewriteRule,
    Row,
    SslProfile,
    VirtualNetwork,
)
from gateway.problems import Kind, Problem, Target, at, declare
from gateway.rules.words import called

_REST = "Application gateways REST API reference"
_NAMES = "Naming rules and restrictions for Azure resources"

NAME_INVALID = declare(
    "name-invalid",
    title="The name cannot be used",
    why="Names have 1 to 80 letters, digits, underscores, periods and hyphens. They begin with a "
    "letter or digit and end with a letter, digit or underscore.",
    remedy="Choose another name. It cannot be changed later.",
    source=_NAMES,
)
REQUIRED = declare(
    "field-required",
    title="Something is not filled in",
    why="Without this value the object cannot work.",
    remedy="Fill in the field that the message names.",
    source=_REST,
)
OUT_OF_RANGE = declare(
    "value-out-of-range",
    title="The number is too small or too large",
    why="The value has limits, which the message tells.",
    remedy="Choose a number within the limits.",
    source=_REST,
)
PORT_INVALID = declare(
    "frontend-port-invalid",
    title="The gateway cannot listen on this port",
    why="Ports run from 1 to 65535, but the highest ones carry the gateway's own management: on "
    "v1 a listener may use ports up to 65502, on v2 up to 65199.",
    remedy="Choose a port within the range; 80 and 443 are the usual ones.",
    source="Application Gateway components article; infrastructure configuration article",
    arm_code="ApplicationGatewayFrontendPortInvalidPortNumber",
)
SETTINGS_PORT_INVALID = declare(
    "settings-port-invalid",
    title="The backend port does not exist",
    why="An HTTP setting says on which port the backend servers listen: 1 to 65535.",
    remedy="Enter the port of the backend servers; 443 is usual for HTTPS.",
    source=_REST,
    arm_code="ApplicationGatewayBackendHttpSettingsPortIsInvalid",
)
DRAIN_INVALID = declare(
    "drain-timeout-invalid",
    title="The drain timeout is out of range",
    why="Connections of a server that leaves the pool may finish within 1 to 3600 seconds. The "
    "value is checked even while draining is switched off.",
    remedy="Enter a number of seconds from 1 to 3600.",
    source="Application Gateway HTTP settings article",
    arm_code="ApplicationGatewayConnectionDrainingTimeoutInvalid",
)
TEXT_TOO_LONG = declare(
    "text-too-long",
    title="The text is too long",
    why="The field has a greatest length, which the message tells.",
    remedy="Shorten the text.",
    source=_REST,
)
TEXT_UNPRINTABLE = declare(
    "text-unprintable",
    title="The text holds an invisible control character",
    why="Names, paths and patterns are sent to servers and written into configurations, where "
    "control characters and broken characters do harm.",
    remedy="Type the text anew instead of pasting it.",
    source=_REST,
)
CHOICE_UNKNOWN = declare(
    "choice-unknown",
    title="The value is not one of the choices",
    why="The field takes one of a few fixed values.",
    remedy="Choose one of the values that the message lists.",
    source=_REST,
)
ADDRESS_INVALID = declare(
    "ip-address-invalid",
    title="The IP address cannot be read",
    why="An address is written like 10.0.1.4, or like 2001:db8::4 for IPv6.",
    remedy="Correct the address; a server's name belongs in the FQDN field.",
    source=_REST,
)
HOST_INVALID = declare(
    "host-name-invalid",
    title="The host name cannot be read",
    why="A host name is made of letters, digits and hyphens in labels of up to 63 characters with "
    "periods between them, without protocol, port, path or wildcard.",
    remedy="Write the bare name, for example www.contoso.com.",
    source="RFC 1123; Application Gateway HTTP settings article",
)
PATH_INVALID = declare(
    "path-invalid",
    title="The path cannot be read",
    why="A path begins with a slash and holds no blanks.",
    remedy="Begin the path with “/”, for example /healthz.",
    source="Application Gateway health probes article",
)
VALUE_INVALID = declare(
    "value-invalid",
    title="The value is of another kind than the field",
    why="A number, a yes or no, or a text is expected.",
    remedy="Correct the value.",
    source=_REST,
)
LIST_INVALID = declare(
    "list-invalid",
    title="A list of texts is expected",
    why="The field holds a list; each entry is a text of its own.",
    remedy="Give the entries one by one.",
    source=_REST,
)

_RANGES: dict[tuple[type[models.Model], str], Kind] = {
    (FrontendPort, "port"): PORT_INVALID,
    (BackendHttpSettings, "port"): SETTINGS_PORT_INVALID,
    (BackendHttpSettings, "drain_timeout"): DRAIN_INVALID,
}
_BY_CODE: dict[str, Kind] = {
    "name-invalid": NAME_INVALID,
    "host-name-invalid": HOST_INVALID,
    "path-invalid": PATH_INVALID,
    "blank": REQUIRED,
    "null": REQUIRED,
    "min_value": OUT_OF_RANGE,
    "max_value": OUT_OF_RANGE,
    "max_length": TEXT_TOO_LONG,
    "invalid_choice": CHOICE_UNKNOWN,
    "null_characters_not_allowed": TEXT_UNPRINTABLE,
}
_TEXT_LISTS: dict[type[models.Model], tuple[str, ...]] = {
    ApplicationGateway: ("zones", "ssl_cipher_suites", "ssl_disabled_protocols"),
    SslProfile: ("ssl_cipher_suites", "ssl_disabled_protocols"),
    HttpListener: ("host_names",),
    Probe: ("match_status_codes",),
    PathRule: ("paths",),
    VirtualNetwork: ("address_prefixes", "dns_servers"),
}
# Columns of PostgreSQL are this wide; SQLite would take more.
_LARGEST = 2**31 - 1


def field_problems(row: Row) -> list[Problem]:
    """What is wrong with a row's own values; empty if it may be stored.

    Never raises, whatever the attributes hold.
    """
    problems: list[Problem] = []
    target = _target(row)
    for field in row._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) or field.primary_key:
            continue
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            # The database layer fills these when the row is saved.
            continue
        value = getattr(row, field.attname)
        problem = _problem(row, field, value)
        if problem is not None:
            kind, message = problem
            if target.field:
                problems.append(at(kind, message, target.collection, target.name, target.field))
            else:
                problems.append(at(kind, message, target.collection, target.name, field.name))
    return problems


def _target(row: Row) -> Target:
    """Where a form or a document shows the row; parts of a child stand at a field of it."""
    if isinstance(row, Child):
        return Target(row.collection, str(row.name)[:80])
    if isinstance(row, PathRule):
        return Target(row.collection, f"{row.path_map.name}/{row.name}"[:161])
    if isinstance(row, BackendAddress):
        return Target(row.pool.collection, row.pool.name, "addresses")
    if isinstance(row, RewriteRule):
        return Target(row.rule_set.collection, row.rule_set.name, "rules")
    if isinstance(row, CustomError):
        if row.listener is None:
            return Target(field="custom_errors")
        return Target(row.listener.collection, row.listener.name, "custom_errors")
    return Target()


def _problem(row: Row, field: models.Field[Any, Any], value: Any) -> tuple[Kind, str] | None:
    label = str(field.verbose_name)
    subject = f"{_called(row)}: {label[0].upper()}{label[1:]}"
    if not _storable(value):
        return TEXT_UNPRINTABLE, f"{subject} holds a control character."
    if isinstance(field, models.JSONField):
        return _json_problem(row, field, value, subject)
    if (
        isinstance(field, models.IntegerField)
        and isinstance(value, int)
        and not 0 <= value <= _LARGEST
    ):
        return _range_problem(row, field, value, subject)
    if field.blank and value in field.empty_values:
        if value is None and not field.null and isinstance(field, models.CharField):
            return REQUIRED, f"{subject} is missing."
        return None
    try:
        cleaned = field.clean(value, row)
    except ValidationError as error:
        return _translated(row, field, value, subject, error.error_list[0])
    except Exception:
        # Values of a wild type fail in many ways inside Django's own conversions.
        return VALUE_INVALID, f"{subject} is not of the right kind."
    setattr(row, field.attname, cleaned)
    return None


def _called(row: Row) -> str:
    if isinstance(row, BackendAddress):
        return f"{called(row.pool)}: Target “{str(row)[:80]}”"
    if isinstance(row, RewriteRule):
        return f"{called(row.rule_set)}: Rewrite rule “{str(row.name)[:80]}”"
    if isinstance(row, CustomError):
        return "Custom error page"
    text = called(row)
    return text if len(text) < 140 else f"{text[:120]}…”"


def _translated(
    row: Row, field: models.Field[Any, Any], value: Any, subject: str, error: ValidationError
) -> tuple[Kind, str]:
    code = error.code or ""
    kind = _BY_CODE.get(code)
    shown = f"“{str(value)[:60]}”"
    if kind is OUT_OF_RANGE:
        return _range_problem(row, field, value, subject)
    if isinstance(field, models.GenericIPAddressField) and code not in ("null", "blank"):
        return ADDRESS_INVALID, f"{subject} {shown} is no IP address."
    if kind is REQUIRED:
        return REQUIRED, f"{subject} is missing."
    if kind is TEXT_TOO_LONG:
        return kind, (
            f"{subject} has {len(str(value))} characters; {field.max_length} are allowed."
        )
    if kind is CHOICE_UNKNOWN:
        choices = ", ".join(str(key) for key, _ in field.flatchoices)
        return kind, f"{subject} {shown} is not one of {choices}."
    if kind is NAME_INVALID:
        return kind, f"{subject} {shown} has a character that is not allowed, or is too long."
    if kind is HOST_INVALID:
        return kind, f"{subject} {shown} is not a host name."
    if kind is PATH_INVALID:
        return kind, f"{subject} {shown}: {error.messages[0][0].lower()}{error.messages[0][1:]}"
    return VALUE_INVALID, f"{subject} {shown} is not of the right kind."


def _range_problem(
    row: Row, field: models.Field[Any, Any], value: Any, subject: str
) -> tuple[Kind, str]:
    kind = _RANGES.get((type(row), field.name), OUT_OF_RANGE)
    limits = [
        int(validator.limit_value)
        for validator in field.validators
        if isinstance(validator, MinValueValidator | MaxValueValidator)
    ]
    # The narrowest pair is ours; the database adds its own, wider one.
    low = max((limit for limit in limits if limit <= 1), default=0)
    high = min((limit for limit in limits if limit > 1), default=_LARGEST)
    return kind, f"{subject} must be from {low} to {min(high, _LARGEST)}, not {value}."


def _json_problem(
    row: Row, field: models.Field[Any, Any], value: Any, subject: str
) -> tuple[Kind, str] | None:
    if field.default is dict:
        return None if isinstance(value, dict) else (VALUE_INVALID, f"{subject} is no object.")
    if not isinstance(value, list):
        return LIST_INVALID, f"{subject} is no list."
    if field.name in _TEXT_LISTS.get(type(row), ()):
        for item in value:
            if not isinstance(item, str):
                return LIST_INVALID, f"{subject} holds something else than texts."
    return None


def _storable(value: Any) -> bool:
    """Whether texts, however deep, can be stored: no control characters, no half characters."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
        return not any((ord(one) < 32 and one not in "\t\n\r") or ord(one) == 127 for one in value)
    if isinstance(value, list):
        return all(_storable(item) for item in value)
    if isinstance(value, dict):
        return all(_storable(key) and _storable(item) for key, item in value.items())
    return True
