"""A document as text is what the standard library would write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.document import gateway_document, indented
from gateway.models import Tier, load_gateway
from tests import crowds

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=30,
)


@given(VALUES)
def test_text_is_that_of_the_standard_library(value):
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_a_choice_of_a_model_is_its_value():
    assert indented({"tier": Tier.WAF_V2, "zones": (1,)}) == json.dumps(
        {"tier": Tier.WAF_V2, "zones": (1,)}, ensure_ascii=False
    ).replace('{"tier"', '{\n  "tier"').replace(', "zones"', ',\n  "zones"').replace("]}", "]\n}")


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError):
        indented({"x": object()})


@pytest.mark.django_db
def test_a_whole_gateway_is_written_alike():
    document = gateway_document(load_gateway(crowds.crowd(2)))
    assert indented(document) == json.dumps(document, indent=2, ensure_ascii=False)
