"""What the overview of end to end TLS states, proven with rows, a prober and real servers."""

from typing import Any

import pytest

from certificates.models import Authority, keep
from certificates.publicroot import NAME as PUBLIC
from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.models import ApplicationGateway, BackendHttpSettings, Verdict
from tests import factories, servers
from tests.factories import NOW
from tests.gateway.health.lab import (
    ADDRESS,
    add_backend,
    move_on,
    only_verdict,
    point_pool_at,
    sweep,
)

pytestmark = pytest.mark.django_db

FQDN = "www.contoso.test"
PICK = {"pick_host_name_from_backend_address": True}


def https(gateway: ApplicationGateway, target: str = FQDN, **fields: Any) -> BackendHttpSettings:
    """The default setting switched to HTTPS, the default pool pointed at ``target``."""
    settings = factories.find(gateway, BackendHttpSettings, factories.SETTINGS)
    factories.change(settings, protocol="Https", port=443, **fields)
    point_pool_at(gateway, target)
    return settings


def v1() -> ApplicationGateway:
    return factories.v1_gateway()


def v2() -> ApplicationGateway:
    return factories.v2_gateway()


def public_root() -> issue.Issued:
    """The lab's public CA, known to the installation."""
    root = issue.make_root("Lab Public Root", now=NOW)
    Authority.objects.create(owner=None, name=PUBLIC, certificate=keep([root.certificate])[0])
    return root


def found(gateway: ApplicationGateway) -> str:
    """The error id after everything due was probed; empty for a healthy server."""
    sweep()
    verdict = only_verdict(gateway)
    assert not verdict.rechecking
    assert (verdict.status == Verdict.Status.HEALTHY) is (verdict.error_id == "")
    return verdict.error_id


def allow(gateway: ApplicationGateway, settings: BackendHttpSettings, one: Certificate) -> None:
    """Upload an authentication certificate and add it to the setting."""
    row = factories.add_authentication_certificate(gateway, "leaf", one)
    factories.trust(settings, authentication=[row])
    move_on(gateway)


def trust(gateway: ApplicationGateway, settings: BackendHttpSettings, one: Certificate) -> None:
    """Upload a trusted root and add it to the setting."""
    factories.trust(settings, roots=[factories.add_root(gateway, f"root{one.sha256[:6]}", one)])
    move_on(gateway)


def test_003_6_v1_accepts_only_backends_whose_leaf_is_stored() -> None:
    gateway = v1()
    leaf, another = factories.leaf(FQDN), factories.leaf("other.contoso.test")
    with servers.tls_server(leaf) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway)
        assert found(gateway) == "E-AUTHCERT"
        allow(gateway, settings, another.certificate)
        assert found(gateway) == "E-AUTHCERT"
        row = factories.add_authentication_certificate(gateway, "right", leaf.certificate)
        factories.trust(settings, authentication=[row])
        move_on(gateway)
        assert found(gateway) == ""
        assert "request" in [stage["name"] for stage in only_verdict(gateway).evidence["stages"]]


def test_003_6_v1_does_not_accept_the_root_in_place_of_the_leaf() -> None:
    gateway = v1()
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        allow(gateway, https(gateway), factories.root().certificate)
        assert found(gateway) == "E-AUTHCERT"
        assert "the server's own is needed" not in only_verdict(gateway).message
        assert only_verdict(gateway).evidence["at_fault"] == 0


def test_003_7_v1_accepts_a_self_signed_backend_only_after_it_was_added() -> None:
    gateway = v1()
    issued = issue.make_self_signed(FQDN, now=NOW, ca=False, dns_names=[FQDN])
    with servers.tls_server(issued) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway)
        assert found(gateway) == "E-AUTHCERT"
        allow(gateway, settings, issued.certificate)
        assert found(gateway) == ""


def test_003_7_v2_accepts_a_self_signed_authority_only_after_it_was_added() -> None:
    gateway = v2()
    issued = issue.make_self_signed(FQDN, now=NOW, ca=True, dns_names=[FQDN])
    with servers.tls_server(issued) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway)
        assert found(gateway) == "E-NOT-PUBLIC"
        trust(gateway, settings, issued.certificate)
        assert found(gateway) == ""


def test_003_7_v2_does_not_accept_a_self_signed_certificate_that_is_no_authority() -> None:
    gateway = v2()
    issued = issue.make_self_signed(FQDN, now=NOW, ca=False, dns_names=[FQDN])
    with servers.tls_server(issued) as server:
        add_backend(gateway, FQDN, server.port)
        trust(gateway, https(gateway), issued.certificate)
        assert found(gateway) == "E-INT-MISSING"


@pytest.mark.parametrize("make", [v1, v2])
def test_003_8_app_service_needs_no_certificate_on_either_tier(make: Any) -> None:
    gateway = make()
    name = "contoso-app.azurewebsites.test"
    app = issue.make_leaf(
        public_root(), "*.azurewebsites.test", now=NOW, dns_names=["*.azurewebsites.test"]
    )
    with servers.tls_server(app, [app.certificate, *app.chain]) as server:
        add_backend(gateway, name, server.port)
        https(gateway, name, **PICK)
        assert found(gateway) == ""
    assert only_verdict(gateway).evidence["anchor"]["origin"] == "lab-public"
    assert server.names == [name]
    assert f"Host: {name}" in server.requests[0]


def test_003_8_v1_without_the_switch_wants_even_an_app_service_s_certificate() -> None:
    gateway = v1()
    app = issue.make_leaf(public_root(), FQDN, now=NOW, dns_names=[FQDN])
    with servers.tls_server(app, [app.certificate, *app.chain]) as server:
        add_backend(gateway, FQDN, server.port)
        https(gateway)
        assert found(gateway) == "E-AUTHCERT"


def test_003_9_a_well_known_authority_and_a_fitting_name_need_no_upload() -> None:
    gateway = v2()
    leaf = issue.make_leaf(public_root(), "contoso.com", now=NOW)
    with servers.tls_server(leaf, [leaf.certificate, *leaf.chain]) as server:
        add_backend(gateway, FQDN, server.port)
        https(gateway, host_name="contoso.com")
        assert found(gateway) == ""
    assert server.names == ["contoso.com"]


def test_003_10_an_unknown_chain_needs_its_root_and_the_right_one() -> None:
    gateway = v2()
    leaf = factories.leaf(FQDN)
    with servers.tls_server(leaf, [leaf.certificate, *leaf.chain]) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway)
        assert found(gateway) == "E-NOT-PUBLIC"
        trust(gateway, settings, factories.root("Another Root CA").certificate)
        assert found(gateway) == "E-ROOT-MISMATCH"
        trust(gateway, settings, factories.root().certificate)
        assert found(gateway) == ""


def test_003_10_the_root_need_not_be_sent_but_must_have_signed() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway)
        assert found(gateway) == "E-INT-NOT-PUBLIC"
        trust(gateway, settings, factories.root("Another Root CA").certificate)
        assert found(gateway) == "E-ROOT-MISMATCH-NOROOT"
        trust(gateway, settings, factories.root().certificate)
        assert found(gateway) == ""


def test_003_11_the_certificate_must_carry_the_setting_s_host_which_is_the_sni() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf("shop.contoso.com")) as server:
        add_backend(gateway, FQDN, server.port)
        settings = https(gateway, host_name="www.contoso.com")
        trust(gateway, settings, factories.root().certificate)
        assert found(gateway) == "E-CN"
        message = only_verdict(gateway).message
        assert "www.contoso.com" in message
        assert "shop.contoso.com" in message
        factories.change(settings, host_name="shop.contoso.com")
        move_on(gateway)
        assert found(gateway) == ""
    assert server.names == ["www.contoso.com", "shop.contoso.com"]


def test_003_12_picking_the_host_name_sends_the_pool_s_fqdn() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        trust(gateway, https(gateway, **PICK), factories.root().certificate)
        assert found(gateway) == ""
    assert server.names == [FQDN]
    assert f"Host: {FQDN}" in server.requests[0]


def test_003_12_the_certificate_must_carry_the_pool_s_fqdn() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf("shop.contoso.com")) as server:
        add_backend(gateway, FQDN, server.port)
        trust(gateway, https(gateway, **PICK), factories.root().certificate)
        assert found(gateway) == "E-CN"


def test_003_13_picking_the_host_name_does_not_work_for_addresses() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        trust(gateway, https(gateway, ADDRESS, **PICK), factories.root().certificate)
        assert found(gateway) == "E-CN"
    assert server.names == [None]
    assert ADDRESS in only_verdict(gateway).message


def test_003_13_a_host_name_in_the_setting_cures_it() -> None:
    gateway = v2()
    with servers.tls_server(factories.leaf(FQDN)) as server:
        add_backend(gateway, FQDN, server.port)
        trust(gateway, https(gateway, ADDRESS, host_name=FQDN), factories.root().certificate)
        assert found(gateway) == ""


def test_each_member_of_a_pool_is_judged_by_its_own_certificate() -> None:
    gateway = v2()
    good, bad = (
        factories.leaf("good.contoso.test"),
        issue.make_self_signed(
            "bad.contoso.test", now=NOW, ca=True, dns_names=["bad.contoso.test"]
        ),
    )
    with servers.tls_server(good) as one, servers.tls_server(bad) as two:
        add_backend(gateway, "good.contoso.test", one.port)
        add_backend(gateway, "bad.contoso.test", two.port, address="10.0.1.5")
        settings = https(gateway)
        point_pool_at(gateway, "good.contoso.test", "bad.contoso.test")
        trust(gateway, settings, factories.root().certificate)
        sweep()
    ids = dict(Verdict.objects.values_list("address__fqdn", "error_id"))
    assert ids == {"good.contoso.test": "", "bad.contoso.test": "E-ROOT-MISMATCH"}
