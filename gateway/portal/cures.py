"""From a cause of bad health to the control that cures it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from gateway.health.reading import HealthRow
from gateway.models import (
    BackendAddress,
    BackendHttpSettings,
    GatewayIPConfiguration,
    SimulatedCause,
)
from gateway.portal.networks import SubnetsForm
from gateway.portal.pages import Page
from gateway.portal.pool_rows import PREFIX, control_of


@dataclass(frozen=True, slots=True)
class Cure:
    """A link that lands on the very field: ``label`` names it."""

    label: str
    url: str


# Causes that are cured at the HTTP setting, and the id of the field there.
_AT_SETTING = {
    "E-NOT-PUBLIC": ("use_well_known_ca", "Use Well Known CA Certificate"),
    "E-INT-NOT-PUBLIC": ("use_well_known_ca", "Use Well Known CA Certificate"),
    "E-ROOT-MISMATCH": ("certificate_file", "Upload CER certificate"),
    "E-ROOT-MISMATCH-NOROOT": ("certificate_file", "Upload CER certificate"),
    "E-AUTHCERT": ("certificate_file", "Upload CER certificate"),
}
# Causes that a custom probe cures, and the id of the field there.
_AT_PROBE = {
    "E-TIMEOUT": ("timeout", "Timeout"),
    "E-STATUS": ("status_codes", "HTTP response status code match"),
    "E-BODY": ("match_body", "HTTP response body match"),
}
_AT_POOL = {"E-DNS", "U-NOT-ALLOWED"}
_AT_DNS = {"U-DNS", "U-CDNS"}


def cure_of(page: Page, row: HealthRow, settings: BackendHttpSettings) -> Cure | None:
    """The control that cures what is wrong with ``row``; ``None`` where it lies on the server.

    ``settings`` is the setting of the row, with its probe loaded.
    """
    cause = row.error_id
    if cause in _AT_SETTING:
        return _setting(page, row, *_AT_SETTING[cause])
    if cause in _AT_PROBE:
        return _probe(page, settings, *_AT_PROBE[cause])
    if cause in _AT_POOL:
        return _pool(page, row)
    if cause in _AT_DNS or cause in SimulatedCause.values:
        return _network(page, cause)
    if cause == "E-TCP":
        if settings.probe and settings.probe.port:
            return _probe(page, settings, "port", "Port")
        return _setting(page, row, "port", "Port")
    if cause == "E-CN":
        if page.gateway.is_v1:
            return _pool(page, row)
        if settings.probe and settings.probe.host:
            return _probe(page, settings, "host", "Host")
        return _setting(page, row, "host_name", "Host name")
    if cause == "E-DATES" and page.gateway.is_v1:
        # The renewed certificate has to be uploaded as well.
        return _setting(page, row, "certificate_file", "Upload CER certificate")
    return None


def _setting(page: Page, row: HealthRow, field: str, label: str) -> Cure:
    url = page.url("http-settings-edit", row.setting)
    return Cure(f"{label} of the HTTP setting {row.setting}", f"{url}#id_{field}")


def _probe(page: Page, settings: BackendHttpSettings, field: str, label: str) -> Cure:
    if settings.probe is None:
        url = page.url("probes-add")
        return Cure(f"Add a custom probe with another {label}", f"{url}#id_{field}")
    url = page.url("probes-edit", settings.probe.name)
    return Cure(f"{label} of the health probe {settings.probe.name}", f"{url}#id_{field}")


def _network(page: Page, cause: str) -> Cure | None:
    """The DNS servers of the gateway's network, or the simulated cause of its subnet."""
    standing = (
        GatewayIPConfiguration.objects.filter(gateway=page.gateway, subnet__isnull=False)
        .select_related("subnet__virtual_network__group")
        .first()
    )
    if standing is None or standing.subnet is None:
        return None
    subnet, network = standing.subnet, standing.subnet.virtual_network
    address = [str(network.group.subscription_id), network.group.name, network.name]
    if cause in _AT_DNS:
        url = reverse("portal:network-dns", args=address)
        return Cure(f"DNS servers of the virtual network {network.name}", f"{url}#id_choice")
    url = reverse("portal:network-subnets", args=address)
    field = f"{url}#id_{SubnetsForm.name_of(subnet)}"
    return Cure(f"Simulated cause of the subnet {subnet.name}", field)


def _pool(page: Page, row: HealthRow) -> Cure:
    address = BackendAddress.objects.get(pk=row.address_id)
    above = BackendAddress.objects.filter(pool_id=address.pool_id, position__lt=address.position)
    url = page.url("pools-edit", row.pool)
    return Cure(
        f"Target {row.server} of the backend pool {row.pool}",
        f"{url}#id_{PREFIX}-{above.count()}-{control_of(address.kind)}",
    )
