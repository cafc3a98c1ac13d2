"""The certificate dialog: what it says, where it leads, whom it refuses."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from cryptography import x509
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.files import save_file
from certificates.models import Folder
from certificates.x509.issuing.issue import make_leaf, make_root, to_pem
from gateway.accounts.models import User
from tests import factories
from tests.certificates.visits import put, signed_in, text
from tests.certificates.x509 import makers
from tests.certificates.x509.makers import NOW

pytestmark = pytest.mark.django_db

LEAF, CA, ROOT = (one().certificate for one in (makers.leaf, makers.intermediate, makers.root))


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certificates.workshop.dialog.timezone.now", lambda: NOW)


@pytest.fixture
def user() -> User:
    user = factories.make_user()
    put(user, makers.intermediate(), Folder.INTERMEDIATES)
    put(user, makers.root(), Folder.ROOTS)
    return user


def view(user: User, kind: str, pk: int, *sha256: str) -> str:
    name = "view-node" if sha256 else "view"
    answer = signed_in(user).get(reverse(f"certificates:{name}", args=[kind, pk, *sha256]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", text(answer))


def save(user: User, data: bytes, name: str = "file.cer") -> int:
    return save_file(user.pk, "desktop", name, data).pk


def test_general_says_who_and_when_and_what_for(user: User) -> None:
    page = view(user, "entries", put(user, makers.leaf(), key=True).pk)
    for words in (
        "Server Authentication",
        "Issued to",
        makers.NAME,
        "Contoso Issuing CA",
        f"from {LEAF.not_before:%Y-%m-%d} to {LEAF.not_after:%Y-%m-%d}",
        "You have a private key that corresponds to this certificate.",
        "Its path leads to a trusted root",
    ):
        assert words in page
    assert "not exportable" not in page


def test_a_key_that_stays_is_told_and_no_key_is_not(user: User) -> None:
    kept = view(user, "entries", put(user, makers.leaf(), key=True, exportable=False).pk)
    assert "marked as not exportable" in kept
    assert "private key" not in view(user, "entries", put(user, makers.direct_leaf()).pk)


# A certificate, what a gateway has it for, and what is said of v1 and v2.
TAKEN = {
    "leaf": (makers.leaf, "A backend server's own", ["Accepted", "Refused"]),
    "root": (makers.root, "A root: what a v2 gateway", ["Accepted with a warning", "Accepted"]),
    "intermediate": (
        makers.intermediate,
        "an intermediate belongs on the backend",
        ["Accepted with a warning", "Refused"],
    ),
    "self-signed": (
        lambda: makers.self_signed(ca=False),
        "trusts no server by it",
        ["Accepted", "Accepted with a warning"],
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_a_gateway_takes_it_for_is_what_uploads_answer(user: User, case: str) -> None:
    make, words, answers = TAKEN[case]
    page = view(user, "entries", put(user, make(), Folder.PERSONAL).pk)
    assert words in page
    assert re.findall(r"<span>(Accepted[a-z ]*|Refused)</span>", page) == answers


def test_a_self_signed_certificate_is_for_tests(user: User) -> None:
    page = view(user, "entries", put(user, makers.self_signed(ca=False)).pk)
    assert "for tests only" in page
    assert "for tests only" not in view(user, "entries", put(user, makers.leaf()).pk)


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [(makers.LONG_AGO, makers.YESTERDAY, "Expired"), (makers.TOMORROW, None, "Not yet valid")],
)
def test_dates_that_do_not_hold_are_told(user: User, start, end, state: str) -> None:  # type: ignore[no-untyped-def]
    dated = make_leaf(makers.root(), "dated", now=NOW, not_before=start, not_after=end)
    page = view(user, "entries", put(user, dated).pk)
    assert state in page
    assert "dated:</b> It" in page


def test_a_missing_issuer_stands_on_top_of_the_path(user: User) -> None:
    orphan = make_leaf(makers.other_root(), "orphan", now=NOW)
    page = view(user, "entries", put(user, orphan).pk)
    assert "The issuer “Fabrikam Root” was not found." in page
    assert "issuer not found" in page
    assert "Nothing is wrong with this certificate itself" in page


def test_a_renewed_root_of_the_same_name_is_told(user: User) -> None:
    put(user, make_root("Fabrikam Root", now=NOW), Folder.ROOTS)
    page = view(user, "entries", put(user, make_leaf(makers.other_root(), "o", now=NOW)).pk)
    assert "trusted root has this name, but another key" in page


def test_the_path_leads_to_the_other_certificates(user: User) -> None:
    entry = put(user, makers.leaf())
    page = view(user, "entries", entry.pk)
    for certificate in (CA, ROOT):
        node = reverse("certificates:view-node", args=["entries", entry.pk, certificate.sha256])
        assert node in page
    assert reverse("certificates:export", args=["entries", entry.pk]) in page
    # The certificate itself is open already.
    assert LEAF.sha256 not in re.findall(r"/view/(\w+)/", page)


def test_a_place_of_the_path_is_a_dialog_of_its_own(user: User) -> None:
    entry = put(user, makers.leaf(), key=True)
    page = view(user, "entries", entry.pk, ROOT.sha256)
    assert "Certificate: Contoso Root" in page
    assert "private key" not in page
    assert "in the Trusted Root Certification Authorities of your stores" in page
    wizard = reverse("certificates:export-node", args=["entries", entry.pk, ROOT.sha256])
    assert wizard in page
    # Without script, Close leads back to the certificate that one came from.
    assert f'href="{reverse("certificates:view", args=["entries", entry.pk])}"' in page


def test_every_field_is_there_in_full(user: User) -> None:
    page = view(user, "entries", put(user, makers.leaf()).pk)
    for words in ("Thumbprint", LEAF.thumbprint, LEAF.sha256, f"DNS Name={makers.NAME}"):
        assert words in page
    for words in ("<All>", "Version 1 Fields Only", "Extensions Only", "Properties Only"):
        assert f">{words}</option>" in page


def test_a_certificate_without_extensions_offers_no_list_of_them(user: User) -> None:
    leaf, _ = makers.version_1_pair()
    page = view(user, "files", save(user, leaf.pem.encode()))
    assert "Extensions Only" not in page


def test_a_name_cannot_bring_markup_along(user: User) -> None:
    name = "<script>alert(1)</script>"
    odd = makers.crafted(
        (x509.SubjectAlternativeName([x509.DNSName('a"><img src=x>')]), False), subject=name
    )
    answer = view(user, "entries", put(user, odd).pk)
    entry_page = signed_in(user).get(
        reverse("certificates:manager", args=["current-user", "personal"])
    )
    raw = (
        signed_in(user)
        .get(reverse("certificates:view", args=["entries", put(user, odd).pk]))
        .content.decode()
    )
    assert entry_page.status_code == 200
    assert name in answer
    assert "<script>alert" not in raw
    assert "<img" not in raw


@pytest.mark.parametrize("make", [makers.spoilt_extension, makers.doubled_extension])
def test_what_cannot_be_read_is_shown_all_the_same(user: User, make) -> None:  # type: ignore[no-untyped-def]
    page = view(user, "files", save(user, make().pem.encode()))
    assert "(unreadable)" in page
    assert "cannot be read completely" in page


def test_a_file_with_one_certificate_opens_as_that_certificate(user: User) -> None:
    pk = save(user, LEAF.der)
    page = view(user, "files", pk)
    assert f"Certificate: {makers.NAME}" in page
    assert reverse("certificates:export", args=["files", pk]) in page


def test_a_file_with_several_certificates_asks_which_one(user: User) -> None:
    pk = save(user, to_pem(LEAF, CA, ROOT))
    page = view(user, "files", pk)
    assert "holds 3 certificates" in page
    for certificate in (LEAF, CA, ROOT):
        node = reverse("certificates:view-node", args=["files", pk, certificate.sha256])
        assert node in page
        chosen = view(user, "files", pk, certificate.sha256)
        assert f"Certificate: {certificate.label}" in chosen
        wizard = reverse("certificates:export-node", args=["files", pk, certificate.sha256])
        assert wizard in chosen


def test_many_certificates_of_a_file_are_counted(user: User) -> None:
    made = [make_root(f"Root {number}", now=NOW).certificate for number in range(55)]
    page = view(user, "files", save(user, to_pem(*made)))
    assert "holds 55 certificates" in page
    assert "And 5 more." in page


@pytest.mark.parametrize("data", [b"", b"words", b"\x30\x82\x01\x00", bytes(range(256)) * 20])
def test_a_file_that_is_no_certificate_says_so_and_opens_in_notepad(
    user: User, data: bytes
) -> None:
    pk = save(user, data)
    page = view(user, "files", pk)
    assert "holds no certificate that can be shown" in page
    assert reverse("certificates:notepad", args=[pk]) in page


def test_strangers_and_the_signed_out_see_nothing(user: User, client) -> None:  # type: ignore[no-untyped-def]
    addresses = [
        reverse("certificates:view", args=["entries", put(user, makers.leaf()).pk]),
        reverse("certificates:view", args=["files", save(user, LEAF.der)]),
    ]
    stranger = signed_in(factories.make_user())
    for address in addresses:
        assert stranger.get(address).status_code == 404
        assert client.get(address).status_code == 302
        assert signed_in(user).post(address).status_code == 405


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    kind=st.sampled_from(["entries", "files", "keys", "%00", "x" * 300]),
    pk=st.integers(0, 2**70),
    sha256=st.text(st.characters(blacklist_characters="/?#", blacklist_categories=["Cs"])),
)
def test_no_address_is_a_fault_of_the_server(kind: str, pk: int, sha256: str) -> None:
    client = signed_in(User.objects.first() or factories.make_user())
    tail = f"{quote(sha256)}/" if sha256.strip(".") else ""
    assert client.get(f"/certificates/{kind}/{pk}/view/{tail}").status_code in {404, 301}
