"""Rows that are stamped look like rows that are drawn."""

from __future__ import annotations

import pytest
from django.test.html import parse_html

from gateway.models import BackendAddress, TargetKind
from gateway.portal.pool_targets import Offer, TargetFormSet, target_rows
from gateway.portal.stamps import draw

VIRTUAL = TargetKind.VIRTUAL_MACHINE.value
SERVERS = [("10.0.1.4", "web1 – 10.0.1.4 (simulated)"), ("10.0.1.5", 'a "quoted" <b> & more')]
OFFER = Offer(
    {
        TargetKind.VIRTUAL_MACHINE: SERVERS,
        TargetKind.SCALE_SET: SERVERS,
        TargetKind.APP_SERVICE: [],
    },
    [],
)
STORED = [
    BackendAddress(fqdn="www.contoso.com", kind=TargetKind.ADDRESS),
    BackendAddress(ip_address="10.0.9.9", kind=TargetKind.ADDRESS),
    BackendAddress(ip_address="10.0.1.5", kind=TargetKind.VIRTUAL_MACHINE),
    BackendAddress(ip_address="10.0.1.4", kind=TargetKind.SCALE_SET),
    BackendAddress(ip_address="10.0.1.5", kind=TargetKind.SCALE_SET),
]


def compare(rows: TargetFormSet) -> None:
    stamped = list(rows.drawn())
    assert len(stamped) == len(rows.forms)
    for text, form in zip(stamped, rows.forms, strict=True):
        assert parse_html(text) == parse_html(draw(form))


@pytest.mark.parametrize("may_write", [True, False])
def test_stored_rows_of_every_kind(may_write: bool) -> None:
    rows = target_rows(None, STORED, OFFER, may_write=may_write)
    assert [form.entered is not None for form in rows.forms[:5]] == [True] * 5
    compare(rows)


def sent(*rows: dict[str, str]) -> dict[str, str]:
    data = {"targets-TOTAL_FORMS": str(len(rows)), "targets-INITIAL_FORMS": "0"}
    for number, row in enumerate(rows):
        data |= {f"targets-{number}-{name}": value for name, value in row.items()}
    return data


def test_rows_that_came_back_refused_and_those_beside_them() -> None:
    rows = target_rows(
        sent(
            {"kind": "address", "target": "www.contoso.com"},
            {"kind": "address", "target": "www.contoso.com"},
            {"kind": "address", "target": 'no "name" <script>'},
            {"kind": "address", "target": ""},
            {"kind": "no such kind", "target": "x"},
            {"kind": "address", "target": "10.0.0.9", "DELETE": "on"},
            {"kind": VIRTUAL, VIRTUAL: "10.0.1.5", "target": "left.behind"},
            {
                "kind": VIRTUAL,
                VIRTUAL: "10.0.1.4",
            },
            {"kind": VIRTUAL, VIRTUAL: "gone"},
        ),
        [],
        OFFER,
        may_write=True,
    )
    assert not rows.is_valid()
    taken = [number for number, form in enumerate(rows.forms) if form.entered is not None]
    assert taken == [0, 7]
    compare(rows)
