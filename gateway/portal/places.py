"""Where in the portal a child of a gateway is looked after."""

from __future__ import annotations

from gateway.models import (
    BackendAddressPool,
    BackendHttpSettings,
    HttpListener,
    Probe,
    RequestRoutingRule,
)
from gateway.portal.pages import Page
from gateway.problems import Target

_BLADES = {
    HttpListener.collection: "listeners",
    BackendHttpSettings.collection: "http-settings",
    BackendAddressPool.collection: "pools",
    Probe.collection: "probes",
    RequestRoutingRule.collection: "rules",
}


def url_of(page: Page, target: Target) -> str:
    """The form of a problem's object, at the field where that has one; empty without a form."""
    blade = _BLADES.get(target.collection)
    if blade is None or not target.name:
        return ""
    url = page.url(f"{blade}-edit", target.name)
    return f"{url}#id_{target.field}" if target.field else url
