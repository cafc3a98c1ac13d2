"""Every kind that the document declares is raised by some document."""

from __future__ import annotations

from gateway.document import kinds
from gateway.problems import Kind
from tests.gateway.document.test_reading import WRONG

ELSEWHERE = {
    "member-passed-over",  # test_an_import_takes_the_output_of_az_and_the_id_of_the_original
    "member-not-acted-on",  # test_members_that_are_not_modelled_are_kept_with_a_warning
}


def test_every_kind_of_the_document_is_raised() -> None:
    declared = {kind.id for kind in vars(kinds).values() if isinstance(kind, Kind)}
    assert declared == set(WRONG) | ELSEWHERE
