"""Which TLS policy is in force."""

from __future__ import annotations

import pytest

from gateway.document.tables.policies import ssl_policy
from gateway.models import ApplicationGateway, HttpListener, SslProfile
from gateway.models.policies import CIPHER_SUITES, PREDEFINED, TLS13_SUITES, VERSIONS
from gateway.rules.policies import RETIRED_SUITES
from gateway.rules.tls import own_policy, policy_of
from tests import factories as make
from tests.factories import loaded, v1_gateway, v2_gateway


def test_the_predefined_policies_have_as_many_suites_as_the_article_lists():
    counts = {
        name.removeprefix("AppGwSslPolicy"): len(policy.suites)
        for name, policy in PREDEFINED.items()
    }
    assert counts == {
        "20150501": 28,
        "20170401": 16,
        "20170401S": 16,
        "20220101": 10,
        "20220101S": 6,
    }
    assert len(set(CIPHER_SUITES)) == 28


def test_twelve_suites_are_retired_from_custom_policies():
    # Two with ECDHE_RSA, four with DHE_RSA, four with DHE_DSS and AES, two with 3DES.
    assert len(RETIRED_SUITES) == 12


def test_a_policy_speaks_the_versions_from_its_minimum_on():
    old = ApplicationGateway(ssl_policy_type="Custom", ssl_min_protocol_version="TLSv1_1")
    new = ApplicationGateway(ssl_policy_type="CustomV2", ssl_min_protocol_version="TLSv1_2")
    assert own_policy(old).versions == ("TLSv1_1", "TLSv1_2")
    assert own_policy(new).versions == ("TLSv1_2", "TLSv1_3")
    assert own_policy(new).speaks_tls13
    assert not own_policy(old).speaks_tls13


def test_the_suites_of_tls13_come_by_themselves_and_only_once():
    policy = own_policy(
        SslProfile(
            ssl_policy_type="CustomV2",
            ssl_min_protocol_version="TLSv1_2",
            ssl_cipher_suites=["TLS_AES_256_GCM_SHA384", CIPHER_SUITES[0]],
        )
    )
    assert policy.suites == (
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        CIPHER_SUITES[0],
    )


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"ssl_policy_type": "Predefined", "ssl_policy_name": "none"},
        {"ssl_policy_type": "Custom", "ssl_min_protocol_version": "SSLv3"},
        {"ssl_policy_type": "Whatever"},
    ],
)
def test_a_policy_that_cannot_be_read_is_none(broken):
    assert own_policy(ApplicationGateway(**broken)) is None


@pytest.mark.django_db
def test_the_default_depends_on_the_generation():
    assert policy_of(loaded(v1_gateway())).name == "AppGwSslPolicy20170401S"
    assert policy_of(loaded(v2_gateway())).name == "AppGwSslPolicy20220101"


@pytest.mark.django_db
def test_a_profile_overrides_the_gateway_for_its_listeners():
    gateway = v2_gateway(ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20220101")
    strict = make.add_profile(
        gateway, "p", ssl_policy_type="Predefined", ssl_policy_name="AppGwSslPolicy20220101S"
    )
    plain = make.add_profile(gateway, "q")
    for name, profile in (("strict", strict), ("plain", plain)):
        make.add_listener(gateway, name, port=443, ssl_profile=profile)
    everything = loaded(gateway)
    names = {
        listener.name: policy_of(everything, listener).name
        for listener in everything.children(HttpListener)
    }
    assert names == {
        make.LISTENER: "AppGwSslPolicy20220101",
        "strict": "AppGwSslPolicy20220101S",
        "plain": "AppGwSslPolicy20220101",
    }


def test_documents_spell_policies_as_the_rules_know_them():
    members = {member.json: member.choices for member in ssl_policy().members}
    assert members["policyName"] == tuple(PREDEFINED)
    assert set(members["cipherSuites"]) == {*CIPHER_SUITES, *TLS13_SUITES}
    assert members["minProtocolVersion"] == members["disabledSslProtocols"] == VERSIONS
