"""What the views of a gateway share: finding it, the role, answers to saves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, TypeVar
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from gateway.accounts.models import Role, User
from gateway.accounts.roles import can_write, role_of
from gateway.models import ApplicationGateway, Child, VirtualNetwork
from gateway.operations import Caller, Outcome
from gateway.portal.menu import MenuGroup, MenuItem, resource_menu


class PortalRequest(HttpRequest):
    """A request of somebody who is signed in."""

    user: User
    htmx: HtmxDetails


ChildT = TypeVar("ChildT", bound=Child)
ResourceT = TypeVar("ResourceT", ApplicationGateway, VirtualNetwork)


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """One gateway as the signed-in user sees it."""

    request: PortalRequest
    gateway: ApplicationGateway
    role: Role
    client: str = "Portal"

    @property
    def caller(self) -> Caller:
        return Caller(self.request.user, self.client)

    @property
    def may_write(self) -> bool:
        return can_write(self.role)

    @property
    def sent(self) -> dict[str, Any]:
        """What a form takes of this request: nothing of a GET, fields and files of a POST."""
        if self.request.method != "POST":
            return {}
        return {"data": self.request.POST, "files": self.request.FILES}

    def url(self, name: str, *args: str) -> str:
        """The address of a view of this gateway: ``page.url("http-settings")``."""
        group = self.gateway.group
        return reverse(
            f"portal:{name}",
            args=[str(group.subscription_id), group.name, self.gateway.name, *args],
        )

    def child(self, model: type[ChildT], name: str) -> ChildT:
        """The child of that name; raises ``Http404``."""
        found = model._default_manager.filter(gateway=self.gateway, name__iexact=name).first()
        if not isinstance(found, model):
            raise Http404(f"{self.gateway.name} has no {model.noun} named “{name}”.")
        return found

    def menu(self, current: str) -> list[MenuGroup]:
        return resource_menu(self.gateway, self.url, current)

    def icon(self, current: str) -> str:
        """The icon of a blade of the left menu."""
        return self._item(self.menu(current)).icon

    @staticmethod
    def _item(menu: list[MenuGroup]) -> MenuItem:
        return next(item for group in menu for item in group.items if item.current)

    def blade(self, current: str, **extra: Any) -> dict[str, Any]:
        """Template context of a blade of the left menu (``frame/blade.html``)."""
        menu = self.menu(current)
        item = self._item(menu)
        overview = current == "overview"
        return self._context(
            menu=menu,
            crumbs=home_crumbs() if overview else [*home_crumbs(), self._crumb()],
            icon="gateway",
            title=self.gateway.name,
            item="" if overview else item.label,
            subtitle="Application gateway",
            menu_label=self.gateway.name,
            close_url=reverse("portal:all-resources"),
            **extra,
        )

    def pane(self, parent: str, title: str, **extra: Any) -> dict[str, Any]:
        """Template context of a page that was opened from the list ``parent``."""
        menu = self.menu(parent)
        item = self._item(menu)
        return self._context(
            menu=menu,
            crumbs=[*home_crumbs(), self._crumb(), Crumb(item.label, item.url)],
            icon=item.icon,
            title=title,
            subtitle=self.gateway.name,
            menu_label=self.gateway.name,
            close_url=item.url,
            **extra,
        )

    def _crumb(self) -> Crumb:
        return Crumb(self.gateway.name, self.url("overview"))

    def _context(self, **context: Any) -> dict[str, Any]:
        return {
            "page": self,
            "gateway": self.gateway,
            "may_write": self.may_write,
            **context,
        }

    def render(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        return render(self.request, template, context, status=status)

    def done(self, outcome: Outcome, message: str, url: str) -> HttpResponse:
        """The answer to a save that succeeded: a toast and the next page."""
        messages.success(self.request, message)
        for problem in outcome.warnings:
            messages.warning(self.request, problem.message)
        return lead_to(self.request, url)


def lead_to(request: PortalRequest, url: str) -> HttpResponse:
    """The answer to a form that leads to another page, whether htmx sent it or the browser."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def home_crumbs() -> list[Crumb]:
    """The way down to any resource."""
    return [
        Crumb("Home", reverse("portal:home")),
        Crumb("All resources", reverse("portal:all-resources")),
    ]


def find(
    model: type[ResourceT], request: PortalRequest, subscription: UUID, group: str, name: str
) -> tuple[ResourceT, Role]:
    """The resource of an address, with its group, and the user's role on it.

    Raises ``Http404`` where there is none, or none that the user may see: a resource of somebody
    else answers like one that does not exist.
    """
    row = (
        model._default_manager.select_related("group__subscription")
        .filter(group__subscription_id=subscription, group__name__iexact=group, name__iexact=name)
        .first()
    )
    role = role_of(request.user, row.group.subscription) if row else None
    if row is None or role is None:
        raise Http404(f"There is no {model.label.lower()} “{name}” that you may see.")
    return row, role


def gateway_page(
    view: Callable[Concatenate[PortalRequest, Page, ...], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Find the gateway of the address and the user's role on it; 404 without a role."""

    @login_required
    @wraps(view)
    def found(
        request: PortalRequest, subscription: UUID, group: str, gateway: str, **rest: Any
    ) -> HttpResponse:
        row, role = find(ApplicationGateway, request, subscription, group, gateway)
        return view(request, Page(request, row, role), **rest)

    return found
