"""Which names an authority may certify, with OpenSSL beside us."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing.issue import Issued, make_intermediate, make_leaf
from certificates.x509.trust import constraints
from certificates.x509.trust.chains import judge_chain
from tests.certificates.x509 import hostile, makers
from tests.certificates.x509.makers import NAME, NOW, certs, root, store
from tests.certificates.x509.trust.test_trust_table import openssl_says

CA = (x509.BasicConstraints(ca=True, path_length=None), True)


def dns(*names):
    return [x509.DNSName(name) for name in names]


def nets(*networks):
    return [x509.IPAddress(ipaddress.ip_network(network)) for network in networks]


def directory(**parts):
    oids = {"o": NameOID.ORGANIZATION_NAME, "cn": NameOID.COMMON_NAME}
    name = x509.Name([x509.NameAttribute(oids[part], value) for part, value in parts.items()])
    return [x509.DirectoryName(name)]


def limited(permitted=(), excluded=(), *, issuer=None, subject="Limited CA") -> Issued:
    limits = x509.NameConstraints(list(permitted) or None, list(excluded) or None)
    return makers.crafted(CA, (limits, True), subject=subject, issuer=issuer or root())


def verdict_on(presented, anchors=None):
    return judge_chain(presented, anchors or store(root()), well_known=False, now=NOW)


# Permitted and excluded names; names of the server (none: its common name); OpenSSL's number.
CASES = {
    "permitted": (dns("contoso.test"), [], [NAME], 0),
    "permitted, the name itself": (dns(NAME), [], [NAME], 0),
    "permitted, in capitals": (dns("CONTOSO.test"), [], [NAME.upper()], 0),
    "permitted, wildcard": (dns("contoso.test"), [], ["*.contoso.test"], 0),
    "permitted, several": (dns("fabrikam.test", "contoso.test"), [], [NAME], 0),
    "permitted below a dot": (dns(".contoso.test"), [], [NAME], 0),
    "not permitted": (dns("fabrikam.test"), [], [NAME], 47),
    "not permitted, looks alike": (dns("toso.test"), [], [NAME], 47),
    "not permitted, one of two": (dns("contoso.test"), [], [NAME, "x.fabrikam.test"], 47),
    "not permitted, the name above a dot": (dns(".backend.contoso.test"), [], [NAME], 47),
    "excluded": ([], dns("contoso.test"), [NAME], 48),
    "excluded, another": ([], dns("fabrikam.test"), [NAME], 0),
    "excluded from what is permitted": (dns("test"), dns("contoso.test"), [NAME], 48),
    "permitted, common name": (dns("contoso.test"), [], [], 0),
    "not permitted, common name": (dns("fabrikam.test"), [], [], 47),
    "excluded, common name": ([], dns("contoso.test"), [], 48),
    "permitted address": (nets("10.0.0.0/8"), [], ["10.1.2.3"], 0),
    "not permitted address": (nets("10.0.0.0/8"), [], ["11.1.2.3"], 47),
    "not permitted kind of address": (nets("10.0.0.0/8"), [], ["2001:db8::1"], 47),
    "excluded address": ([], nets("2001:db8::/32"), ["2001:db8::1"], 48),
    "excluded, another address": ([], nets("2001:db8::/32", "10.0.0.0/8"), ["11.0.0.1"], 0),
    "excluded, all addresses": ([], nets("0.0.0.0/0", "::/0"), ["10.0.0.1"], 48),
    "addresses are no host names": (nets("10.0.0.0/8"), [], [NAME], 0),
    "permitted directory": (directory(cn=NAME), [], [NAME], 0),
    "permitted directory, other spelling": (directory(cn=f" {NAME.upper()} "), [], [NAME], 0),
    "not permitted directory": (directory(o="Contoso"), [], [NAME], 47),
    "excluded directory": ([], directory(cn=NAME), [NAME], 48),
    "a kind that servers have not": ([x509.RFC822Name("contoso.test")], [], [NAME], 0),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_names_are_held_against_the_limits_of_the_authorities_above(case):
    permitted, excluded, names, expected = case
    authority = limited(permitted, excluded)
    addresses = [name for name in names if not name.endswith(("test", "TEST"))]
    hosts = [name for name in names if name not in addresses]
    server = make_leaf(authority, NAME, now=NOW, dns_names=hosts, ip_addresses=addresses)
    presented = certs(server, authority)
    assert openssl_says(presented, certs(root())) == (expected, 0)
    verdict = verdict_on(presented)
    assert verdict.openssl == (expected or None)
    if expected:
        assert verdict.finding == "verify"
        assert verdict.at_fault == server.certificate
        assert "Limited CA" in verdict.detail
        assert verdict.source == "RFC 5280 4.2.1.10"
    else:
        assert verdict.ok


def test_the_limits_of_a_root_count_too():
    top = makers.crafted(
        CA, (x509.NameConstraints(dns("fabrikam.test"), None), True), subject="Limited Root"
    )
    server = make_leaf(top, NAME, now=NOW, dns_names=[NAME])
    assert verdict_on(certs(server), store(top)).openssl == 47


def test_an_intermediate_outside_of_the_limits_is_the_one_at_fault():
    authority = limited(directory(o="Contoso"))
    middle = make_intermediate(authority, "Middle", now=NOW)
    server = make_leaf(middle, NAME, now=NOW, dns_names=[NAME])
    verdict = verdict_on(certs(server, middle, authority))
    assert verdict.at_fault == middle.certificate
    assert "CN=Middle" in verdict.detail


def test_what_an_authority_issued_to_itself_is_not_held_against_its_limits():
    authority = limited(directory(o="Contoso"), subject="Same")
    again = makers.reissued(authority, authority)
    server = makers.crafted(subject="server", issuer=again)
    path = certs(server, again, authority)
    found = constraints.violation(path)
    assert found is not None
    assert found.certificate == server.certificate
    assert constraints.violation(path[1:]) is not None  # as the last of its chain it counts


def test_a_server_without_any_subject_has_no_directory_name():
    authority = limited(directory(o="Contoso"))
    names = hostile.extension(hostile.ALTERNATIVE_NAMES, hostile.general_names(NAME), critical=True)
    server = Certificate.from_der(
        hostile.certificate(
            subject=hostile.name(),
            issuer=authority.certificate.subject_key,
            extensions=[names],
            signer=authority.key,
        )
    )
    assert server.subject == "(no name)"
    assert verdict_on([server, authority.certificate]).ok


@pytest.mark.parametrize("common_name", ["Contoso Web Server", "server", "a..b", "x" * 200])
def test_a_common_name_that_is_no_host_name_is_not_held_against_limits_on_hosts(common_name):
    authority = limited(dns("fabrikam.test"))
    server = makers.crafted(subject=common_name[:64], issuer=authority)
    assert verdict_on(certs(server, authority)).ok


def test_more_comparisons_than_any_verifier_makes_are_refused():
    authority = limited(dns(*(f"n{number}.test" for number in range(400))))
    hosts = [f"n{number}.test" for number in range(400)]
    server = make_leaf(authority, NAME, now=NOW, dns_names=hosts)
    path = certs(server, authority, root())
    assert constraints.comparisons(path) == 400 * 401
    verdict = verdict_on(path)
    assert verdict.at_fault == server.certificate
    assert "more names" in verdict.detail
    assert verdict.openssl == 1


def test_every_name_counts_with_every_limit_above_it():
    authority = limited(dns("a.test", "b.test"), dns("c.test"))
    bare = make_leaf(authority, NAME, now=NOW).certificate
    named = make_leaf(authority, NAME, now=NOW, dns_names=["d.test", "e.test"]).certificate
    above = limited(dns("x.test")).certificate
    assert constraints.comparisons([bare, authority.certificate]) == 3
    assert constraints.comparisons([named, authority.certificate]) == 9
    assert constraints.comparisons([named, authority.certificate, above]) == 9 + 4


def test_a_dot_at_the_end_changes_nothing():
    for limit, host in (("contoso.test.", NAME), ("contoso.test", f"{NAME}.")):
        authority = limited(dns(limit))
        server = make_leaf(authority, NAME, now=NOW, dns_names=[host])
        assert constraints.violation(certs(server, authority)) is None
    authority = limited((), dns("contoso.test"))
    server = make_leaf(authority, NAME, now=NOW, dns_names=[f"{NAME}."])
    assert constraints.violation(certs(server, authority)) is not None


def test_an_authority_without_limits_counts_for_nothing():
    path: list[Certificate] = certs(makers.leaf(), makers.intermediate(), root())
    assert constraints.comparisons(path) == 0
    assert constraints.violation(path) is None
