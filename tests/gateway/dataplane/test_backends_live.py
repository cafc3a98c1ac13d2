"""Backends through a real Envoy: trust, names, pins, time-outs, what is never reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from certificates.x509.facts.certificate import Certificate
from certificates.x509.issuing import issue
from gateway.dataplane.forbidden import Forbidden
from gateway.dataplane.inputs import Member
from gateway.models import ApplicationGateway, BackendAddress, BackendHttpSettings
from tests import factories as make
from tests.gateway.dataplane.engine import running
from tests.gateway.dataplane.sites import TODAY, Answer, Traffic, ask, bare_leaf, leaf, root
from tests.servers import answer, http_server, refusing_port, silent_server, tls_server

pytestmark = pytest.mark.django_db

NAME = "app.internal"


def settings_of(gateway: ApplicationGateway, **fields: Any) -> BackendHttpSettings:
    return make.change(
        BackendHttpSettings.objects.get(gateway=gateway, name=make.SETTINGS), **fields
    )


def v2_trusting(certificate: Certificate | None, **fields: Any) -> ApplicationGateway:
    """A gateway whose only setting speaks HTTPS with a host name override to app.internal."""
    gateway = make.v2_gateway()
    settings = settings_of(
        gateway, **{"protocol": "Https", "port": 443, "host_name": NAME, **fields}
    )
    if certificate is not None:
        make.trust(settings, roots=[make.add_root(gateway, "root", certificate)])
    return gateway


def v1_trusting(
    *certificates: Certificate, target: str = NAME, **fields: Any
) -> ApplicationGateway:
    gateway = make.v1_gateway()
    settings = settings_of(gateway, **{"protocol": "Https", "port": 443, **fields})
    make.trust(
        settings,
        authentication=[
            make.add_authentication_certificate(gateway, f"auth{number}", one)
            for number, one in enumerate(certificates)
        ],
    )
    address = BackendAddress.objects.get(pool__gateway=gateway)
    literal = target.replace(".", "").isdigit()
    make.change(address, **({"ip_address": target, "fqdn": ""} if literal else {"fqdn": target}))
    return gateway


def answered(
    gateway: ApplicationGateway,
    port: int,
    accepted: Certificate | None = None,
    well_known: tuple[Certificate, ...] = (),
    host: str = "www.contoso.com",
) -> tuple[Answer, dict[str, Any]]:
    """The answer to one request whose backend is at ``port``, and its line in the log."""
    traffic = Traffic(gateway, well_known=well_known)
    traffic.everyone(port, accepted)
    with running(traffic.compile()) as engine:
        found = ask(traffic.port(80), host)
        return found, engine.lines(1)[0]


def expired(*names: str) -> issue.Issued:
    return issue.make_leaf(root(), names[0], now=TODAY - timedelta(days=9), days=1, dns_names=names)


def expired_alone(name: str) -> issue.Issued:
    """A self-signed certificate of the past."""
    then = TODAY - timedelta(days=9)
    return issue.make_self_signed(name, now=then, days=1, ca=False, dns_names=[name])


def test_v2_takes_only_chains_to_its_roots_with_the_name():
    other = issue.make_root("Other", now=TODAY)
    cases: list[tuple[issue.Issued, list[Certificate] | None, int, str]] = [
        (leaf(NAME), None, 200, ""),
        (leaf("*.internal"), None, 200, ""),
        (leaf(NAME), [leaf(NAME).certificate], 502, "unable_to_get_local_issuer"),
        (leaf("other.internal"), None, 502, "SAN_matcher"),
        (issue.make_leaf(other, NAME, now=TODAY, dns_names=[NAME]), None, 502, "unable_to_get"),
        (expired(NAME), None, 502, "certificate_has_expired"),
        (issue.make_self_signed(NAME, now=TODAY, ca=True, dns_names=[NAME]), None, 502, "self"),
        (bare_leaf(NAME), None, 502, "SAN_matcher"),
    ]
    gateway = v2_trusting(root().certificate)
    traffic = Traffic(gateway)
    with running(traffic.compile()) as engine:
        for number, (issued, chain, status, reason) in enumerate(cases, start=1):
            with tls_server(issued, chain) as backend:
                traffic.everyone(backend.port)
                engine.write(traffic.compile())
                engine.wait_until_live()
                found = ask(traffic.port(80))
                line = engine.lines(number)[-1]
            assert found.status == status, issued
            assert reason in (line["reason"] or ""), line
            assert set(backend.names) == {NAME}


def test_a_common_name_alone_is_pinned_after_the_prober_accepted_it():
    gateway = v2_trusting(root().certificate)
    right, renewed = bare_leaf(NAME), issue.make_leaf(root(), NAME, now=TODAY)
    with tls_server(right) as backend:
        found, _ = answered(gateway, backend.port, right.certificate)
        assert found.status == 200
    with tls_server(renewed) as backend:
        # The server renewed its certificate and was not probed since.
        found, line = answered(gateway, backend.port, right.certificate)
        assert (found.status, "cert_hash" in line["reason"]) == (502, True)
    with tls_server(right) as backend:
        # The name is checked for the pin as well.
        settings_of(gateway, host_name="other.internal")
        found, _ = answered(gateway, backend.port, right.certificate)
        assert found.status == 502


def test_a_pin_does_not_replace_the_chain():
    gateway = v2_trusting(issue.make_root("Other", now=TODAY).certificate)
    with tls_server(bare_leaf(NAME)) as backend:
        found, line = answered(gateway, backend.port, bare_leaf(NAME).certificate)
    assert (found.status, "unable_to_get" in line["reason"]) == (502, True)


def test_with_the_chain_unchecked_only_the_accepted_certificate_is_reached():
    gateway = v2_trusting(None, validate_cert_chain_and_expiry=False)
    old = expired(NAME)
    with tls_server(old) as backend:
        assert answered(gateway, backend.port, old.certificate)[0].status == 200
        assert answered(gateway, backend.port, leaf(NAME).certificate)[0].status == 502
        assert answered(gateway, backend.port, None)[0].status == 502
        settings_of(gateway, host_name="other.internal")
        assert answered(gateway, backend.port, old.certificate)[0].status == 502
        settings_of(gateway, validate_sni=False)
        assert answered(gateway, backend.port, old.certificate)[0].status == 200
        assert backend.names[-1] == "other.internal"


def test_with_the_chain_unchecked_a_clients_name_is_still_checked():
    gateway = v2_trusting(None, validate_cert_chain_and_expiry=False, host_name="")
    old = expired(NAME)
    with tls_server(old) as backend:
        assert answered(gateway, backend.port, old.certificate, host=NAME)[0].status == 200
        assert answered(gateway, backend.port, old.certificate)[0].status == 502
        assert answered(gateway, backend.port, leaf(NAME).certificate, host=NAME)[0].status == 502
    with tls_server(bare_leaf(NAME)) as backend:
        accepted = bare_leaf(NAME).certificate
        assert answered(gateway, backend.port, accepted, host=NAME)[0].status == 502


def test_with_the_name_unchecked_the_chain_still_is():
    gateway = v2_trusting(root().certificate, validate_sni=False)
    with tls_server(leaf("other.internal")) as backend:
        assert answered(gateway, backend.port)[0].status == 200
    with tls_server(issue.make_self_signed(NAME, now=TODAY, ca=True)) as backend:
        assert answered(gateway, backend.port)[0].status == 502


def test_the_name_of_a_setting_is_sent_and_checked():
    gateway = v2_trusting(root().certificate, host_name="", sni_name="named.internal")
    with tls_server(leaf("named.internal")) as backend:
        found, _ = answered(gateway, backend.port)
    assert found.status == 200
    assert backend.names == ["named.internal"]
    assert "host: www.contoso.com" in backend.requests[0].lower()


def test_an_address_as_name_matches_nothing():
    gateway = v2_trusting(root().certificate, host_name="10.0.0.4")
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port)[0].status == 502
    gateway = make.v2_gateway(name="picking")
    settings = settings_of(
        gateway, protocol="Https", port=443, pick_host_name_from_backend_address=True
    )
    make.trust(settings, roots=[make.add_root(gateway, "root", root().certificate)])
    address = BackendAddress.objects.get(pool__gateway=gateway)
    make.change(address, fqdn="", ip_address="10.0.1.4")
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port)[0].status == 502


def test_well_known_roots_are_those_of_the_store():
    gateway = v2_trusting(None)
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port, well_known=(root().certificate,))[0].status == 200
        other = issue.make_root("Other", now=TODAY).certificate
        assert answered(gateway, backend.port, well_known=(other,))[0].status == 502
        assert answered(gateway, backend.port)[0].status == 502


def test_an_intermediate_among_the_roots_is_not_believed():
    above = issue.make_intermediate(root(), "Between", now=TODAY)
    issued = issue.make_leaf(above, NAME, now=TODAY, dns_names=[NAME])
    gateway = v2_trusting(above.certificate)
    with tls_server(issued) as backend:
        assert answered(gateway, backend.port)[0].status == 502


def test_v1_takes_exactly_the_listed_certificates():
    listed = issue.make_self_signed(NAME, now=TODAY, ca=False)
    issued, other = leaf(NAME), leaf(NAME, "second.internal")
    gateway = v1_trusting(listed.certificate, issued.certificate)
    for one, chain, status in (
        (listed, None, 200),
        (issued, None, 200),
        (issued, [issued.certificate], 200),
        (other, None, 502),
    ):
        with tls_server(one, chain) as backend:
            assert answered(gateway, backend.port)[0].status == status
            assert set(backend.names) == {NAME}


def test_v1_checks_name_and_dates_but_not_what_a_certificate_is_meant_for():
    elsewhere = leaf("elsewhere.internal")
    meant = issue.make_leaf(root(), NAME, now=TODAY, dns_names=[NAME], purposes=("client",))
    for one, target, status in (
        (elsewhere, NAME, 502),
        (elsewhere, "10.0.1.4", 200),
        (expired(NAME), NAME, 502),
        (expired_alone(NAME), NAME, 502),
        (meant, NAME, 200),
    ):
        gateway = v1_trusting(one.certificate, target=target, host_name="header.only")
        with tls_server(one) as backend:
            assert answered(gateway, backend.port)[0].status == status
            assert set(backend.names) == {None if target != NAME else NAME}


def test_v1_does_not_judge_what_is_sent_beside_the_certificate():
    then = TODAY - timedelta(days=9)
    old = issue.make_intermediate(root(), "Old Issuing", now=then, days=1)
    issued = issue.make_leaf(old, NAME, now=TODAY, dns_names=[NAME])
    gateway = v1_trusting(issued.certificate)
    with tls_server(issued) as backend:
        assert answered(gateway, backend.port, issued.certificate)[0].status == 200


def test_v1_for_app_service_wants_a_well_known_root_and_the_name():
    gateway = v1_trusting(pick_host_name_from_backend_address=True)
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port, well_known=(root().certificate,))[0].status == 200
        assert answered(gateway, backend.port)[0].status == 502
    with tls_server(leaf("other.internal")) as backend:
        assert answered(gateway, backend.port, well_known=(root().certificate,))[0].status == 502
    gateway = v1_trusting(pick_host_name_from_backend_address=True, target="10.0.1.4")
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port, well_known=(root().certificate,))[0].status == 502


def test_v1_without_certificates_reaches_nobody():
    gateway = v1_trusting()
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port, leaf(NAME).certificate)[0].status == 502


def test_members_of_one_pool_may_show_different_certificates():
    gateway = v2_trusting(root().certificate)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    second = make.add_row(BackendAddress, pool=address.pool, fqdn="b.internal", position=1)
    third = make.add_row(BackendAddress, pool=address.pool, fqdn="c.internal", position=2)
    settings = settings_of(gateway)
    with (
        tls_server(leaf(NAME), reply=answer(body=b"san")) as one,
        tls_server(bare_leaf(NAME), reply=answer(body=b"cn")) as two,
        tls_server(issue.make_leaf(root(), NAME, now=TODAY)) as three,
    ):
        traffic = Traffic(gateway)
        traffic.member(settings, address, one.port, leaf(NAME).certificate)
        traffic.member(settings, second, two.port, bare_leaf(NAME).certificate)
        # The third shows another certificate than the one that was accepted.
        traffic.member(settings, third, three.port, bare_leaf(NAME).certificate)
        with running(traffic.compile()):
            found = [ask(traffic.port(80)).body for _ in range(9)]
    assert {"san", "cn"} <= set(found)
    assert "fine" not in found


def test_servers_that_are_not_healthy_get_no_traffic():
    gateway = make.v2_gateway()
    settings = settings_of(gateway)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    second = make.add_row(BackendAddress, pool=address.pool, fqdn="b.internal", position=1)
    with http_server() as good, http_server() as bad:
        traffic = Traffic(gateway)
        traffic.member(settings, address, good.port)
        traffic.member(settings, second, bad.port, status="unhealthy")
        with running(traffic.compile()) as engine:
            port = traffic.port(80)
            assert [ask(port).status for _ in range(4)] == [200] * 4
            for status in ("unhealthy", "unknown"):
                traffic.member(settings, address, good.port, status=status)
                engine.write(traffic.compile())
                engine.wait_until_live()
                assert ask(port).status == 502
            line = engine.lines(6)[-1]
    assert bad.requests == []
    assert (line["flags"], line["details"]) == ("UH", "no_healthy_upstream")


def test_a_stopped_gateway_answers_502():
    gateway = make.v2_gateway(operational_state="Stopped")
    with http_server() as backend:
        found, _ = answered(gateway, backend.port)
    assert (found.status, backend.requests) == (502, [])
    assert found.headers["server"] == "Microsoft-Azure-Application-Gateway/v2"


@pytest.mark.parametrize(("v1", "status"), [(False, 504), (True, 502)])
def test_a_backend_that_takes_too_long_is_given_up(v1: bool, status: int):
    gateway = make.v1_gateway() if v1 else make.v2_gateway()
    settings_of(gateway, request_timeout=1)
    with silent_server() as backend:
        found, line = answered(gateway, backend.port)
    assert found.status == status
    assert ("Server Error" in found.body) == v1
    assert line["httpStatus"] == status


def test_a_refused_connection_and_a_broken_one_are_502():
    gateway = make.v2_gateway()
    with refusing_port() as port:
        found, line = answered(gateway, port)
        assert (found.status, "Connection_refused" in line["reason"]) == (502, True)
    with tls_server(leaf(NAME)) as backend:
        assert answered(gateway, backend.port)[0].status == 502
    gateway = v2_trusting(root().certificate)
    make.change(gateway, name="other")
    with http_server() as backend:
        assert answered(gateway, backend.port)[0].status == 502


def test_a_second_server_is_tried_where_the_first_refuses():
    gateway = make.v2_gateway()
    settings = settings_of(gateway)
    address = BackendAddress.objects.get(pool__gateway=gateway)
    second = make.add_row(BackendAddress, pool=address.pool, fqdn="b.internal", position=1)
    with http_server() as good, refusing_port() as port:
        traffic = Traffic(gateway)
        traffic.member(settings, address, good.port)
        traffic.member(settings, second, port)
        with running(traffic.compile()):
            methods = ["GET", "POST"] * 6
            found = [ask(traffic.port(80), method=method).status for method in methods]
            assert found == [200] * len(methods)


def test_a_cookie_keeps_a_client_at_its_server():
    gateway = make.v2_gateway()
    settings = settings_of(gateway, cookie_based_affinity="Enabled")
    address = BackendAddress.objects.get(pool__gateway=gateway)
    second = make.add_row(BackendAddress, pool=address.pool, fqdn="b.internal", position=1)
    with (
        http_server(answer(body=b"one")) as one,
        http_server(answer(body=b"two")) as two,
    ):
        traffic = Traffic(gateway)
        traffic.member(settings, address, one.port)
        traffic.member(settings, second, two.port)
        with running(traffic.compile()):
            port = traffic.port(80)
            first = ask(port)
            plain, other_sites = sorted(first.cookies, key=len)
            assert plain.startswith("ApplicationGatewayAffinity=")
            assert other_sites.startswith("ApplicationGatewayAffinityCORS=")
            assert "SameSite" not in plain
            assert {"SameSite=None", "Secure"} <= set(other_sites.split("; "))
            for cookie in (plain, other_sites):
                kept = {"Cookie": cookie.partition(";")[0]}
                assert {ask(port, headers=kept).body for _ in range(6)} == {first.body}
            both = {"Cookie": "; ".join(one.partition(";")[0] for one in first.cookies)}
            again = [ask(port, headers=both) for _ in range(6)]
            assert {(one.body, one.cookies) for one in again} == {(first.body, ())}
            assert {ask(port).body for _ in range(6)} == {"one", "two"}


def test_forbidden_networks_are_refused_by_the_guard_and_by_the_compiler():
    gateway = make.v2_gateway()
    with http_server() as backend:
        traffic = Traffic(gateway)
        traffic.everyone(backend.port)
        traffic.forbidden = (Forbidden("127.0.0.0", 8, backend.port),)
        with running(traffic.compile()) as engine:
            found = ask(traffic.port(80))
            line = engine.lines(1)[0]
        assert (found.status, line["httpStatus"]) == (502, 502)
        assert "forbidden" in line["details"]
        for key in traffic.members:
            traffic.members[key] = Member("healthy", None)
        compiled = traffic.compile()
    assert backend.requests == []
    assert [note.kind.id for note in compiled.notes] == ["engine-address-forbidden"]
    assert str(backend.port) not in str(compiled.clusters[0]["load_assignment"])


def test_nothing_secret_is_told_by_the_engine():
    gateway = make.v2_gateway()
    stored = make.add_ssl_certificate(gateway, "cert", leaf("www.contoso.com"))
    listener = make.add_listener(
        gateway, "https", port=443, protocol="Https", ssl_certificate=stored
    )
    make.add_rule(gateway, "https", listener)
    traffic = Traffic(gateway)
    with running(traffic.compile()) as engine:
        told = engine.admin("/config_dump?include_eds") + engine.told()
        keys = [one for one in (engine.folder / "files").iterdir() if one.suffix == ".key"]
    assert "PRIVATE KEY" not in told
    assert len(keys) == 1
