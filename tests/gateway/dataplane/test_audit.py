"""The audit finds what must never be in a compiled document."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from gateway.dataplane.audit import AuditError, check, faults
from gateway.dataplane.compile import compile_gateway
from gateway.dataplane.inputs import Inputs
from tests.gateway.dataplane.cases import CASES
from tests.gateway.dataplane.drawn import drawn_inputs

Documents = tuple[list[Any], list[Any]]
Break = Callable[[list[Any], list[Any]], None]


def documents(name: str) -> Documents:
    found = CASES[name]().compile()
    return copy.deepcopy(list(found.listeners)), copy.deepcopy(list(found.clusters))


def context(clusters: list[Any]) -> Any:
    return clusters[0]["transport_socket"]["typed_config"]


def validation(clusters: list[Any]) -> Any:
    return context(clusters)["common_tls_context"]["validation_context"]


def chain(listeners: list[Any], name: str) -> Any:
    found = [
        one
        for listener in listeners
        for one in (*listener["filter_chains"], listener.get("default_filter_chain"))
        if one and one["name"] == name
    ]
    return found[-1]


def manager(listeners: list[Any], name: str) -> Any:
    return chain(listeners, name)["filters"][-1]["typed_config"]


def options(clusters: list[Any]) -> Any:
    (found,) = clusters[0]["typed_extension_protocol_options"].values()
    return found


ROOTS = "backend_by_root_and_override"
CLIENT = "backend_by_the_clients_name"
PINNED = "backend_pinned_by_its_common_name"
UNCHAINED = "backend_without_a_check_of_the_chain_by_the_clients_name"
MANY = "backends_with_different_certificates"
STRICT = "clients_strict"
PASSING = "clients_passed_through"

BACKENDS: dict[str, tuple[str, Callable[[list[Any]], object]]] = {
    "no TLS at all": (ROOTS, lambda one: one[0].pop("transport_socket")),
    "another kind of socket": (ROOTS, lambda one: context(one).update({"@type": "x.RawBuffer"})),
    "accepting untrusted": (
        ROOTS,
        lambda one: validation(one).update(trust_chain_verification="ACCEPT_UNTRUSTED"),
    ),
    "the system's roots": (ROOTS, lambda one: validation(one).update(system_root_certs={})),
    "nothing to validate by": (ROOTS, lambda one: validation(one).clear()),
    "no validation": (ROOTS, lambda one: context(one)["common_tls_context"].clear()),
    "no name": (ROOTS, lambda one: context(one).pop("auto_sni_san_validation")),
    "a name that is not sent": (ROOTS, lambda one: context(one).pop("sni")),
    "expired": (ROOTS, lambda one: validation(one).update(allow_expired_certificate=True)),
    "resumption": (ROOTS, lambda one: context(one).pop("max_session_keys")),
    "DNS": (ROOTS, lambda one: one[0].update(type="STRICT_DNS")),
    "panic": (ROOTS, lambda one: one[0].pop("common_lb_config")),
    "no codec": (ROOTS, lambda one: options(one).update(http_filters=[])),
    "a guard that lets in": (
        ROOTS,
        lambda one: options(one)["http_filters"].insert(
            0, {"typed_config": {"@type": "envoy.RBAC", "rules": {"action": "ALLOW"}}}
        ),
    ),
    "a client's address for a name": (
        CLIENT,
        lambda one: options(one)["upstream_http_protocol_options"].pop("auto_san_validation"),
    ),
    "a client's name that is not sent": (
        CLIENT,
        lambda one: options(one).pop("upstream_http_protocol_options"),
    ),
    "a pin without the chain": (PINNED, lambda one: validation(one).pop("trusted_ca")),
    "a chain without its pin": (PINNED, lambda one: validation(one).pop("verify_certificate_hash")),
    "an unchecked chain without its pin": (
        UNCHAINED,
        lambda one: validation(one).pop("verify_certificate_hash"),
    ),
    "a server without its socket": (MANY, lambda one: one[0]["transport_socket_matches"].pop()),
    "a server without its tag": (
        MANY,
        lambda one: one[0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0].pop("metadata"),
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_that_would_be_believed_is_found(name: str):
    case, spoil = BACKENDS[name]
    listeners, clusters = documents(case)
    assert list(faults(listeners, clusters)) == []
    spoil(clusters)
    assert list(faults(listeners, clusters))
    with pytest.raises(AuditError):
        check(listeners, clusters)


def lead_around(listeners: list[Any]) -> None:
    hosts = manager(listeners, "secure")["route_config"]["virtual_hosts"]
    manager(listeners, "open")["route_config"]["virtual_hosts"][:0] = hosts[:1]


def mutations(listeners: list[Any], name: str) -> Any:
    return manager(listeners, name)["early_header_mutation_extensions"][0]["typed_config"][
        "mutations"
    ]


def keep_header(listeners: list[Any], name: str) -> None:
    found = mutations(listeners, name)
    found[:] = [one for one in found if one.get("remove") != "x-client"]


def take_from_client(listeners: list[Any]) -> None:
    route = manager(listeners, "/plain")["route_config"]["virtual_hosts"][0]["routes"][-1]
    header = {"key": "x-new", "value": "%DOWNSTREAM_PEER_SUBJECT%"}
    route["request_headers_to_add"] = [{"header": header}]


def take_by_way_of_another(listeners: list[Any]) -> None:
    route = manager(listeners, "passing")["route_config"]["virtual_hosts"][0]["routes"][-1]
    found = route["typed_per_filter_config"]["envoy.filters.http.header_mutation"]["mutations"]
    header = {"key": "x-second", "value": "%REQ(x-client)%"}
    found["request_mutations"].append({"append": {"header": header}})


LISTENERS: dict[str, tuple[str, Callable[[list[Any]], object]]] = {
    "another site's table": (STRICT, lead_around),
    "no filter": (STRICT, lambda one: manager(one, "secure")["http_filters"].pop(0)),
    "no filter at the default": (
        STRICT,
        lambda one: manager(one, "/default")["http_filters"].pop(0),
    ),
    "a filter too late": (
        STRICT,
        lambda one: manager(one, "secure")["http_filters"].reverse(),
    ),
    "only watching": (
        STRICT,
        lambda one: manager(one, "secure")["http_filters"][0]["typed_config"].pop("rules"),
    ),
    "a way past the certificate": (
        STRICT,
        lambda one: manager(one, "secure")["http_filters"][0]["typed_config"]["rules"]["policies"][
            "validated"
        ]["principals"].append({"any": True}),
    ),
    "no certificate asked for": (
        STRICT,
        lambda one: chain(one, "/default")["transport_socket"]["typed_config"][
            "common_tls_context"
        ].pop("validation_context"),
    ),
    "a forwarded certificate": (
        STRICT,
        lambda one: manager(one, "secure").update(forward_client_cert_details="FORWARD_ONLY"),
    ),
    "a route of nobody": (
        STRICT,
        lambda one: manager(one, "secure")["route_config"]["virtual_hosts"][0]["routes"][-1].pop(
            "metadata"
        ),
    ),
    "a header that a client brings": (PASSING, lambda one: keep_header(one, "passing")),
    "a header brought to another listener": (PASSING, lambda one: keep_header(one, "/plain")),
    "a new header": (PASSING, take_from_client),
    "a header copied on": (PASSING, take_by_way_of_another),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", LISTENERS)
def test_a_listener_that_could_be_got_around_is_found(name: str):
    case, spoil = LISTENERS[name]
    listeners, clusters = documents(case)
    assert list(faults(listeners, clusters)) == []
    spoil(listeners)
    assert list(faults(listeners, clusters))


@given(drawn_inputs())
def test_no_gateway_at_all_compiles_to_something_unsafe(inputs: Inputs):
    found = compile_gateway(inputs)
    assert list(faults(found.listeners, found.clusters)) == []
    assert found.digest == compile_gateway(inputs).digest
