"""Saves in an installation, made as the portal makes them; a process of its own."""

from __future__ import annotations

import http.client
import json
import sys
import time

import django

django.setup()

from django.utils import timezone  # noqa: E402

from certificates.x509.issuing import issue  # noqa: E402
from gateway.accounts.models import User  # noqa: E402
from gateway.models import (  # noqa: E402
    ApplicationGateway,
    BackendHttpSettings,
    FrontendIPConfiguration,
    LoadedGateway,
    PublishedPort,
)
from gateway.operations import Caller, change_gateway, store  # noqa: E402
from tests import factories  # noqa: E402
from tests.traffic.installation import HOST  # noqa: E402


def the_gateway() -> ApplicationGateway:
    return ApplicationGateway.objects.select_related("group__subscription").get(
        sku_tier="Standard_v2", name="myAppGateway"
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


# -- For the benchmark ---------------------------------------------------------------------------

MARK = 9000  # the port of the listener whose redirect tells which save is live


def grow(gateways: int, listeners: int) -> None:
    """Make ``gateways`` of so many listeners each, beside those of the sandbox.

    All but two are multi-site HTTPS listeners with a pool and a setting of their own.
    """
    root = issue.make_root("Traffic root", now=timezone.now())
    leaf = issue.make_leaf(root, "sites", now=timezone.now(), dns_names=["*.contoso.com"])
    group = the_gateway().group
    for number in range(gateways):
        gateway = factories.v2_gateway(group, name=f"grown{number}")
        certificate = factories.add_ssl_certificate(gateway, "sites", leaf)
        for site in range(listeners - 2):
            listener = factories.add_listener(
                gateway, f"site{site}", port=443, protocol="Https",
                host_name=f"site{site}.contoso.com", ssl_certificate=certificate,
            )  # fmt: skip
            pool = factories.add_pool(gateway, f"pool{site}", "full-chain.contoso.test")
            settings = factories.add_settings(gateway, f"settings{site}")
            factories.add_rule(
                gateway, f"site{site}", listener, pool, settings, priority=1000 + site
            )
        redirect = factories.add_redirect(gateway, "mark", include_path=False)
        mark = factories.add_listener(gateway, "mark", port=MARK)
        factories.add_rule(gateway, "mark", mark, redirect_configuration=redirect, priority=900)
        turn(gateway, "https://start.test/")


def turn(gateway: ApplicationGateway, target: str) -> None:
    def write(loaded: LoadedGateway) -> None:
        [redirect] = loaded.redirects
        redirect.target_url = target
        store(redirect)

    outcome = change_gateway(caller(), gateway, operation="Turn", write=write)
    assert outcome.changed, outcome.problems


def live(count: int) -> None:
    """Save ``count`` times; print for each the seconds of the save, and from it to live."""
    gateway = ApplicationGateway.objects.select_related("group__subscription").get(name="grown0")
    frontends = FrontendIPConfiguration.objects.filter(gateway=gateway)
    place = PublishedPort.objects.get(frontend__in=frontends, port=MARK)
    told = []
    for number in range(count):
        target = f"https://save{number}-{time.time_ns()}.test/"
        begun = time.perf_counter()
        turn(gateway, target)
        saved = time.perf_counter()
        while location(place) != target:
            assert time.perf_counter() - saved < 30, target
            time.sleep(0.002)
        told.append((saved - begun, time.perf_counter() - saved))
        time.sleep(0.2)
    print(json.dumps(told))


def location(place: PublishedPort) -> str:
    connection = http.client.HTTPConnection(place.host, place.number, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().headers.get("Location", "")
    except ConnectionRefusedError:
        return ""
    finally:
        connection.close()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "prepare":
        prepare()
    elif what == "grow":
        grow(int(arguments[0]), int(arguments[1]))
    elif what == "live":
        live(int(arguments[0]))
    else:
        many(int(arguments[0]), float(arguments[1]))
