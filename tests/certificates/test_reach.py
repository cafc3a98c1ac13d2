"""From an address to a certificate: one's own alone, and nothing outside the path."""

from __future__ import annotations

import pytest
from django.http import Http404
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from certificates.files import save_file
from certificates.models import Folder, SavedFile
from certificates.workshop.reach import certificates_in, find_entry, find_file, reach
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import make_root, to_pem
from tests import factories
from tests.certificates.visits import put
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW

pytestmark = pytest.mark.django_db

LEAF, CA, ROOT = (one().certificate for one in (makers.leaf, makers.intermediate, makers.root))


def make_user():  # type: ignore[no-untyped-def]
    user = factories.make_user()
    put(user, makers.intermediate(), Folder.INTERMEDIATES)
    put(user, makers.root(), Folder.ROOTS)
    return user


def save(user, *certificates: Certificate) -> SavedFile:  # type: ignore[no-untyped-def]
    return save_file(user.pk, "desktop", "chain.cer", to_pem(*certificates))


def test_a_stored_certificate_is_reached_with_its_path() -> None:
    user = make_user()
    entry = put(user, makers.leaf(), key=True)
    found = reach(user.pk, "entries", entry.pk, now=NOW)
    assert found.certificate == LEAF
    assert [node.certificate for node in found.lineage] == [ROOT, CA, LEAF]
    assert (found.is_base, found.has_key, found.key_exportable) == (True, True, True)
    assert found.entry == entry
    assert found.file is None


def test_a_key_may_be_there_and_stay() -> None:
    user = make_user()
    entry = put(user, makers.leaf(), key=True, exportable=False)
    found = reach(user.pk, "entries", entry.pk, now=NOW)
    assert (found.has_key, found.key_exportable) == (True, False)


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_another_certificate_of_the_path_is_reached_without_the_key(change) -> None:  # type: ignore[no-untyped-def]
    user = make_user()
    entry = put(user, makers.leaf(), key=True)
    found = reach(user.pk, "entries", entry.pk, change(CA.sha256), now=NOW)
    assert found.certificate == CA
    assert [node.certificate for node in found.lineage] == [ROOT, CA]
    assert (found.is_base, found.has_key, found.key_exportable) == (False, False, False)


def test_the_base_by_its_own_digest_is_the_base() -> None:
    user = make_user()
    entry = put(user, makers.leaf(), key=True)
    found = reach(user.pk, "entries", entry.pk, LEAF.sha256, now=NOW)
    assert found.is_base
    assert found.has_key


@pytest.mark.parametrize("sha256", ["0" * 64, "x", "..", "", LEAF.sha256 + "0"])
def test_what_is_not_in_the_path_is_not_reached(sha256: str) -> None:
    user = make_user()
    entry = put(user, makers.leaf())
    outside = put(user, makers.other_root(), Folder.ROOTS).certificate.sha256
    for digest in {sha256, outside} - {""}:
        with pytest.raises(Http404):
            reach(user.pk, "entries", entry.pk, digest, now=NOW)


def test_a_file_is_reached_with_what_it_holds() -> None:
    user = make_user()
    file = save(user, LEAF, CA, ROOT, CA)
    found = reach(user.pk, "files", file.pk, now=NOW)
    assert (found.certificate, found.others) == (LEAF, (CA, ROOT))
    assert found.file == file
    assert found.is_base
    assert not found.has_key


def test_every_certificate_of_a_file_and_of_their_paths_is_reached() -> None:
    user = factories.make_user()
    put(user, makers.other_root(), Folder.ROOTS)
    other = makers.reissued(makers.intermediate(), makers.other_root()).certificate
    file = save(user, LEAF, other)
    wanted = makers.other_root().certificate
    for digest, certificate in ((other.sha256, other), (wanted.sha256, wanted)):
        found = reach(user.pk, "files", file.pk, digest, now=NOW)
        assert found.certificate == certificate
        assert not found.is_base
    assert found.others == (LEAF, other)


def test_a_file_brings_its_own_issuers() -> None:
    user = factories.make_user()
    found = reach(user.pk, "files", save(user, LEAF, CA, ROOT).pk, now=NOW)
    assert [node.certificate for node in found.lineage] == [ROOT, CA, LEAF]
    assert not found.lineage[0].trusted


def test_files_without_certificates_are_not_reached_but_found() -> None:
    user = factories.make_user()
    file = save_file(user.pk, "desktop", "notes.txt", b"nothing")
    assert certificates_in(find_file(user.pk, file.pk)) == ()
    with pytest.raises(Http404):
        reach(user.pk, "files", file.pk, now=NOW)


def test_nobody_reaches_what_is_not_theirs() -> None:
    user, stranger = make_user(), factories.make_user()
    entry, file = put(user, makers.leaf()), save(user, LEAF)
    for kind, pk in (("entries", entry.pk), ("files", file.pk), ("entries", 10**9), ("keys", 1)):
        with pytest.raises(Http404):
            reach(stranger.pk, kind, pk, now=NOW)
    with pytest.raises(Http404):
        find_entry(stranger.pk, entry.pk)


def test_a_hundred_certificates_take_no_more_queries_than_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = make_user()
    entry = put(user, makers.leaf(), key=True)
    with django_assert_num_queries(3):
        reach(user.pk, "entries", entry.pk, now=NOW)
    for number in range(30):
        put(user, make_root(f"Root {number}", now=timezone.now()), Folder.ROOTS)
    with django_assert_num_queries(3):
        reach(user.pk, "entries", entry.pk, ROOT.sha256, now=NOW)
