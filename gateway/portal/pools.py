"""Backend pools: the servers that requests are sent to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count
from django.http import HttpResponse

from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    LoadedGateway,
    PathRule,
    RequestRoutingRule,
)
from gateway.operations import store
from gateway.portal.editing import delete_child, edit_child
from gateway.portal.forms import ChildForm
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page
from gateway.portal.pool_rows import TargetRows
from gateway.portal.pool_targets import Offer, offer, write_targets


class PoolForm(ChildForm[BackendAddressPool]):
    """Name and targets; the targets are a grid of their own (``form.targets``)."""

    without_targets = forms.BooleanField(required=False)

    class Meta:
        model = BackendAddressPool
        fields = ("name",)

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(page, *args, **kwargs)
        self.fields["without_targets"].label = (
            "Add backend pool without targets"
            if self.adding
            else "Remove all targets from backend pool"
        )
        stored = [] if self.adding else list(BackendAddress.objects.filter(pool=self.instance))
        self.target_count = len(stored)
        self.offered: Offer = offer(page.gateway, stored)
        judged = self.is_bound and page.may_write and not self._typed("without_targets")
        self.targets = TargetRows(
            self.data if judged else None, stored, self.offered, may_write=page.may_write
        )

    def row_problems(self) -> list[dict[str, str]]:
        """What is wrong with targets, for the summary on top."""
        return self.targets.problems()

    def is_valid(self) -> bool:
        fields_are, rows_are = super().is_valid(), True
        if self.targets.is_bound:
            rows_are = self.targets.is_valid()
        return fields_are and rows_are

    def write(self, loaded: LoadedGateway) -> None:
        row = self.row(loaded)
        self.copy_to(row)
        store(row)
        write_targets(row, self.targets.wanted() if self.targets.is_bound else ())


def rules_by_pool(gateway: ApplicationGateway) -> dict[int, list[RequestRoutingRule]]:
    """The rules that send requests to each pool, by themselves or by their path map."""
    by_map: dict[int, set[int]] = {}
    for path_map, path_pool in PathRule.objects.filter(
        path_map__gateway=gateway, backend_address_pool__isnull=False
    ).values_list("path_map_id", "backend_address_pool_id"):
        by_map.setdefault(path_map, set()).add(path_pool)
    found: dict[int, list[RequestRoutingRule]] = {}
    rules = RequestRoutingRule.objects.filter(gateway=gateway).select_related("url_path_map")
    for rule in rules:
        pools = {rule.backend_address_pool_id}
        if rule.url_path_map is not None:
            pools.add(rule.url_path_map.backend_address_pool_id)
            pools |= by_map.get(rule.url_path_map.pk, set())
        for pool in pools:
            if pool is not None:
                found.setdefault(pool, []).append(rule)
    return found


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    pools = BackendAddressPool.objects.filter(gateway=page.gateway)
    rules = rules_by_pool(page.gateway)
    return show_list(
        page,
        "pools",
        ("Rules associated", "Targets"),
        [
            (pool, (len(rules.get(pool.pk, ())), pool.target_count))
            for pool in pools.annotate(target_count=Count("addresses"))
        ],
        plural="backend pools",
        sentence="A backend pool lists the servers that requests are sent to.",
        adds=[("Add", page.url("pools-add"))],
    )


@gateway_page
def add(request: PortalRequest, page: Page) -> HttpResponse:
    return _form(page, BackendAddressPool(gateway=page.gateway))


@gateway_page
def edit(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    pool = page.child(BackendAddressPool, name)
    rules = [
        (rule.name, page.url("rules-edit", rule.name))
        for rule in rules_by_pool(page.gateway).get(pool.pk, ())
    ]
    return _form(page, pool, rules=rules)


def _form(page: Page, pool: BackendAddressPool, **context: Any) -> HttpResponse:
    form = PoolForm(page, instance=pool, **page.sent)
    return edit_child(
        page, form, "pools", "portal/pools/fields.html", problems=form.row_problems, **context
    )


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(BackendAddressPool, name), "pools")
