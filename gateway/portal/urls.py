"""Addresses of the portal."""

from __future__ import annotations

from django.urls import include, path

from gateway.portal import (
    access_log,
    advisor,
    announced,
    health,
    help,
    http_settings,
    lab,
    lab_servers,
    listeners,
    networks,
    overview,
    pools,
    probes,
    resources,
    rules,
    sandbox,
    test_request,
    troubleshoot,
    zone,
)

app_name = "portal"

_gateway = [
    path("", overview.overview, name="overview"),
    path("activity/", overview.activity, name="activity"),
    path("properties/", overview.properties, name="properties"),
    path("json/", overview.json_view, name="json"),
    path("frontends/", overview.frontends, name="frontends"),
    path("http-settings/", http_settings.index, name="http-settings"),
    path("http-settings/add/", http_settings.add, name="http-settings-add"),
    path("http-settings/<str:name>/edit/", http_settings.edit, name="http-settings-edit"),
    path("http-settings/<str:name>/delete/", http_settings.delete, name="http-settings-delete"),
    path("listeners/", listeners.index, name="listeners"),
    path("listeners/add/<str:kind>/", listeners.add, name="listeners-add"),
    path("listeners/<str:name>/edit/", listeners.edit, name="listeners-edit"),
    path("listeners/<str:name>/delete/", listeners.delete, name="listeners-delete"),
    path("pools/", pools.index, name="pools"),
    path("pools/add/", pools.add, name="pools-add"),
    path("pools/<str:name>/edit/", pools.edit, name="pools-edit"),
    path("pools/<str:name>/delete/", pools.delete, name="pools-delete"),
    path("probes/", probes.index, name="probes"),
    path("probes/add/", probes.add, name="probes-add"),
    path("probes/<str:name>/edit/", probes.edit, name="probes-edit"),
    path("probes/<str:name>/delete/", probes.delete, name="probes-delete"),
    path("rules/", rules.index, name="rules"),
    path("rules/add/", rules.add, name="rules-add"),
    path("rules/<str:name>/edit/", rules.edit, name="rules-edit"),
    path("rules/<str:name>/delete/", rules.delete, name="rules-delete"),
    path("announced/", announced.index, name="announced"),
    path("test-request/", test_request.index, name="test-request"),
    path("test-request/<str:request_id>/", test_request.onward, name="test-request-onward"),
    path("access-log/", access_log.index, name="access-log"),
    path("access-log/<int:line>/", access_log.line, name="access-log-line"),
    path("access-log.txt", access_log.text, name="access-log-text"),
    path("advisor/", advisor.index, name="advisor"),
    path("health/", health.index, name="health"),
    path("health/<int:verdict>/", troubleshoot.detail, name="health-detail"),
    path("health/<int:verdict>/chain/", troubleshoot.chain, name="health-chain"),
    path("health/<int:verdict>/roots.cer", troubleshoot.trusted_roots, name="health-roots"),
]

_network = [
    path("", networks.overview, name="network"),
    path("subnets/", networks.subnets, name="network-subnets"),
    path("dns/", networks.dns, name="network-dns"),
    path("zone/", zone.index, name="network-zone"),
    path("zone/add/", zone.add, name="network-zone-add"),
    path("zone/<int:record>/delete/", zone.delete, name="network-zone-delete"),
    path("lab/add/", lab_servers.add, name="network-lab-add"),
    path("lab/<str:name>/delete/", lab_servers.delete, name="network-lab-delete"),
]

urlpatterns = [
    path("", resources.home, name="home"),
    path("resources/", resources.all_resources, name="all-resources"),
    path("search/", resources.search, name="search"),
    path("notifications/", resources.notifications, name="notifications"),
    path("help/", help.index, name="help-index"),
    path("help/<str:id>/", help.kind, name="help"),
    path("lab/", lab.index, name="lab"),
    path("lab/<int:server>/<str:file>", lab.download, name="lab-file"),
    path("lab/reset/", sandbox.reset, name="lab-reset"),
    path("lab/listener.pfx", lab.listener_pfx, name="lab-pfx"),
    path("networks/<uuid:subscription>/<str:group>/<str:network>/", include(_network)),
    path("gateways/<uuid:subscription>/<str:group>/<str:gateway>/", include(_gateway)),
]
