"""The tables of server names and trust, row by row."""

from typing import Any

import pytest

from gateway.models import BackendAddress, BackendHttpSettings, Probe
from gateway.rules.names import Leg, ProbeLeg, live_leg, probe_leg, trust_of, uses_app_service
from tests import factories

FQDN = "backend.contoso.test"
IP = "10.0.1.4"


def a_probe(**fields: Any) -> Probe:
    return Probe(name="myProbe", protocol="Https", **fields)


def probing(
    target: str, probe: Probe | None = None, *, is_v1: bool = False, **settings: Any
) -> ProbeLeg:
    setting = BackendHttpSettings(**{"protocol": "Https", "port": 443, **settings})
    return probe_leg(setting, probe, address_of(target), is_v1=is_v1)


def living(target: str, host: str, *, is_v1: bool = False, **settings: Any) -> Leg:
    setting = BackendHttpSettings(**{"protocol": "Https", "port": 443, **settings})
    return live_leg(setting, address_of(target), host, is_v1=is_v1)


def address_of(target: str) -> BackendAddress:
    return BackendAddress(**{"ip_address" if target == IP else "fqdn": target})


PICK = {"pick_host_name_from_backend_address": True}

# target, probe, is v1, setting → SNI, checked name, Host header
PROBES = {
    "v1, FQDN": (FQDN, None, True, {}, FQDN, FQDN, "127.0.0.1"),
    "v1, IP": (IP, None, True, {}, None, None, "127.0.0.1"),
    "v1, a probe's host is only the header": (
        FQDN,
        {"host": "probe.contoso.com"},
        True,
        {},
        FQDN,
        FQDN,
        "probe.contoso.com",
    ),
    "v1, a setting's host is only the header": (
        FQDN,
        None,
        True,
        {"host_name": "www.contoso.com"},
        FQDN,
        FQDN,
        "www.contoso.com",
    ),
    "v1, picked from the address": (FQDN, None, True, PICK, FQDN, FQDN, FQDN),
    "v1, a probe that picks the setting's": (
        FQDN,
        {"pick_host_name_from_settings": True},
        True,
        {"host_name": "www.contoso.com"},
        FQDN,
        FQDN,
        "www.contoso.com",
    ),
    "v1, a probe's host for an IP": (
        IP,
        {"host": "probe.contoso.com"},
        True,
        {},
        None,
        None,
        "probe.contoso.com",
    ),
    "v1 knows no switches of HTTPS validation": (
        FQDN,
        None,
        True,
        {"sni_name": "sni.contoso.com", "validate_sni": False},
        FQDN,
        FQDN,
        "127.0.0.1",
    ),
    "v2, the probe names the host of an IP": (
        IP,
        {"host": "probe.contoso.com"},
        False,
        {},
        "probe.contoso.com",
        "probe.contoso.com",
        "probe.contoso.com",
    ),
    "v2, the probe picks and the setting has none": (
        FQDN,
        {"pick_host_name_from_settings": True},
        False,
        {},
        FQDN,
        FQDN,
        "127.0.0.1",
    ),
    "v2, the probe picks and nothing names the IP": (
        IP,
        {"pick_host_name_from_settings": True},
        False,
        {},
        None,
        "127.0.0.1",
        "127.0.0.1",
    ),
    "v2, the probe picks, the setting picks, an IP": (
        IP,
        {"pick_host_name_from_settings": True},
        False,
        PICK,
        None,
        IP,
        IP,
    ),
    "v2, the setting's host is an IP": (FQDN, None, False, {"host_name": IP}, None, IP, IP),
    "v2, an IP and sniName": (
        IP,
        None,
        False,
        {"sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        "127.0.0.1",
    ),
    "v2, a picked IP and sniName": (
        IP,
        None,
        False,
        {**PICK, "sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        IP,
    ),
    "v2, the name of an IP is not validated": (
        FQDN,
        {"host": IP},
        False,
        {"validate_sni": False},
        None,
        None,
        IP,
    ),
    "v2, the probe names the host": (
        FQDN,
        {"host": "probe.contoso.com"},
        False,
        {"host_name": "www.contoso.com"},
        "probe.contoso.com",
        "probe.contoso.com",
        "probe.contoso.com",
    ),
    "v2, the probe picks the setting's": (
        FQDN,
        {"pick_host_name_from_settings": True},
        False,
        {"host_name": "www.contoso.com"},
        "www.contoso.com",
        "www.contoso.com",
        "www.contoso.com",
    ),
    "v2, the probe picks and the setting picks": (
        FQDN,
        {"pick_host_name_from_settings": True},
        False,
        PICK,
        FQDN,
        FQDN,
        FQDN,
    ),
    "v2, the setting names the host": (
        FQDN,
        None,
        False,
        {"host_name": "www.contoso.com"},
        "www.contoso.com",
        "www.contoso.com",
        "www.contoso.com",
    ),
    "v2, the setting names the host of an IP": (
        IP,
        None,
        False,
        {"host_name": "www.contoso.com"},
        "www.contoso.com",
        "www.contoso.com",
        "www.contoso.com",
    ),
    "v2, only the pool has a name": (FQDN, None, False, {}, FQDN, FQDN, "127.0.0.1"),
    "v2, only the pool has a name, default probe picks it": (
        FQDN,
        None,
        False,
        PICK,
        FQDN,
        FQDN,
        FQDN,
    ),
    "v2, nothing named and an IP": (IP, None, False, {}, None, "127.0.0.1", "127.0.0.1"),
    "v2, an IP is picked": (IP, None, False, PICK, None, IP, IP),
    "v2, the probe's host is an IP": (FQDN, {"host": IP}, False, {}, None, IP, IP),
    "v2, sniName wins": (
        IP,
        {"host": "probe.contoso.com"},
        False,
        {"sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        "probe.contoso.com",
    ),
    "v2, sniName without validation counts for nothing": (
        FQDN,
        None,
        False,
        {"sni_name": "sni.contoso.com", "validate_sni": False},
        FQDN,
        None,
        "127.0.0.1",
    ),
    "v2, the name is not validated": (
        IP,
        None,
        False,
        {"validate_sni": False},
        None,
        None,
        "127.0.0.1",
    ),
    "a final dot is not sent": (f"{FQDN}.", None, False, {}, FQDN, FQDN, "127.0.0.1"),
    "plain HTTP names nothing": (
        FQDN,
        None,
        False,
        {"protocol": "Http", "host_name": "www.contoso.com"},
        None,
        None,
        "www.contoso.com",
    ),
}


@pytest.mark.parametrize(
    ("target", "probe", "is_v1", "settings", "sni", "checked", "host"),
    PROBES.values(),
    ids=PROBES.keys(),
)
def test_a_probe_sends_and_checks_the_name_of_the_table(
    target: str,
    probe: dict[str, Any] | None,
    is_v1: bool,
    settings: dict[str, Any],
    sni: str | None,
    checked: str | None,
    host: str,
) -> None:
    leg = probing(target, a_probe(**probe) if probe else None, is_v1=is_v1, **settings)
    assert (leg.sni, leg.checked_name, leg.host_header) == (sni, checked, host)
    assert leg.why.endswith(".")


LIVE = {
    "v1, FQDN": (FQDN, True, {}, FQDN, FQDN, "shop.contoso.com"),
    "v1, IP": (IP, True, {}, None, None, "shop.contoso.com"),
    "v2, overridden": (FQDN, False, {"host_name": "www.contoso.com"}, *["www.contoso.com"] * 3),
    "v2, picked": (FQDN, False, PICK, FQDN, FQDN, FQDN),
    "v2, picked from an IP": (IP, False, PICK, None, IP, IP),
    "v2, the client's host": (FQDN, False, {}, *["shop.contoso.com"] * 3),
    "v2, the client's host for an IP": (IP, False, {}, *["shop.contoso.com"] * 3),
    "v1, overridden": (FQDN, True, {"host_name": "www.contoso.com"}, FQDN, FQDN, "www.contoso.com"),
    "v1, picked": (FQDN, True, PICK, FQDN, FQDN, FQDN),
    "v1, picked from an IP": (IP, True, PICK, None, None, IP),
    "v1 knows no switches of HTTPS validation": (
        FQDN,
        True,
        {"sni_name": "sni.contoso.com", "validate_sni": False},
        FQDN,
        FQDN,
        "shop.contoso.com",
    ),
    "v2, overridden for an IP": (
        IP,
        False,
        {"host_name": "www.contoso.com"},
        *["www.contoso.com"] * 3,
    ),
    "v2, overridden by an IP": (FQDN, False, {"host_name": IP}, None, IP, IP),
    "v2, the name is not validated": (
        FQDN,
        False,
        {"validate_sni": False},
        "shop.contoso.com",
        None,
        "shop.contoso.com",
    ),
    "v2, sniName without validation counts for nothing": (
        FQDN,
        False,
        {"sni_name": "sni.contoso.com", "validate_sni": False},
        "shop.contoso.com",
        None,
        "shop.contoso.com",
    ),
    "v2, sniName for a picked IP": (
        IP,
        False,
        {**PICK, "sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        IP,
    ),
    "v2, sniName beside an override": (
        FQDN,
        False,
        {"host_name": "www.contoso.com", "sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        "www.contoso.com",
    ),
    "a final dot is not sent": (f"{FQDN}.", False, PICK, FQDN, FQDN, f"{FQDN}."),
    "v2, sniName": (
        FQDN,
        False,
        {"sni_name": "sni.contoso.com"},
        "sni.contoso.com",
        "sni.contoso.com",
        "shop.contoso.com",
    ),
    "plain HTTP": (FQDN, False, {"protocol": "Http"}, None, None, "shop.contoso.com"),
}


@pytest.mark.parametrize(
    ("target", "is_v1", "settings", "sni", "checked", "host"), LIVE.values(), ids=LIVE.keys()
)
def test_live_traffic_sends_and_checks_the_name_of_the_table(
    target: str,
    is_v1: bool,
    settings: dict[str, Any],
    sni: str | None,
    checked: str | None,
    host: str,
) -> None:
    leg = living(target, "shop.contoso.com", is_v1=is_v1, **settings)
    assert (leg.sni, leg.checked_name, leg.host_header) == (sni, checked, host)


def test_a_client_that_asks_for_an_address_sends_no_server_name() -> None:
    leg = living(FQDN, IP)
    assert leg.sni is None
    assert leg.name_is_address
    assert "never sent" in leg.why


def test_a_name_is_no_address() -> None:
    assert not probing(FQDN).name_is_address
    assert probing(IP).name_is_address
    assert not probing(IP, is_v1=True).name_is_address


def test_an_ipv6_address_stands_in_brackets_in_a_host_header() -> None:
    setting = BackendHttpSettings(protocol="Http", port=80, **PICK)
    address = BackendAddress(ip_address="fd00::4")
    assert probe_leg(setting, None, address, is_v1=False).host_header == "[fd00::4]"
    assert live_leg(setting, address, "x", is_v1=False).host_header == "[fd00::4]"
    for host in ("[fd00::4]", "www.contoso.com", "*"):
        other = BackendHttpSettings(protocol="Http", port=80)
        assert live_leg(other, address, host, is_v1=False).host_header == host


def test_the_default_probe_asks_the_setting_s_port_with_the_documented_times() -> None:
    leg = probing(FQDN, port=8443)
    assert (leg.scheme, leg.port, leg.path) == ("https", 8443, "/")
    assert (leg.interval, leg.timeout, leg.threshold) == (30, 30, 3)
    assert leg.status_codes == ("200-399",)
    assert leg.body == ""


def test_a_custom_probe_brings_its_own_path_times_and_conditions() -> None:
    probe = a_probe(
        host="www.contoso.com",
        path="/health",
        port=8080,
        interval=5,
        timeout=4,
        unhealthy_threshold=2,
        match_body="fine",
        match_status_codes=["200", "401-403"],
    )
    leg = probing(FQDN, probe)
    assert (leg.port, leg.path, leg.interval, leg.timeout, leg.threshold) == (
        8080,
        "/health",
        5,
        4,
        2,
    )
    assert (leg.status_codes, leg.body) == (("200", "401-403"), "fine")


def test_v1_ignores_the_port_of_a_probe() -> None:
    probe = a_probe(host="www.contoso.com", port=8080)
    assert probing(FQDN, probe, is_v1=True).port == 443


def test_live_traffic_takes_the_setting_s_path_and_time_out() -> None:
    leg = living(FQDN, "shop.contoso.com", path="/app/", request_timeout=7)
    assert (leg.path, leg.timeout, leg.port) == ("/app/", 7, 443)


@pytest.mark.parametrize(
    ("fields", "has_certificates", "is_v1", "expected"),
    [
        ({"protocol": "Https", **PICK}, False, True, True),
        ({"protocol": "Https", **PICK}, True, True, False),
        ({"protocol": "Https", **PICK}, False, False, False),
        ({"protocol": "Https"}, False, True, False),
        ({"protocol": "Http", **PICK}, False, True, False),
    ],
)
def test_use_for_app_service_is_derived(
    fields: dict[str, Any], has_certificates: bool, is_v1: bool, expected: bool
) -> None:
    setting = BackendHttpSettings(**fields)
    found = uses_app_service(setting, has_certificates=has_certificates, is_v1=is_v1)
    assert found is expected


@pytest.mark.django_db
def test_v1_trusts_exactly_the_uploaded_certificates() -> None:
    gateway = factories.v1_gateway()
    one = factories.add_authentication_certificate(gateway, "one")
    settings = factories.add_settings(gateway, "mine", protocol="Https", authentication=[one])
    trust = trusted_by(gateway, settings.name)
    assert trust.kind == "pinned"
    assert [(t.name, t.certificate.der) for t in trust.certificates] == [
        ("one", factories.leaf().certificate.der)
    ]


@pytest.mark.django_db
def test_v1_without_certificates_trusts_nothing_unless_it_is_for_app_service() -> None:
    gateway = factories.v1_gateway()
    factories.add_settings(gateway, "bare", protocol="Https")
    factories.add_settings(gateway, "app", protocol="Https", **PICK)
    assert trusted_by(gateway, "bare").kind == "pinned"
    assert trusted_by(gateway, "bare").certificates == ()
    assert trusted_by(gateway, "app").kind == "app-service"


@pytest.mark.django_db
def test_v2_trusts_its_roots_and_without_any_the_well_known_ones() -> None:
    gateway = factories.v2_gateway()
    root = factories.add_root(gateway, "myRoot")
    factories.add_settings(gateway, "own", protocol="Https", roots=[root])
    factories.add_settings(gateway, "public", protocol="Https", validate_sni=False)
    assert trusted_by(gateway, "own").kind == "roots"
    assert [one.name for one in trusted_by(gateway, "own").certificates] == ["myRoot"]
    public = trusted_by(gateway, "public")
    assert (public.kind, public.validate_chain, public.validate_name) == ("well-known", True, False)


@pytest.mark.django_db
@pytest.mark.parametrize("tier", ["v1", "v2"])
def test_only_v2_can_switch_off_the_check_of_chain_and_expiry(tier: str) -> None:
    gateway = factories.v1_gateway() if tier == "v1" else factories.v2_gateway()
    switches = {"validate_cert_chain_and_expiry": False, "validate_sni": False}
    factories.add_settings(gateway, "lax", protocol="Https", **switches)
    trust = trusted_by(gateway, "lax")
    assert (trust.validate_chain, trust.validate_name) == ((tier == "v1"),) * 2


@pytest.mark.django_db
def test_a_root_that_is_only_a_reference_trusts_nothing() -> None:
    gateway = factories.v2_gateway()
    root = factories.add_root(gateway, "vault")
    factories.change(root, certificate=None, data=None, key_vault_secret_id="https://vault/x")
    factories.add_settings(gateway, "own", protocol="Https", roots=[root])
    trust = trusted_by(gateway, "own")
    assert (trust.kind, trust.certificates) == ("roots", ())


@pytest.mark.django_db
def test_plain_http_trusts_and_checks_nothing() -> None:
    trust = trusted_by(factories.v2_gateway(), factories.SETTINGS)
    assert (trust.kind, trust.validate_chain, trust.validate_name) == ("none", False, False)


def trusted_by(gateway: Any, name: str) -> Any:
    loaded = factories.loaded(gateway)
    settings = loaded.find(BackendHttpSettings, name)
    assert settings is not None
    return trust_of(loaded, settings)
