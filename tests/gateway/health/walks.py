"""A sandbox whose lab really runs, and gateways of it pointed at its servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from certificates.models import Certificate
from gateway.accounts.models import Subscription
from gateway.health.worker import Worker
from gateway.lab.sandbox import ensure_sandbox
from gateway.models import ApplicationGateway, BackendHttpSettings, LabEndpoint, LabServer, Verdict
from tests import factories
from tests.gateway.health.lab import network_of, point_pool_at
from tests.gateway.lab.conftest import eventually, running_lab

GROUPS = {"v1": "myResourceGroupAG-v1", "v2": "myResourceGroupAG"}


@contextmanager
def walked_lab() -> Iterator[Subscription]:
    """A sandbox that is really stored and whose servers run; tests change it and roll back.

    The lab looks at its rows once and not again: a test's transaction must not wait for it.
    """
    sandbox = ensure_sandbox(factories.make_user("walker"))
    try:
        with running_lab(interval=3600):
            servers = LabServer.objects.count()
            eventually(
                lambda: LabEndpoint.objects.values("server").distinct().count() == servers, 60
            )
            yield sandbox
    finally:
        # As a test that commits does.
        call_command("flush", verbosity=0, interactive=False)


def gateway_of(sandbox: Subscription, generation: str) -> ApplicationGateway:
    return ApplicationGateway.objects.get(
        group__subscription=sandbox, group__name=GROUPS[generation]
    )


def server_of(gateway: ApplicationGateway, scenario: str) -> LabServer:
    return LabServer.objects.get(virtual_network=network_of(gateway), scenario=scenario)


def settings_of(gateway: ApplicationGateway) -> BackendHttpSettings:
    return factories.find(gateway, BackendHttpSettings, factories.SETTINGS)


def trust(gateway: ApplicationGateway, certificates: Sequence[Certificate | None]) -> None:
    """Speak HTTPS on 443 and trust these; of none a v2 gateway trusts the well-known CAs."""
    settings = settings_of(gateway)
    factories.change(settings, protocol="Https", port=443)
    parsed = [one.parsed for one in certificates if one is not None]
    if gateway.is_v1:
        rows = [
            factories.add_authentication_certificate(gateway, f"own{number}", one)
            for number, one in enumerate(parsed)
        ]
        factories.trust(settings, authentication=rows)
    else:
        roots = [
            factories.add_root(gateway, f"own{number}", one) for number, one in enumerate(parsed)
        ]
        factories.trust(settings, roots=roots)


def probe_with(gateway: ApplicationGateway, **fields: Any) -> None:
    """A custom probe that picks its host from the pool's target."""
    settings = settings_of(gateway)
    probe = factories.add_probe(
        gateway,
        "walk",
        pick_host_name_from_settings=True,
        protocol=settings.protocol,
        **fields,
    )
    factories.change(settings, probe=probe, pick_host_name_from_backend_address=True)


def probed(gateway: ApplicationGateway, target: str) -> Verdict:
    """The verdict on the only server of the pool, by a prober that knows nothing yet."""
    point_pool_at(gateway, target)
    Worker(threads=4, clock=timezone.now).sweep()
    return Verdict.objects.get(gateway=gateway)
