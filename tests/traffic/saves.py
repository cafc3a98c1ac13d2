"""Saves in an installation, made as the portal makes them; a process of its own."""

from __future__ import annotations

import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from certificates.x509 import issue  # noqa: E402
from gateway.accounts.models import User  # noqa: E402
from gateway.models import (  # noqa: E402
    ApplicationGateway,
    BackendHttpSettings,
    LoadedGateway,
)
from gateway.operations import Caller, change_gateway, store  # noqa: E402
from tests import factories  # noqa: E402
from tests.traffic.installation import HOST  # noqa: E402


def the_gateway() -> ApplicationGateway:
    return ApplicationGateway.objects.select_related("group__subscription").get(
        sku_tier="Standard_v2"
    )


def caller() -> Caller:
    return Caller(User.objects.order_by("pk")[0])


def prepare() -> None:
    """An HTTPS listener with HTTP/2, and a second HTTP setting for the rule to turn to."""
    gateway = the_gateway()
    root = issue.make_root("Traffic root", now=timezone.now())
    leaf = issue.make_leaf(root, HOST, now=timezone.now(), dns_names=[HOST])
    certificate = factories.add_ssl_certificate(gateway, "traffic", leaf)
    listener = factories.add_listener(
        gateway, "secure", port=443, protocol="Https", ssl_certificate=certificate
    )
    factories.add_rule(gateway, "secure", listener)
    first, second = BackendHttpSettings.objects.get(gateway=gateway), add_second(gateway)
    # Both settings stay in use whichever the other rules turn to, so both stay probed.
    for port, settings in ((8081, first), (8082, second)):
        keeper = factories.add_listener(gateway, f"keeper{port}", port=port)
        factories.add_rule(gateway, f"keeper{port}", keeper, settings=settings)

    def write(loaded: LoadedGateway) -> None:
        loaded.gateway.enable_http2 = True
        store(loaded.gateway)

    outcome = change_gateway(caller(), gateway, operation="Prepare", write=write)
    assert outcome.changed, outcome.problems


def add_second(gateway: ApplicationGateway) -> BackendHttpSettings:
    return factories.add_settings(gateway, "second")


def save(number: int) -> None:
    """Turn both rules to the other HTTP setting, and change what they share."""

    def write(loaded: LoadedGateway) -> None:
        settings = loaded.http_settings[number % 2]
        settings.request_timeout = 20 + number % 60
        store(settings)
        for rule in loaded.rules:
            if not rule.name.startswith("keeper"):
                rule.backend_http_settings = settings
                store(rule)

    outcome = change_gateway(caller(), the_gateway(), operation="Save", write=write)
    assert outcome.changed, outcome.problems


def many(count: int, pause: float) -> None:
    for number in range(count):
        save(number)
        time.sleep(pause)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "prepare":
        prepare()
    else:
        many(int(arguments[0]), float(arguments[1]))
