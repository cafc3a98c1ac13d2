"""What the views of a virtual network share: finding it, its menu, its forms, answers to saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse

from certificates.form_errors import FormError
from gateway.accounts.models import Role
from gateway.accounts.roles import can_write
from gateway.models import VirtualNetwork
from gateway.operations import Caller, Outcome, change_network
from gateway.operations.networks import Changes
from gateway.portal.menu import MenuGroup, MenuItem
from gateway.portal.pages import Crumb, PortalRequest, find, home_crumbs, lead_to

_MENU = (
    ("network", "Overview", "overview", "essentials address space"),
    ("network-subnets", "Subnets", "network", "simulated causes firewall route security group"),
    ("network-dns", "DNS servers", "connection", "custom dns resolver"),
    ("network-zone", "Zone records", "zone", "names addresses private dns"),
)


def network_url(network: VirtualNetwork, view: str = "network", *args: object) -> str:
    """The address of a view of a network, which is read with its group."""
    group = network.group
    return reverse(
        f"portal:{view}", args=[str(group.subscription_id), group.name, network.name, *args]
    )


@dataclass(frozen=True, slots=True)
class NetworkPage:
    """One virtual network as the signed-in user sees it."""

    request: PortalRequest
    network: VirtualNetwork
    role: Role

    @property
    def caller(self) -> Caller:
        return Caller(self.request.user)

    @property
    def may_write(self) -> bool:
        return can_write(self.role)

    @property
    def sent(self) -> QueryDict | None:
        """What a form takes of this request: nothing of a GET."""
        return self.request.POST if self.request.method == "POST" else None

    def url(self, view: str, *args: object) -> str:
        return network_url(self.network, view, *args)

    def blade(self, current: str, **extra: Any) -> dict[str, Any]:
        """Template context of a blade of the left menu."""
        items = [
            MenuItem(key, label, icon, self.url(key), key == current, hint)
            for key, label, icon, hint in _MENU
        ]
        item = next(one for one in items if one.current)
        return self._context(
            menu=[MenuGroup("", items)],
            crumbs=home_crumbs() if current == "network" else [*home_crumbs(), self._crumb()],
            icon="network",
            title=self.network.name,
            item="" if current == "network" else item.label,
            subtitle=self.network.label,
            menu_label=self.network.name,
            close_url=reverse("portal:all-resources"),
            **extra,
        )

    def pane(self, parent: str, title: str, **extra: Any) -> dict[str, Any]:
        """Template context of a page that was opened from the blade ``parent``."""
        label = next(label for key, label, _, _ in _MENU if key == parent)
        return self._context(
            crumbs=[*home_crumbs(), self._crumb(), Crumb(label, self.url(parent))],
            icon="network",
            title=title,
            subtitle=self.network.name,
            close_url=self.url(parent),
            **extra,
        )

    def _crumb(self) -> Crumb:
        return Crumb(self.network.name, self.url("network"))

    def _context(self, **context: Any) -> dict[str, Any]:
        return {"network": self.network, "may_write": self.may_write, **context}

    def render(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(self.request, template, context, status=status)

    def done(self, said: str, view: str) -> HttpResponse:
        """The answer to a save that succeeded: a toast and the next page."""
        messages.success(self.request, said)
        return lead_to(self.request, self.url(view))


def network_page(
    view: Callable[Concatenate[PortalRequest, NetworkPage, ...], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Find the virtual network of the address and the user's role on it; 404 without a role."""

    @login_required
    @wraps(view)
    def found(
        request: PortalRequest, subscription: UUID, group: str, network: str, **rest: Any
    ) -> HttpResponse:
        row, role = find(VirtualNetwork, request, subscription, group, network)
        return view(request, NetworkPage(request, row, role), **rest)

    return found


class NetworkForm(forms.Form):
    """A form of a virtual network; ``fields_of`` maps a column that a problem names to a field."""

    fields_of: dict[str, str] = {}

    etag = forms.CharField(widget=forms.HiddenInput, required=False, max_length=60)

    def __init__(self, page: NetworkPage, **kwargs: Any) -> None:
        super().__init__(page.sent, **kwargs)
        self.page = page
        self.initial.setdefault("etag", page.network.etag)
        self.use_required_attribute = False

    def lock_for_readers(self) -> None:
        """Grey all fields out where the user may only look; once all fields are there."""
        if not self.page.may_write:
            for field in self.fields.values():
                field.disabled = True

    @property
    def status(self) -> int:
        """The HTTP status of a page that shows the form."""
        return 422 if self.is_bound else 200

    def save(self, operation: str, write: Callable[[VirtualNetwork], Changes]) -> Outcome:
        """Run the operation; what it refuses is shown at its fields."""
        page = self.page
        etag = self.cleaned_data.get("etag") or None
        outcome = change_network(
            page.caller, page.network, operation=operation, write=write, etag=etag
        )
        self.show(outcome)
        if outcome.conflict:
            # What was typed stays; the next Save is made on top of the newer state.
            page.network.refresh_from_db(fields=["etag"])
            typed = cast(QueryDict, self.data).copy()
            typed["etag"] = page.network.etag
            self.data = typed
        return outcome

    def show(self, outcome: Outcome) -> None:
        """Show the errors of a refused operation, each at its field where it has one."""
        for problem in outcome.errors:
            name = self.fields_of.get(problem.target.field, problem.target.field)
            self.add_error(name if name in self.fields else None, FormError(problem))


def show_form(
    page: NetworkPage, form: NetworkForm, context: dict[str, Any], *, fields: str, adding: bool
) -> HttpResponse:
    """The page of a form as it stands; asked for by htmx with what was typed, the form alone."""
    template = "portal/add.html" if adding else "portal/networks/edit.html"
    if page.request.htmx and form.is_bound:
        template = "portal/form.html"
    full = {**context, "form": form, "fields_template": fields, "adding": adding}
    return page.render(template, full, status=form.status)
