"""Every kind of file against every place that takes certificates, and the right file made of it."""

from __future__ import annotations

import base64
import dataclasses
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates.x509.files.contents import holds_key, look
from certificates.x509.files.read import read_certificates
from certificates.x509.issuing.issue import (
    key_pem,
    make_intermediate,
    make_leaf,
    make_root,
    make_self_signed,
    to_pem,
    to_pfx,
)
from certificates.x509.places import uploads
from certificates.x509.places.exams import MAX_SHOWN, examine
from certificates.x509.places.uses import PLACES, WANTED, state_of
from certificates.x509.trust.anchors import Anchor, AnchorStore
from tests.certificates.x509 import makers
from tests.certificates.x509.files.test_read import p7b, request
from tests.certificates.x509.makers import (
    LONG_AGO,
    NAME,
    NOW,
    TOMORROW,
    YESTERDAY,
    certs,
    intermediate,
    leaf,
    root,
    self_signed,
)
from tests.certificates.x509.places.test_listeners import mismatched_pfx

PASSWORD = "Secret12"
NOTHING = AnchorStore()
ROOT = to_pem(root().certificate)
LEAF = to_pem(leaf().certificate)
MIDDLE = to_pem(intermediate().certificate)
CHAIN = to_pem(*certs(leaf(), intermediate(), root()))
PFX = to_pfx(leaf(), PASSWORD, chain=certs(intermediate(), root()))
KEY = key_pem(leaf())
DOORS = ("authentication", "root", "client-ca", "listener")
GOOD, WARN, BAD = "good", "warn", "bad"


def exam(data, password="", *, anchors=NOTHING, candidates=(), now=NOW, name=""):
    return examine(data, password, anchors=anchors, candidates=candidates, now=now, file_name=name)


def verdicts(found):
    """For each place, what its first answer is."""
    return tuple(
        BAD if not answer.accepted else WARN if answer.problems else GOOD
        for place in DOORS
        for answer in [next(one for one in found.answers if one.place == place)]
    )


def offered(found):
    """(place, name) of every file that was made."""
    return [(way.place, file.name) for way in found.ways for file in way.files]


def way(found, place):
    return next(one for one in found.ways if one.place == place)


def titles(found):
    return [lesson.title for lesson in found.lessons]


# kind of file: (bytes, password, part of the headline, verdicts, places ready, places offered)
TABLE = {
    "root": (ROOT, "", "the root “Contoso Root”", (WARN, GOOD, GOOD, BAD), {"root", "client-ca"},
             set()),
    "leaf": (LEAF, "", "the server certificate", (GOOD, BAD, BAD, BAD), {"authentication"}, set()),
    "intermediate": (MIDDLE, "", "the intermediate", (WARN, BAD, BAD, BAD), set(), set()),
    "self-signed": (to_pem(self_signed(ca=False).certificate), "", "the self-signed certificate",
                    (GOOD, WARN, BAD, BAD), {"authentication"}, set()),
    "self-signed-ca": (to_pem(self_signed(ca=True).certificate), "", "the root",
                       (WARN, GOOD, GOOD, BAD), {"authentication", "root", "client-ca"}, set()),
    "chain": (CHAIN, "", "3 certificates", (BAD, BAD, WARN, BAD), set(),
              {"authentication", "root", "client-ca"}),
    "authorities": (MIDDLE + ROOT, "", "2 certificates", (BAD, BAD, GOOD, BAD), {"client-ca"},
                    {"root"}),
    "der-root": (root().certificate.der, "", "binary file (DER)", (BAD, BAD, BAD, BAD), set(),
                 {"root", "client-ca"}),
    "der-leaf": (leaf().certificate.der, "", "binary file (DER)", (BAD, BAD, BAD, BAD), set(),
                 {"authentication"}),
    "p7b": (p7b("DER"), "", "P7B", (BAD, BAD, BAD, BAD), set(),
            {"authentication", "root", "client-ca"}),
    "p7b-text": (p7b("PEM"), "", "P7B", (BAD, BAD, BAD, BAD), set(),
                 {"authentication", "root", "client-ca"}),
    "pfx": (PFX, PASSWORD, "private key of the server certificate", (BAD, BAD, BAD, GOOD),
            {"listener"}, {"authentication", "root", "client-ca"}),
    "pfx-locked": (PFX, "", "locked", (BAD, BAD, BAD, BAD), set(), set()),
    "pfx-wrong": (PFX, "wrong", "stays closed", (BAD, BAD, BAD, BAD), set(), set()),
    "pfx-cut-off": (PFX[:-20], PASSWORD, "ends before", (BAD, BAD, BAD, BAD), set(), set()),
    "pfx-text": (base64.b64encode(PFX), PASSWORD, "written as Base-64", (BAD, BAD, BAD, BAD),
                 set(), {"authentication", "root", "client-ca"}),
    "key": (KEY, "", "A private key.", (BAD, BAD, BAD, BAD), set(), set()),
    "key-and-chain": (KEY + CHAIN, "", "a private key that should not be there",
                      (BAD, BAD, BAD, BAD), set(), {"authentication", "root", "client-ca"}),
    "request": (request("PEM"), "", "certificate request (CSR) for “CN=", (BAD,) * 4, set(), set()),
    "request-der": (request("DER"), "", "request (CSR) for “CN=", (BAD,) * 4, set(), set()),
    "crl": (makers.revocation_list(), "", "revocation list", (BAD,) * 4, set(), set()),
    "ssh": (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here", "", "SSH", (BAD,) * 4, set(), set()),
    "empty": (b"", "", "empty", (BAD,) * 4, set(), set()),
    "text": (b"hello", "", "No certificate", (BAD,) * 4, set(), set()),
    "java": (b"\xfe\xed\xfe\xed\0\0\0\2", "", "Java key store", (BAD,) * 4, set(), set()),
    "word": (b"PK\x03\x04 and more", "", "ZIP", (BAD,) * 4, set(), set()),
    "film": (b"0" * 1_100_000, "", "most that is read", (BAD,) * 4, set(), set()),
    "utf16": (ROOT.decode().encode("utf-16"), "", "UTF-16; inside is the root", (BAD,) * 4, set(),
              {"root", "client-ca"}),
    "rich-text": (b"{\\rtf1 " + ROOT.replace(b"\n", b"\\par\n") + b"}", "", "can be mended",
                  (BAD,) * 4, set(), {"root", "client-ca"}),
    "smart-dashes": (ROOT.replace(b"-----", "\u2014".encode()), "", "can be mended", (BAD,) * 4,
                     set(), {"root", "client-ca"}),
    "twice": (base64.b64encode(LEAF), "", "No proper certificate file; inside is the server",
              (BAD,) * 4, set(), {"authentication"}),
    "bom": (b"\xef\xbb\xbf" + ROOT, "", "the root", (WARN, WARN, WARN, BAD), set(),
            {"root", "client-ca"}),
    "bare": (base64.b64encode(root().certificate.der), "", "the root", (WARN, WARN, WARN, BAD),
             set(), {"root", "client-ca"}),
    "text-around": (b"Subject: x\n" + LEAF, "", "the server", (WARN, BAD, BAD, BAD), set(),
                    {"authentication"}),
    "client": (to_pem(make_leaf(root(), "client", now=NOW, purposes=["client"]).certificate), "",
               "the client certificate", (GOOD, BAD, BAD, BAD), set(), set()),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_every_kind_of_file_gets_its_answers_and_the_right_files(case):
    data, password, headline, answers, ready, places = TABLE[case]
    found = exam(data, password)
    assert headline in found.headline
    assert verdicts(found) == answers
    assert {one.place for one in found.ways if one.ready} == ready
    assert {place for place, _ in offered(found)} == places


@pytest.mark.parametrize("case", TABLE)
def test_every_file_that_is_offered_is_accepted_where_it_is_meant_for(case):
    data, password, *_ = TABLE[case]
    found = exam(data, password)
    judges = {
        "authentication": lambda text: uploads.authentication_certificate(
            text, now=NOW, base64_only=True
        ),
        "root": lambda text: uploads.trusted_root_certificate(text, now=NOW, base64_only=True),
        "client-ca": lambda text: uploads.client_ca_certificate(text, now=NOW),
    }
    for one in found.ways:
        assert one.ready or one.files or one.advice
        for file in one.files:
            upload = judges[one.place](file.text.encode())
            assert upload.ok
            assert "PRIVATE" not in file.text
    for file in found.further:
        reading = read_certificates(file.text.encode())
        assert reading.ok
        assert reading.problems == ()


@pytest.mark.parametrize("case", TABLE)
def test_no_exam_keeps_a_key_or_a_password(case):
    data, password, *_ = TABLE[case]
    kept = repr(dataclasses.asdict(exam(data, password)))
    assert "PRIVATE KEY" not in kept
    assert PASSWORD not in kept
    assert KEY.decode().splitlines()[1] not in kept


def test_the_places_are_the_same_everywhere():
    assert set(PLACES) == set(WANTED) == set(DOORS)
    found = exam(CHAIN)
    assert [one.place for one in found.ways] == list(PLACES)
    assert all([use.place for use in one.uses] == list(PLACES) for one in found.found)


def test_the_binary_form_is_refused_by_the_portal_and_taken_by_the_api():
    found = exam(root().certificate.der)
    roots = [(one.where, one.accepted) for one in found.answers if one.place == "root"]
    assert roots == [("in the portal", False), ("by the API", True)]


def test_doors_that_agree_answer_once():
    # An intermediate is no root in any form; that it is binary is told by the portal alone.
    for data, count in ((ROOT, 4), (PFX, 4), (intermediate().certificate.der, 6)):
        assert len(exam(data, PASSWORD).answers) == count


def test_generations_differ_in_the_size_of_a_pfx():
    extra = [make_root(f"Padding {number}", now=NOW).certificate for number in range(24)]
    data = to_pfx(leaf(), PASSWORD, chain=[*certs(intermediate(), root()), *extra])
    assert uploads.LISTENER_PFX_LIMITS["v1"] < len(data) < uploads.LISTENER_PFX_LIMITS["v2"]
    listeners = [one for one in exam(data, PASSWORD).answers if one.place == "listener"]
    assert [(one.where, one.accepted) for one in listeners] == [
        ("on a v2 gateway", True),
        ("on a v1 gateway", False),
    ]


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD])
def test_a_pfx_that_stays_closed_gets_the_answer_of_the_listener_s_form(password):
    for data in (PFX, PFX[:700] + bytes(40) + PFX[740:]):
        (answer,) = [one for one in exam(data, password).answers if one.place == "listener"]
        upload = uploads.listener_certificate(
            data, password, size_limit=uploads.LISTENER_PFX_LIMITS["v2"], now=NOW
        )
        assert answer.problems == upload.problems


def test_a_long_list_is_cut_and_counted():
    many = [make_root(f"Root {number}", now=NOW).certificate for number in range(MAX_SHOWN + 3)]
    found = exam(to_pem(*many))
    assert (len(found.found), found.more) == (MAX_SHOWN, 3)
    assert "…" in found.headline
    assert len(way(found, "root").files) == 5


# -- what each certificate is for ---------------------------------------------------------------


def uses(certificate, **options):
    (one,) = exam(to_pem(certificate), **options).found
    return {use.place: use.reason for use in one.fits}


def reasons(certificate):
    (one,) = exam(to_pem(certificate)).found
    return {use.place: use.reason for use in one.uses if not use.fits}


def test_each_certificate_of_a_chain_has_its_use():
    fits = [{use.place for use in one.fits} for one in exam(CHAIN).found]
    assert fits == [{"authentication", "listener"}, {"client-ca"}, {"root", "client-ca"}]
    assert [one.number for one in exam(CHAIN).found] == [1, 2, 3]


def test_the_key_makes_a_listener_s_certificate():
    found = exam(PFX, PASSWORD).found
    assert found[0].uses[3].reason == "Its private key is in the file."
    assert "not in this file" in exam(LEAF).found[0].uses[3].reason


def test_why_a_certificate_is_not_for_a_place():
    assert "“Contoso Root” signed it" in reasons(intermediate().certificate)["root"]
    assert "“Contoso Issuing CA” signed it" in reasons(leaf().certificate)["root"]
    assert "CA:TRUE" in reasons(self_signed(ca=False).certificate)["root"]
    assert "own key" in reasons(makers.reissued(root(), root(), key=leaf().key).certificate)["root"]
    client = make_leaf(root(), "client", now=NOW, purposes=["client"]).certificate
    assert set(reasons(client)) == set(PLACES)
    assert "clients" in reasons(client)["authentication"]
    assert "server authentication" in reasons(client)["listener"]
    odd = make_leaf(root(), NAME, now=NOW, dns_names=[NAME], key="ed25519").certificate
    assert "Ed25519" in reasons(odd)["listener"]
    weak = make_leaf(root(), NAME, now=NOW, dns_names=[NAME], key="rsa1024").certificate
    assert "RSA 1024" in reasons(weak)["listener"]


def test_a_root_of_version_1_is_a_root():
    old_leaf, old_root = makers.version_1_pair()
    assert "root" in uses(old_root)
    found = exam(to_pem(old_leaf, old_root))
    assert ("root", "old-root.cer") in offered(found)
    assert way(found, "client-ca").files == ()


def test_dates_are_told_with_the_use():
    made = make_leaf(root(), NAME, now=NOW, dns_names=[NAME], not_before=LONG_AGO,
                     not_after=YESTERDAY)  # fmt: skip
    assert "expired on 2026-05-31" in uses(made.certificate)["authentication"]
    early = make_root("Early", now=NOW, not_before=TOMORROW)
    assert "not valid before" in uses(early.certificate)["root"]
    (file,) = way(exam(made.certificate.der), "authentication").files
    assert "It expired on" in file.use


def test_a_well_known_root_needs_no_upload():
    anchors = AnchorStore([Anchor(root().certificate, "well-known")])
    assert "no upload is needed" in uses(root().certificate, anchors=anchors)["root"]
    own = AnchorStore([Anchor(root().certificate)])
    assert "no upload" not in uses(root().certificate, anchors=own)["root"]


# -- the right file -----------------------------------------------------------------------------


def test_the_root_is_found_among_what_is_known():
    stored = AnchorStore([Anchor(root().certificate)])
    for origin, words in (
        ("well-known", "well-known authorities"),
        ("lab-public", "the lab counts it"),
    ):
        anchors = AnchorStore([Anchor(root().certificate, origin)])
        (file,) = way(exam(MIDDLE, anchors=anchors), "root").files
        assert file.text == root().certificate.pem
        assert words in file.use
    (file,) = way(exam(LEAF + MIDDLE, anchors=stored), "root").files
    assert "in your certificate stores" in file.use
    candidates = certs(root(), intermediate())
    found = exam(LEAF, candidates=candidates)
    (file,) = way(found, "root").files
    assert (file.name, file.text) == ("contoso-root.cer", root().certificate.pem)
    assert "in your certificate stores" in file.use
    (file,) = way(found, "client-ca").files
    assert file.text.encode() == MIDDLE + ROOT
    assert [one.name for one in found.further] == [f"{NAME}-chain.pem"]


def test_of_two_roots_the_valid_one_is_offered():
    late = {"not_before": LONG_AGO, "not_after": YESTERDAY}
    expired = make_root("Renewed Root", now=NOW, **late)
    renewed = makers.reissued(expired, expired)
    made = make_leaf(expired, NAME, now=NOW, dns_names=[NAME])
    for order in ((expired, renewed), (renewed, expired)):
        found = exam(to_pem(made.certificate), candidates=certs(*order))
        (file,) = way(found, "root").files
        assert file.text == renewed.certificate.pem
        assert "Same name, another certificate" not in titles(found)


def test_where_the_root_is_missing_it_is_said_where_to_get_it():
    advice = way(exam(LEAF), "root").advice
    assert "“Contoso Issuing CA” issued “backend.contoso.test”" in advice
    assert "Certification Path" in advice
    assert "CA:TRUE" in way(exam(to_pem(self_signed(ca=False).certificate)), "root").advice
    pair = to_pem(self_signed(ca=False).certificate, leaf().certificate)
    assert "“Contoso Issuing CA” issued" in way(exam(pair), "root").advice
    assert "s_client" in way(exam(MIDDLE), "authentication").advice
    assert "clients" in way(exam(LEAF), "client-ca").advice


def information_access(*descriptions):
    return makers.crafted(
        (x509.AuthorityInformationAccess(descriptions), False), subject="with", issuer=root()
    ).certificate


def test_the_address_of_the_issuer_is_handed_on():
    issuers, ocsp = AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP
    address = x509.UniformResourceIdentifier("http://pki.contoso.test/root.cer")
    certificate = information_access(
        x509.AccessDescription(ocsp, x509.UniformResourceIdentifier("http://ocsp.test/")),
        x509.AccessDescription(issuers, x509.DNSName("pki.contoso.test")),
        x509.AccessDescription(issuers, address),
    )
    assert "at http://pki.contoso.test/root.cer." in way(exam(to_pem(certificate)), "root").advice
    none = information_access(x509.AccessDescription(issuers, x509.DNSName("pki.contoso.test")))
    assert " at " not in way(exam(to_pem(none)), "root").advice.split("On a computer")[0]


def test_what_a_listener_wants_is_told():
    assert "“Yes, export the private key”" in way(exam(LEAF), "listener").advice
    assert "openssl pkcs12" in way(exam(KEY), "listener").advice
    assert "Enter the password" in way(exam(PFX), "listener").advice
    found = exam(mismatched_pfx(), "secret12")
    assert "Put right" in way(found, "listener").advice
    assert not found.needs_password


def test_several_servers_and_names_of_any_kind_have_files_of_their_own():
    first = make_leaf(root(), "*.contoso.test", now=NOW, dns_names=["*.contoso.test"])
    second = make_leaf(root(), "Übung §1", now=NOW, dns_names=["b.contoso.test"])
    third = make_leaf(root(), "§§§", now=NOW, dns_names=["c.contoso.test"])
    found = exam(to_pem(*certs(first, second, third, root())))
    names = [name for place, name in offered(found) if place == "authentication"]
    assert names == ["wildcard.contoso.test.cer", "bung-1.cer", "certificate.cer"]
    assert [name for place, name in offered(found) if place == "root"] == ["contoso-root.cer"]
    authority = make_root("Fabrikam CA", now=NOW).certificate
    assert offered(exam(authority.der))[0] == ("root", "fabrikam-ca-root.cer")


def test_further_files_are_clean_copies_and_the_chain_of_a_server():
    def names(data, password=""):
        return [one.name for one in exam(data, password).further]

    assert names(CHAIN) == [f"{NAME}-chain.pem"]
    assert names(p7b("DER")) == [f"{NAME}-chain.pem", f"{NAME}-all.pem"]
    assert names(intermediate().certificate.der) == ["contoso-issuing-ca.cer"]
    # The text is offered above already.
    assert names(root().certificate.der) == []
    (copy,) = exam(intermediate().certificate.der).further
    assert copy.text.encode() == MIDDLE
    spoilt = makers.spoilt_extension()
    assert offered(exam(spoilt.der)) == []


def test_what_a_gateway_would_refuse_for_its_size_is_not_offered():
    names = x509.SubjectAlternativeName(
        [x509.DNSName(f"host-{number}.contoso.test") for number in range(3000)]
    )
    large = makers.crafted(
        (names, False), (x509.BasicConstraints(ca=True, path_length=None), True)
    ).certificate
    assert len(large.pem) > uploads.MAX_CER_BYTES
    found = exam(large.der)
    assert offered(found) == []
    assert [use.place for use in found.found[0].fits] == list(PLACES)


def test_a_collection_of_certificates_without_a_start_is_followed():
    # Two authorities that signed each other: nobody is the lowest.
    first = make_root("First", now=NOW)
    second = makers.reissued(make_root("Second", now=NOW), first)
    crossed = makers.reissued(first, second)
    found = exam(to_pem(second.certificate, crossed.certificate))
    assert way(found, "root").files == ()
    assert "issued" in way(found, "root").advice


# -- lessons ------------------------------------------------------------------------------------


def test_lessons_are_told_where_they_apply():
    assert titles(exam(ROOT)) == []
    assert "Two forms, one ending" in titles(exam(root().certificate.der))
    assert "The ending says nothing about the content" in titles(exam(ROOT, name="root.PEM"))
    assert titles(exam(ROOT, name="root.cer")) == []
    assert "The private key stays where it was made" in titles(exam(KEY))
    assert "The private key stays where it was made" not in titles(exam(PFX))
    assert "A PFX is binary" in titles(exam(base64.b64encode(PFX)))
    assert "A wrong password is not always a wrong password" in titles(exam(PFX, "wrong"))
    assert "One entry, one certificate" in titles(exam(CHAIN))
    assert "One entry, one certificate" not in titles(exam(PFX, PASSWORD))
    assert "The order of a chain" in titles(exam(ROOT + LEAF))
    assert "The order of a chain" not in titles(exam(CHAIN))
    assert "An intermediate is not a root" in titles(exam(MIDDLE))
    assert "v1 wants the leaf, v2 wants the root" in titles(exam(LEAF))
    alone = to_pem(self_signed(ca=False).certificate)
    assert "Self-signed is not yet a root" in titles(exam(alone))
    assert "Self-signed is not yet a root" not in titles(exam(to_pem(makers.version_1_pair()[1])))


def test_authorities_of_one_name_are_told_apart():
    other = make_root("Contoso Root", now=NOW).certificate
    same_key = makers.reissued(root(), root()).certificate
    for known, words in ((other, "different keys"), (same_key, "the same key")):
        for options in (
            {"candidates": [known]},
            {"anchors": AnchorStore([Anchor(known, "well-known")])},
        ):
            (lesson,) = exam(ROOT, **options).lessons
            assert lesson.title == "Same name, another certificate"
            assert words in lesson.text
    assert titles(exam(LEAF, candidates=[other, same_key, root().certificate])) == [
        "v1 wants the leaf, v2 wants the root"
    ]


def test_a_key_that_cannot_be_read_is_its_own():
    odd = makers.crafted(
        (x509.BasicConstraints(ca=True, path_length=None), True), subject="Contoso Root"
    ).certificate
    # The number of the curve, changed to one that is unknown.
    unknown = bytes.fromhex("2a8648ce3d030107")
    broken = type(odd).from_der(odd.der.replace(unknown, unknown[:-1] + b"\x7f"))
    (lesson,) = exam(ROOT, candidates=[broken]).lessons
    assert "different keys" in lesson.text


# -- contents -----------------------------------------------------------------------------------


def pfx_of(key, certificate, others):
    return pkcs12.serialize_key_and_certificates(
        b"x", key, certificate, others, serialization.BestAvailableEncryption(PASSWORD.encode())
    )


def test_a_pfx_without_a_key_still_gives_its_certificates():
    found = exam(pfx_of(None, None, [leaf().certificate.x509, root().certificate.x509]), PASSWORD)
    assert "without any private key: 2 certificates" in found.headline
    assert not found.has_private_key
    assert ("root", "contoso-root.cer") in offered(found)
    assert "not in this file" in found.found[0].uses[3].reason


def test_a_pfx_with_a_key_alone_says_so():
    content = look(mismatched_pfx(), "secret12")
    assert "belongs to no certificate" in content.headline
    assert content.has_private_key
    assert content.key_owner is None


def test_a_pfx_in_a_block_of_text_is_opened():
    text = b"-----BEGIN PKCS12-----\n" + base64.encodebytes(PFX) + b"-----END PKCS12-----\n"
    assert look(text, PASSWORD).form == "pfx-text"
    assert look(KEY + text, PASSWORD).form == "pfx-text"
    assert look(b"\xef\xbb\xbf" + base64.b64encode(PFX), PASSWORD).form == "pfx-text"
    assert look(PFX, PASSWORD).headline.endswith("and 2 further certificates.")
    alone = to_pfx(self_signed(ca=False), PASSWORD)
    assert look(alone, PASSWORD).headline.endswith("“backend.contoso.test”.")


def test_a_request_that_cannot_be_read_is_still_a_request():
    der = request("DER")
    torn = der[:-30] + bytes(30)
    spoilt = der.replace(b"\x06\x03\x55\x04\x03", b"\x06\x03\x80\x80\x80")
    assert "certificate request (CSR)" in look(torn, "").headline
    assert look(spoilt, "").headline == "A certificate request (CSR)."


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        (KEY, True),
        (KEY.decode().encode("utf-16"), True),
        (KEY.replace(b"PRIVATE KEY", "private\u00a0Key".encode()), True),
        (b"PuTTY-User-Key-File-3: x\nPrivate-Lines: 1", True),
        (b"".join(KEY.splitlines()[1:-1]), True),
        (b"here it is:\n" + b"\n".join(KEY.splitlines()[1:-1]) + b"\nregards", True),
        (PFX, True),
        (base64.b64encode(PFX), True),
        (makers.openssl("ecparam", "-name", "prime256v1", "-genkey", "-outform", "DER"), True),
        (b"", False),
        (b"MII", False),
        (ROOT, False),
        (request("PEM"), False),
        (b"ssh-ed25519 AAAA", False),
    ],
)
def test_private_keys_are_seen_in_every_form(data, holds):
    assert holds_key(data) is holds
    if holds:
        assert exam(data).has_private_key


# -- hostile input ------------------------------------------------------------------------------


def test_look_alikes_without_end_take_no_time():
    key = root().key
    alike = []
    for serial in range(100):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alike")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(serial + 1)
            .not_valid_before(LONG_AGO)
            .not_valid_after(NOW + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        )
        alike.append(builder.sign(leaf().key, hashes.SHA256()).public_bytes(
            serialization.Encoding.PEM))  # fmt: skip
    began = time.process_time()
    found = exam(b"".join(alike))
    assert time.process_time() - began < 5
    assert found.more == 100 - MAX_SHOWN


def test_a_file_full_of_certificates_takes_no_time():
    data = b"".join(
        to_pem(
            make_leaf(root(), f"{number}.test", now=NOW, dns_names=[f"{number}.test"]).certificate
        )
        for number in range(200)
    )
    began = time.process_time()
    exam(data)
    assert time.process_time() - began < 5


@given(st.binary(max_size=300), st.text(max_size=10))
def test_no_bytes_raise_anything(data, password):
    exam(data, password)


SAMPLES = [data for data, *_ in TABLE.values() if 0 < len(data) < 10_000]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.integers(0, 10_000), st.binary(max_size=20), st.integers(0, 30))
def test_no_damage_raises_anything(data, at, junk, lost):
    at %= len(data)
    exam(data[:at] + junk + data[at + lost :], PASSWORD)


def test_intermediates_below_several_roots_make_several_bundles():
    first, second = make_root("First", now=NOW), make_root("Second", now=NOW)
    below = make_intermediate(first, "Below", now=NOW)
    alone = make_self_signed("server.test", now=NOW, ca=False, dns_names=["server.test"])
    found = exam(to_pem(*certs(below, first, second, alone)))
    assert [name for place, name in offered(found) if place == "client-ca"] == [
        "first-client-ca.cer",
        "second-client-ca.cer",
    ]
    uses_of_files = [file.use for file in way(found, "client-ca").files]
    assert "with 1 intermediate," in uses_of_files[0]
    assert "alone" in uses_of_files[1]


def test_a_list_says_of_dates_what_is_wrong_with_them():
    one = makers.leaf().certificate
    second = timedelta(seconds=1)
    assert state_of(one, one.not_before) == state_of(one, one.not_after) == ""
    assert state_of(one, one.not_before - second) == "not yet valid"
    assert state_of(one, one.not_after + second) == "expired"
