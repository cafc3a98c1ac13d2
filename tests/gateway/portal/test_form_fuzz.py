"""Whatever a form is sent, whole, torn or forged: an answer, never a server error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factories
from tests.gateway.portal import visits

ANSWERS = {200, 302, 404, 409, 413, 422}

FORMS = (
    ("http-settings-add", ()),
    ("http-settings-edit", (factories.SETTINGS,)),
    ("http-settings-delete", (factories.SETTINGS,)),
    ("listeners-add", ("basic",)),
    ("listeners-add", ("multi-site",)),
    ("listeners-edit", (factories.LISTENER,)),
    ("listeners-delete", (factories.LISTENER,)),
    ("pools-add", ()),
    ("pools-edit", (factories.POOL,)),
    ("pools-delete", (factories.POOL,)),
    ("probes-add", ()),
    ("probes-edit", ("probe",)),
    ("probes-delete", ("probe",)),
    ("rules-add", ()),
    ("rules-edit", (factories.RULE,)),
    ("rules-delete", (factories.RULE,)),
)
# Fields that no page draws at first, or that belong to other forms.
STRANGERS = (
    "certificate_file",
    "certificate_password",
    "certificate_name",
    "certificate_source",
    "ssl_certificate",
    "existing",
    "attached",
    "etag",
    "id",
    "gateway",
    "position",
    "targets-TOTAL_FORMS",
    "targets-INITIAL_FORMS",
    "targets-0-DELETE",
)


@dataclass(frozen=True, slots=True)
class Target:
    client: Client
    url: str
    data: dict[str, str]


@pytest.fixture
def targets(db: None) -> list[Target]:
    """Every form of a v2 and a v1 gateway with what its page draws."""
    found = []
    for gateway in (factories.v2_gateway(), factories.v1_gateway()):
        factories.add_probe(gateway, "probe")
        client = visits.visitor(gateway)
        for view, names in FORMS:
            url = visits.address(gateway, view, *names)
            found.append(Target(client, url, visits.drawn(client, url)))
    return found


texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "\0",
            "a\0b",
            "-1",
            "0",
            "1",
            "9" * 19,
            "9" * 40,
            "9" * 5000,
            "1e400",
            "NaN",
            "٣",
            "on",
            "new",
            "existing",
            "renew",
            "Https",
            "Http",
            "multiple",
            "{{ 7 }}",
            "<script>",
            "‮",
            "x" * 3000,
            "10.0.0.999",
            "::ffff:10.0.0.1",
            "fe80::1%eth0",
            "a..b",
            "xn--\u00df",
            "200-",
            "-, ,",
            "99999-1",
            "/\r\nX: y",
        ]
    ),
)
files = st.binary(max_size=300).map(lambda data: SimpleUploadedFile("x\0.pfx", data))
values: st.SearchStrategy[Any] = st.one_of(
    texts, texts, st.lists(texts, min_size=2, max_size=3), files, st.none()
)
forged = st.lists(st.tuples(st.integers(0, 200), values), max_size=8)


def sent(target: Target, changes: list[tuple[int, Any]]) -> dict[str, Any]:
    """What the page draws, with some fields replaced, repeated, left out (``None``) or added."""
    data: dict[str, Any] = dict(target.data)
    names = [*data, *STRANGERS]
    for number, value in changes:
        name = names[number % len(names)]
        if value is None:
            data.pop(name, None)
        else:
            data[name] = value
    return data


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(number=st.integers(0, 2 * len(FORMS) - 1), changes=forged, htmx=st.booleans())
def test_no_forged_form_makes_a_server_error(
    targets: list[Target], number: int, changes: list[tuple[int, Any]], htmx: bool
) -> None:
    target = targets[number]
    answer = visits.send(target.client, target.url, sent(target, changes), htmx=htmx)
    assert answer.status_code in ANSWERS
