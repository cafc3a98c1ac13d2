"""The Lab page: the backend servers of one's sandbox, and files to upload."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from gateway.accounts.models import Subscription
from gateway.accounts.roles import readable_subscriptions, writable_subscriptions
from gateway.lab import files
from gateway.lab.files import File
from gateway.lab.scenarios import BY_ID, Scenario
from gateway.models import LabServer, VirtualNetwork
from gateway.models.fields import validate_domain_name
from gateway.portal.editing import Action
from gateway.portal.lab_servers import delete_action
from gateway.portal.network_pages import network_url
from gateway.portal.pages import Crumb, PortalRequest

# What can be had of a server's certificates, by the last part of the address.
DOWNLOADS: dict[str, Callable[[LabServer], File | None]] = {
    "leaf.cer": files.leaf_cer,
    "leaf-der.cer": files.leaf_der,
    "root.cer": files.root_cer,
    "chain.pem": files.chain_pem,
}


class ListenerPfxForm(forms.Form):
    """What a listener's PFX is made from; the password is used once and never kept."""

    host_name = forms.CharField(
        label="Host name",
        max_length=200,
        initial="www.contoso.test",
        validators=[validate_domain_name],
        help_text="The name that the listener's clients ask for.",
    )
    password = forms.CharField(
        label="Password",
        min_length=1,
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The cloud takes 4 to 12 letters and digits.",
    )


@login_required
def index(request: PortalRequest) -> HttpResponse:
    return _page(request, ListenerPfxForm())


def _page(request: PortalRequest, form: ListenerPfxForm) -> HttpResponse:
    networks = [
        (network, _add_url(network, may_write), _rows(network, may_write))
        for network, may_write in _networks(request)
    ]
    context = {
        "crumbs": [Crumb("Home", reverse("portal:home"))],
        "icon": "lab",
        "title": "Lab",
        "subtitle": "Backend servers to practise with",
        "close_url": reverse("portal:home"),
        "networks": networks,
        "form": form,
        "may_reset": Subscription.objects.filter(sandbox_of=request.user).exists(),
    }
    return render(request, "portal/lab/index.html", context, status=422 if form.errors else 200)


Row = tuple[LabServer, Scenario | None, list[int], list[Action]]


def _networks(request: PortalRequest) -> list[tuple[VirtualNetwork, bool]]:
    """Networks with lab servers and those of sandboxes; whether the user may change their lab."""
    readable = readable_subscriptions(request.user)
    in_sandbox = Q(group__subscription__sandbox_of__isnull=False)
    found = (
        VirtualNetwork.objects.filter(group__subscription__in=readable)
        .filter(in_sandbox | Q(pk__in=LabServer.objects.values("virtual_network")))
        .select_related("group__subscription")
        .prefetch_related("lab_servers__endpoints")
        .order_by("group__subscription__name", "pk")
    )
    writable = writable_subscriptions(request.user)
    return [
        (
            network,
            network.group.subscription.sandbox_of_id is not None
            and network.group.subscription_id in writable,
        )
        for network in found
    ]


def _add_url(network: VirtualNetwork, may_write: bool) -> str:
    """Where a server is added to a network; empty where that cannot be."""
    return network_url(network, "network-lab-add") if may_write else ""


def _rows(network: VirtualNetwork, may_write: bool) -> list[Row]:
    return [
        (
            server,
            BY_ID.get(server.scenario),
            _ports(server),
            [delete_action(server)] if may_write else [],
        )
        for server in network.lab_servers.all()
    ]


def _ports(server: LabServer) -> list[int]:
    """The ports at which the lab process answers for the server now."""
    return sorted(one.port for one in server.endpoints.all() if one.port is not None)


@login_required
def download(request: PortalRequest, server: int, file: str) -> HttpResponse:
    """A certificate file of one server; 404 for a server of a subscription without a role."""
    readable = readable_subscriptions(request.user)
    found = get_object_or_404(
        LabServer.objects.select_related("leaf", "root", "virtual_network__group"),
        pk=server,
        virtual_network__group__subscription__in=readable,
    )
    make = DOWNLOADS.get(file)
    made = make(found) if make else None
    if made is None:
        raise Http404(f"{found.name} has no file {file}.")
    return _attachment(made)


@login_required
@sensitive_post_parameters()
def listener_pfx(request: PortalRequest) -> HttpResponse:
    """A PFX for a listener, made for this download alone."""
    form = ListenerPfxForm(request.POST or None)
    if not form.is_valid():
        return _page(request, form)
    made = files.listener_pfx(
        request.user, form.cleaned_data["host_name"], form.cleaned_data["password"]
    )
    return _attachment(made)


def _attachment(file: File) -> HttpResponse:
    response = HttpResponse(file.content, content_type=file.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response
