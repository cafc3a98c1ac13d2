"""A virtual network: overview, its subnets with the simulated causes, its DNS servers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import reverse

from certificates.form_errors import FormError
from gateway.lab.scenarios import BY_ID
from gateway.models import (
    ApplicationGateway,
    GatewayIPConfiguration,
    LabServer,
    SimulatedCause,
    Subnet,
    VirtualNetwork,
    ZoneRecord,
)
from gateway.network import refusal
from gateway.network.dns import PORT as DNS_PORT
from gateway.network.resolve import PLATFORM_DNS
from gateway.operations import Outcome, store
from gateway.operations.networks import Changes
from gateway.portal.forms import when
from gateway.portal.network_pages import NetworkForm, NetworkPage, network_page, show_form
from gateway.portal.pages import PortalRequest
from gateway.portal.resources import LOCATIONS
from gateway.rules.subnets import MANAGEMENT_BLOCKED

PLATFORM, OWN = "platform", "own"


@network_page
def overview(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    network = page.network
    subnets = list(Subnet.objects.filter(virtual_network=network))
    gateways = _gateways(network)
    lab = LabServer.objects.filter(virtual_network=network).count()
    records = ZoneRecord.objects.filter(virtual_network=network).count()
    group = network.group
    essentials = [
        {"label": "Resource group", "value": group.name},
        {"label": "Location", "value": LOCATIONS.get(network.location, network.location)},
        {"label": "Subscription", "value": group.subscription.name},
        {"label": "Subscription ID", "value": str(group.subscription_id), "copy": True},
        {"label": "Address space", "value": ", ".join(network.address_prefixes)},
        {"label": "Subnets", "value": str(len(subnets)), "url": page.url("network-subnets")},
        {
            "label": "DNS servers",
            "value": ", ".join(network.dns_servers) or "The platform's",
            "url": page.url("network-dns"),
        },
        {"label": "Zone records", "value": str(records), "url": page.url("network-zone")},
        {"label": "Lab servers", "value": str(lab), "url": reverse("portal:lab")},
        {"label": "Resource ID", "value": network.arm_id, "copy": True},
    ]
    playing = [
        f"{one.name}: {one.get_simulated_cause_display()}" for one in subnets if one.simulated_cause
    ]
    context = page.blade(
        "network",
        essentials=essentials,
        playing="; ".join(playing),
        gateways=[
            (one.gateway.name, one.subnet.name, _gateway_url(one.gateway))
            for one in gateways
            if one.subnet is not None
        ],
    )
    return page.render("portal/networks/overview.html", context)


def _gateway_url(gateway: ApplicationGateway) -> str:
    group = gateway.group
    return reverse("portal:overview", args=[str(group.subscription_id), group.name, gateway.name])


def _gateways(network: VirtualNetwork) -> list[GatewayIPConfiguration]:
    """Where gateways stand in the network."""
    return list(
        GatewayIPConfiguration.objects.filter(subnet__virtual_network=network)
        .select_related("gateway__group", "subnet")
        .order_by("gateway__name")
    )


# -- Subnets -----------------------------------------------------------------------------------


class SubnetsForm(NetworkForm):
    """One drop-down for each subnet: what is played between its gateways and their backends."""

    def __init__(self, page: NetworkPage, subnets: list[Subnet]) -> None:
        super().__init__(page)
        self.subnets = subnets
        choices = [("", "Nothing"), *((one, f"{label} ({one})") for one, label in _causes())]
        for subnet in subnets:
            self.fields[self.name_of(subnet)] = forms.ChoiceField(
                label=f"Simulated cause in {subnet.name}",
                choices=choices,
                required=False,
                initial=subnet.simulated_cause,
            )
        self.lock_for_readers()

    @staticmethod
    def name_of(subnet: Subnet) -> str:
        return f"cause-{subnet.pk}"

    def rows(self) -> list[tuple[Subnet, forms.BoundField]]:
        return [(subnet, self[self.name_of(subnet)]) for subnet in self.subnets]

    def write(self, network: VirtualNetwork) -> Changes:
        changes: Changes = []
        for subnet in Subnet.objects.filter(virtual_network=network):
            wanted = self.cleaned_data.get(self.name_of(subnet), subnet.simulated_cause)
            if wanted == subnet.simulated_cause:
                continue
            path = f"subnets/{subnet.name}/simulatedCause"
            changes.append({"path": path, "before": subnet.simulated_cause, "after": wanted})
            subnet.simulated_cause = wanted
            store(subnet)
        return changes

    def show(self, outcome: Outcome) -> None:
        for problem in outcome.errors:
            fields = [
                self.name_of(subnet)
                for subnet in self.subnets
                if problem.kind is MANAGEMENT_BLOCKED and f"“{subnet.name}”" in problem.message
            ]
            self.add_error(fields[0] if fields else None, FormError(problem))


def _causes() -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in SimulatedCause.choices]


@network_page
def subnets(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    rows = list(Subnet.objects.filter(virtual_network=page.network))
    form = SubnetsForm(page, rows)
    if form.is_bound and form.is_valid():
        outcome = form.save("Save simulated causes of subnets", form.write)
        if outcome.ok:
            return page.done("The subnets were saved.", "network-subnets")
    held: dict[int | None, list[str]] = {}
    for one in _gateways(page.network):
        held.setdefault(one.subnet_id, []).append(one.gateway.name)
    context = page.blade(
        "network-subnets",
        rows=[(subnet, held.get(subnet.pk, []), field) for subnet, field in form.rows()],
        causes=_causes(),
    )
    return show_form(
        page, form, context, fields="portal/networks/subnets_fields.html", adding=False
    )


# -- DNS servers -------------------------------------------------------------------------------


class DnsForm(NetworkForm):
    """The platform's DNS, a DNS server of the lab, or addresses of one's own."""

    fields_of = {"dns_servers": "servers"}

    choice = forms.ChoiceField(
        label="DNS servers",
        widget=forms.RadioSelect(attrs={"data-look": "stack"}),
        help_text=(
            "With servers of its own the network asks them for every name, and the platform's DNS "
            "no more."
        ),
    )
    servers = forms.CharField(
        label="Addresses",
        required=False,
        max_length=1000,
        help_text=(
            "One IPv4 address on each line, asked in this order. "
            f"{PLATFORM_DNS} is the platform's DNS."
        ),
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "spellcheck": "false",
                "autocomplete": "off",
                **when(show="choice=own"),
            }
        ),
    )

    def __init__(self, page: NetworkPage, lab: list[LabServer]) -> None:
        stored = [str(one) for one in page.network.dns_servers]
        addresses = {one.address for one in lab}
        chosen = PLATFORM if not stored else OWN
        if len(stored) == 1 and stored[0] in addresses:
            chosen = stored[0]
        super().__init__(page, initial={"choice": chosen, "servers": "\n".join(stored)})
        choice = self.fields["choice"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [
                (PLATFORM, "The platform's DNS: the zone of this network, then the internet"),
                *(
                    (one.address, f"Lab: {BY_ID[one.scenario].title} ({one.address})")
                    for one in lab
                ),
                (OWN, "Own addresses"),
            ]
        self.lock_for_readers()

    def wanted(self) -> list[str]:
        choice = self.cleaned_data["choice"]
        if choice == PLATFORM:
            return []
        if choice == OWN:
            return [line.strip() for line in self.cleaned_data["servers"].split() if line.strip()]
        return [choice]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("choice") == OWN and "servers" in cleaned and not cleaned["servers"].strip():
            self.add_error("servers", "Enter at least one address, or choose the platform's DNS.")
        return cleaned

    def write(self, network: VirtualNetwork) -> Changes:
        before, after = network.dns_servers, self.wanted()
        if before == after:
            return []
        network.dns_servers = after
        return [{"path": "dhcpOptions/dnsServers", "before": before, "after": after}]


@network_page
def dns(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    servers = LabServer.objects.filter(virtual_network=page.network, port=DNS_PORT)
    lab = [one for one in servers if one.scenario in BY_ID and BY_ID[one.scenario].is_dns]
    form = DnsForm(page, lab)
    if form.is_bound and form.is_valid():
        outcome = form.save("Save DNS servers", form.write)
        if outcome.ok:
            return page.done("The DNS servers were saved.", "network-dns")
    known = {one.address for one in lab} | {PLATFORM_DNS}
    unreachable = [
        f"{address}: {reason}."
        for address in page.network.dns_servers
        if address not in known and (reason := refusal(address, DNS_PORT))
    ]
    context = page.blade("network-dns", unreachable=unreachable)
    return show_form(page, form, context, fields="portal/networks/dns_fields.html", adding=False)
