"""Any JSON whatever is answered with a draft."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.document import Draft, read
from gateway.document.shapes import Kind, Member
from gateway.document.tables import FIRST, LAST, SHAPES
from tests.gateway.document.gateways import GATEWAY_ID, minimal


def _names(members: tuple[Member, ...]) -> set[str]:
    found = set()
    for member in members:
        found.add(member.json)
        found |= _names(member.members)
        if member.of:
            found |= _names(member.of.members)
    return found


NAMES = sorted(
    {"id", "name", "properties", "location", "tags", "zones", "identity", "ID", "Properties"}
    | {shape.collection for shape in SHAPES}
    | _names((*FIRST, *LAST))
    | {name for shape in SHAPES for name in _names(shape.members)}
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["Http", "Https", "443", "true", f"{GATEWAY_ID}/probes/p", GATEWAY_ID, "/"]),
)
KEYS = st.one_of(st.sampled_from(NAMES), st.text(max_size=6))
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


def check(draft: Draft) -> None:
    """A draft that can be worked with, whatever it came from."""
    assert isinstance(draft, Draft)
    assert set(draft.collections) == {shape.collection for shape in SHAPES}
    for problem in draft.problems:
        assert problem.message
        problem.message.encode()
    if not any(problem.is_error for problem in draft.problems):
        for shape in SHAPES:
            for child in draft.collections[shape.collection]:
                wanted = {m.field for m in shape.members if m.kind is Kind.REFERENCE}
                assert set(child.references) == wanted


@settings(max_examples=300, deadline=None)
@given(body=JSON, strict=st.booleans())
def test_no_json_value_makes_the_reader_raise(body: Any, strict: bool) -> None:
    check(read(body, gateway_id=GATEWAY_ID, strict=strict))


@settings(max_examples=300, deadline=None)
@given(properties=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), strict=st.booleans())
def test_no_member_of_a_gateway_makes_the_reader_raise(
    properties: dict[str, Any], strict: bool
) -> None:
    check(read({"properties": properties}, gateway_id=GATEWAY_ID, strict=strict))


@settings(max_examples=300, deadline=None)
@given(
    shape=st.sampled_from(SHAPES),
    properties=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
def test_no_member_of_an_item_makes_the_reader_raise(
    shape: Any, properties: dict[str, Any]
) -> None:
    body = minimal(**{shape.collection: [{"name": "x", "properties": properties}]})
    check(read(body, gateway_id=GATEWAY_ID, strict=True))


def mutate(body: Any, chance: random.Random) -> Any:
    """A copy of ``body`` with one value somewhere replaced, removed or doubled."""
    body = copy.deepcopy(body)
    places: list[tuple[Any, Any]] = []
    stack = [body]
    while stack:
        value = stack.pop()
        entries = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        for key, item in entries:
            places.append((value, key))
            if isinstance(item, dict | list):
                stack.append(item)
    owner, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del owner[key]
        case 1 if isinstance(owner, list):
            owner.append(owner[key])
        case 1:
            owner[str(key).upper()] = owner[key]
        case 2 if isinstance(owner[key], str):
            owner[key] = owner[key][: chance.randrange(len(owner[key]) + 1)] + chance.choice(
                "é/\x00x"
            )
        case _:
            owner[key] = chance.choice(
                [None, True, -1, 0, 70000, 2**70, 1.5, "", "x", [], {}, [None], {"id": "x"}]
            )
    return body


def test_mutated_documents_are_read_without_raising() -> None:
    chance = random.Random(20)
    body: Any = minimal()
    for _ in range(500):
        check(read(mutate(body, chance), gateway_id=GATEWAY_ID, strict=True))
