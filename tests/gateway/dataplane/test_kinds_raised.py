"""Every announcement of the compiler comes out of a gateway that deserves it."""

from __future__ import annotations

import pytest

from gateway.dataplane import notes
from gateway.problems import Kind
from tests.gateway.dataplane.cases import CASES

# Id of the kind → the golden case that raises it.
HAPPENINGS = {
    "engine-suites-missing": "policy_of_2017",
    "engine-policy-unusable": "defect_policy_without_a_usable_suite",
    "engine-key-unusable": "defect_small_key",
    "engine-port-unpublished": "defect_unpublished_port",
    "engine-certificate-pinned": "backend_without_a_check_of_the_chain",
    "engine-common-name-unusable": "defect_common_name_and_any_client",
    "engine-address-forbidden": "defect_forbidden_address",
    "engine-rewrite-unusable": "defect_pattern_that_looks_around",
    "engine-error-page-missing": "defect_error_page_not_fetched",
    "engine-revocation-unchecked": "defect_revocation_asked_for",
    "engine-draining-untimed": "backend_that_is_drained",
}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", HAPPENINGS)
def test_it_is_announced(kind: str):
    found = CASES[HAPPENINGS[kind]]().compile()
    assert kind in {note.kind.id for note in found.notes}


@pytest.mark.django_db
def test_a_plain_gateway_has_nothing_to_announce():
    assert CASES["basic_http"]().compile().notes == ()


def test_every_kind_of_the_compiler_is_in_the_table():
    declared = {one.id for one in vars(notes).values() if isinstance(one, Kind)}
    assert declared == set(HAPPENINGS)
