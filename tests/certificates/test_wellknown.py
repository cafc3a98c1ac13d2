"""The store of well-known authorities."""

from __future__ import annotations

import pytest

from certificates.wellknown import well_known_store
from certificates.x509.issuing.issue import make_leaf, make_root
from certificates.x509.trust.chains import judge_chain
from tests.certificates.x509.makers import NOW, certs


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_the_bundle_has_many_self_signed_roots():
    anchors = list(well_known_store())
    assert len(anchors) > 80
    assert {anchor.origin for anchor in anchors} == {"well-known"}
    assert all(anchor.certificate.self_signed for anchor in anchors)
    assert all(anchor.is_usable for anchor in anchors)


def test_the_lab_s_public_root_counts_as_well_known_and_is_marked():
    lab = make_root("Lab Public Root", now=NOW)
    server = make_leaf(lab, "app.azurewebsites.test", now=NOW)
    anchors = well_known_store([lab.certificate])
    verdict = judge_chain(certs(server), anchors, well_known=True, now=NOW)
    assert verdict.ok
    assert verdict.anchor is not None
    assert verdict.anchor.origin == "lab-public"
    assert judge_chain(certs(server), well_known_store(), well_known=True, now=NOW).finding == (
        "intermediate-missing"
    )


def test_the_store_is_built_once():
    lab = make_root("Lab Public Root", now=NOW)
    assert well_known_store() is well_known_store(())
    assert well_known_store([lab.certificate]) is well_known_store((lab.certificate,))
