"""Overview, Properties, Frontend IP configurations, Activity log and JSON View of a gateway."""

from __future__ import annotations

import json
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone

from gateway.document import gateway_document, indented
from gateway.models import (
    Activity,
    ApplicationGateway,
    FrontendIPConfiguration,
    GatewayIPConfiguration,
    HttpListener,
    Tier,
    load_gateway,
)
from gateway.models.provisioning import provisioning
from gateway.portal.live import live_of
from gateway.portal.network_pages import network_url
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.resources import LOCATIONS
from gateway.portal.traffic import traffic_of
from gateway.portal.troubleshoot import LATER, SOON

# Listeners whose addresses stand on the Overview; the others are a click away.
LISTENERS = 20

# What is configured but not acted on, and said so (WAF tiers work as their Standard twins).
NOT_SIMULATED = {
    Tier.WAF: "The firewall of this tier is not simulated: the gateway works as Standard.",
    Tier.WAF_V2: "The firewall of this tier is not simulated: the gateway works as Standard V2.",
}


@gateway_page
def overview(request: PortalRequest, page: Page) -> HttpResponse:
    """The blade; asked for by htmx, what is live of the gateway alone."""
    now = timezone.now()
    live = live_of(page.gateway, now)
    moving = {
        "page": page,
        "gateway": page.gateway,
        "live": live,
        "shown_listeners": [
            (one, page.url("listeners-edit", one.name)) for one in live.listeners[:LISTENERS]
        ],
        "more_listeners": len(live.listeners[LISTENERS:]),
        "traffic": traffic_of(page.gateway, now),
        "as_table": request.GET.get("table") == "1",
        "every": SOON if live.pending else LATER,
        "listeners_url": page.url("listeners"),
        "rules_url": page.url("rules-add"),
        "test_url": page.url("test-request"),
        "log_url": page.url("access-log"),
    }
    if request.htmx:
        return page.render("portal/traffic/live.html", moving)
    gateway = page.gateway
    frontends = FrontendIPConfiguration.objects.filter(gateway=gateway)
    frontend_rows = list(frontends.select_related("public_ip_address"))
    network = (
        GatewayIPConfiguration.objects.filter(gateway=gateway)
        .select_related("subnet__virtual_network__group")
        .first()
    )
    public = next((one.public_ip_address for one in frontend_rows if one.public_ip_address), None)
    private = next((one.private_ip_address for one in frontend_rows if one.subnet_id), None)
    subnet = network.subnet if network else None
    essentials = [
        {"label": "Resource group", "value": gateway.group.name},
        {"label": "Location", "value": LOCATIONS.get(gateway.location, gateway.location)},
        {"label": "Subscription", "value": gateway.group.subscription.name},
        {
            "label": "Subscription ID",
            "value": str(gateway.group.subscription_id),
            "copy": True,
        },
        {"label": "Tags", "value": ", ".join(f"{k}: {v}" for k, v in gateway.tags.items())},
        {
            "label": "Virtual network/subnet",
            "value": f"{subnet.virtual_network.name}/{subnet.name}" if subnet else "",
            "url": network_url(subnet.virtual_network) if subnet else "",
        },
        {
            "label": "Frontend public IP address",
            "value": f"{public.address} ({public.name})" if public else "",
        },
        {"label": "Frontend private IP address", "value": private or ""},
        {"label": "Tier", "value": gateway.get_sku_tier_display()},
        {"label": "Operational state", "value": gateway.operational_state},
        {"label": "Provisioning state", "value": live.provisioning.state},
    ]
    context = moving | page.blade(
        "overview",
        essentials=essentials,
        not_simulated=NOT_SIMULATED.get(Tier(gateway.sku_tier), ""),
        opaque=sorted(gateway.opaque),
        json_url=page.url("json"),
        steps=_next_steps(page),
        announced_url=page.url("announced"),
    )
    return page.render("portal/overview.html", context)


def _next_steps(page: Page) -> list[dict[str, str]]:
    """The way of the documents through this gateway, as links."""
    trusted = "authentication certificates" if page.gateway.is_v1 else "trusted root certificates"
    return [
        {
            "label": "Listeners",
            "text": "Accept HTTPS from clients with an uploaded PFX certificate.",
            "url": page.url("listeners"),
            "icon": "listeners",
        },
        {
            "label": "HTTP settings",
            "text": f"Encrypt the way to the backend servers and choose {trusted}.",
            "url": page.url("http-settings"),
            "icon": "settings",
        },
        {
            "label": "Backend health",
            "text": "See what a real handshake with each server says.",
            "url": page.url("health"),
            "icon": "health",
        },
    ]


@gateway_page
def properties(request: PortalRequest, page: Page) -> HttpResponse:
    gateway = page.gateway
    rows = [
        {"label": "Name", "value": gateway.name, "copy": True},
        {"label": "Resource ID", "value": gateway.arm_id, "copy": True},
        {"label": "Resource GUID", "value": str(gateway.resource_guid), "copy": True},
        {"label": "SKU name", "value": gateway.sku_name},
        {"label": "Tier", "value": gateway.get_sku_tier_display()},
        {"label": "Instances", "value": _instances(gateway)},
        {"label": "HTTP2", "value": "Enabled" if gateway.enable_http2 else "Disabled"},
        {"label": "Provisioning state", "value": _provisioning(gateway)},
        {"label": "Generation of the configuration", "value": str(gateway.generation)},
        {"label": "Entity tag", "value": gateway.etag},
        {"label": "Changed", "value": f"{gateway.changed_at:%Y-%m-%d %H:%M:%S} UTC"},
    ]
    return page.render("portal/properties.html", page.blade("properties", rows=rows))


def _provisioning(gateway: ApplicationGateway) -> str:
    """What was saved, and what became of it in the data plane."""
    found = provisioning(gateway, now=timezone.now())
    return f"{found.state}: {found.reason}" if found.reason else found.state


def _instances(gateway: ApplicationGateway) -> str:
    if gateway.autoscale_min_capacity is not None:
        most = gateway.autoscale_max_capacity or 20
        return f"{gateway.autoscale_min_capacity} to {most} (autoscaling)"
    return str(gateway.capacity or "-")


@gateway_page
def frontends(request: PortalRequest, page: Page) -> HttpResponse:
    listeners: dict[int | None, list[str]] = {}
    for listener in HttpListener.objects.filter(gateway=page.gateway):
        listeners.setdefault(listener.frontend_ip_configuration_id, []).append(listener.name)
    rows: list[dict[str, Any]] = []
    found = FrontendIPConfiguration.objects.filter(gateway=page.gateway)
    configured = list(found.select_related("public_ip_address"))
    for kind in ("Public", "Private"):
        mine = [
            one
            for one in configured
            if (one.public_ip_address_id is not None) == (kind == "Public")
        ]
        rows += [
            {
                "type": kind,
                "status": "Configured",
                "name": one.name,
                "address": (
                    f"{one.public_ip_address.address} ({one.public_ip_address.name})"
                    if one.public_ip_address
                    else one.private_ip_address
                ),
                "listeners": listeners.get(one.pk, []),
            }
            for one in mine
        ] or [{"type": kind, "status": "Not configured"}]
    return page.render("portal/frontends.html", page.blade("frontends", rows=rows))


@gateway_page
def activity(request: PortalRequest, page: Page) -> HttpResponse:
    found = Activity.objects.filter(resource_id=page.gateway.arm_id).select_related("user")
    shown = Paginator(found, 50).get_page(request.GET.get("page"))
    rows = [(one, _changes(one)) for one in shown]
    return page.render("portal/activity.html", page.blade("activity", activities=shown, rows=rows))


def _changes(activity: Activity) -> list[dict[str, str | None]]:
    """What an operation changed, values as they stand in the JSON document."""
    return [
        {"path": one["path"], "before": _text(one["before"]), "after": _text(one["after"])}
        for one in activity.changes
    ]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


@gateway_page
def json_view(request: PortalRequest, page: Page) -> HttpResponse:
    """The gateway's ARM document, as GET answers it."""
    document = gateway_document(load_gateway(page.gateway))
    return page.render("portal/json.html", page.blade("json", document=indented(document)))
