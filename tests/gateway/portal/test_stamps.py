"""Rows that are stamped look like rows that are drawn, and have what a browser must send."""

from __future__ import annotations

from typing import Any

import pytest
from django.test.html import parse_html

from gateway.models import BackendAddress, TargetKind
from gateway.portal.pool_rows import MOST_TARGETS, TargetForm, TargetRows
from gateway.portal.pool_targets import Offer
from gateway.portal.stamps import draw
from tests.gateway.portal.visits import data_of

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


def form_of(number: int, kind: TargetKind, target: str, **kwargs: Any) -> TargetForm:
    """The form of a row by itself."""
    control = "target" if kind == TargetKind.ADDRESS else kind.value
    return TargetForm(
        prefix=f"targets-{number}",
        offered=OFFER,
        use_required_attribute=False,
        initial={"kind": kind.value, control: target},
        **kwargs,
    )


@pytest.mark.parametrize("may_write", [True, False])
def test_stored_rows_of_every_kind(may_write: bool) -> None:
    grid = TargetRows(None, STORED, OFFER, may_write=may_write)
    stamped = list(grid.drawn())
    assert len(stamped) == len(STORED) + may_write
    for number, (text, one) in enumerate(zip(stamped, STORED, strict=False)):
        kind = TargetKind(one.kind)
        alone = form_of(number, kind, one.target, disabled=not may_write, only=kind)
        assert parse_html(text) == parse_html(draw(alone, short=str(number)))


def test_a_stamped_row_sends_its_type_and_target_and_no_more() -> None:
    grid = TargetRows(None, STORED, OFFER, may_write=True)
    for number, (text, one) in enumerate(zip(grid.drawn(), STORED, strict=False)):
        kind = TargetKind(one.kind)
        control = "target" if kind == TargetKind.ADDRESS else kind.value
        assert data_of(f'<form id="child-form">{text}</form>') == {
            f"targets-{number}-kind": kind.value,
            f"targets-{number}-{control}": one.target,
        }
        assert text.count("<select") + text.count("<input") == 3


def test_the_empty_row_at_the_end_and_the_pattern_of_new_rows_have_every_box() -> None:
    grid = TargetRows(None, STORED, OFFER, may_write=True)
    for text in (list(grid.drawn())[-1], draw(grid.empty_form)):
        assert "data-row-short" not in text
        assert text.count("<select") + text.count("<input") == 6


def sent(*rows: dict[str, str]) -> dict[str, str]:
    data = {"targets-TOTAL_FORMS": str(len(rows)), "targets-INITIAL_FORMS": "0"}
    for number, row in enumerate(rows):
        data |= {f"targets-{number}-{name}": value for name, value in row.items()}
    return data


def test_rows_that_came_back_refused_and_those_beside_them() -> None:
    data = sent(
        {"kind": "address", "target": " www.contoso.com "},
        {"kind": "address", "target": "www.contoso.com"},
        {"kind": "address", "target": 'no "name" <script>'},
        {"kind": "address", "target": ""},
        {"kind": "no such kind", "target": "x"},
        {"kind": "address", "target": "10.0.0.9", "DELETE": "on"},
        {"kind": VIRTUAL, VIRTUAL: "10.0.1.5", "target": "left.behind"},
        {"kind": VIRTUAL, VIRTUAL: "10.0.1.4"},
        {"kind": VIRTUAL, VIRTUAL: "gone"},
        {"kind": VIRTUAL},
    )
    grid = TargetRows(data, [], OFFER, may_write=True)
    assert not grid.is_valid()
    assert [number for number, row in enumerate(grid.rows) if row.form is None] == [0, 7]
    assert [number for number, row in enumerate(grid.rows) if row.errors] == [1, 2, 4, 8, 9]
    assert list(grid.wanted()) == [
        ("address", "www.contoso.com"),
        (VIRTUAL, "10.0.1.5"),
        (VIRTUAL, "10.0.1.4"),
    ]
    # Deleted rows are not counted: people see none.
    assert [one["message"].split(":")[0] for one in grid.problems()] == [
        f"Target {number}" for number in (2, 3, 5, 8, 9)
    ]
    drawn = "".join(grid.drawn())
    again = data_of(f'<form id="child-form">{drawn}</form>')
    kept = {name: text for name, text in data.items() if not name.endswith("_FORMS")}
    # What no drop-down holds cannot come back from it.
    assert kept.pop("targets-4-kind") == "no such kind"
    assert kept.pop(f"targets-8-{VIRTUAL}") == "gone"
    assert {name: again[name] for name in kept} == kept


def test_a_row_whose_type_was_changed_without_script_comes_back_with_every_box() -> None:
    data = sent({"kind": VIRTUAL, "target": "10.0.1.4"})
    (text,) = TargetRows(data, [], OFFER, may_write=True).drawn()
    assert text.count("<select") + text.count("<input") == 6
    assert 'value="10.0.1.4"' in text


def test_a_full_pool_takes_a_handful_of_forms_and_little_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[TargetForm] = []
    make = TargetForm.__init__

    def counted(form: TargetForm, *args: Any, **kwargs: Any) -> None:
        made.append(form)
        make(form, *args, **kwargs)

    monkeypatch.setattr(TargetForm, "__init__", counted)
    names = [f"server-{number}.contoso.test" for number in range(MOST_TARGETS)]
    stored = [BackendAddress(fqdn=name, kind=TargetKind.ADDRESS) for name in names]
    drawn = "".join(TargetRows(None, stored, OFFER, may_write=True).drawn())
    assert len(drawn) < 2000 * MOST_TARGETS
    rows = sent(*({"kind": "address", "target": name} for name in names), {"kind": "address"})
    grid = TargetRows(rows, [], OFFER, may_write=True)
    assert grid.is_valid()
    assert [target for _, target in grid.wanted()] == names
    # One empty row and one pattern to draw them, one empty row to read them.
    assert len(made) == 3
