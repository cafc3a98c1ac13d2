"""Adding a lab server to the network of one's sandbox, and deleting one."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.validators import validate_ipv4_address
from django.http import Http404, HttpResponse
from django.urls import reverse

from gateway.lab.answer_scenarios import ANSWERS, DNS_SERVERS
from gateway.lab.chain_scenarios import CHAINS
from gateway.lab.creating import Wish, add_server, delete_server, next_address
from gateway.lab.scenario import ZONE
from gateway.lab.scenarios import BY_ID, CREATABLE
from gateway.models import LabServer
from gateway.models.fields import between, validate_domain_name, validate_name
from gateway.operations import Outcome
from gateway.portal.editing import Action
from gateway.portal.forms import when
from gateway.portal.network_pages import (
    NetworkForm,
    NetworkPage,
    network_page,
    network_url,
    show_form,
)
from gateway.portal.pages import Crumb, PortalRequest, lead_to

_GROUPS = (
    ("Certificates", CHAINS),
    ("Connections and answers", ANSWERS),
    ("DNS servers", DNS_SERVERS),
)


class LabServerForm(NetworkForm):
    """What the server does, and where it stands."""

    scenario = forms.ChoiceField(
        label="What it does",
        choices=[
            (label, [(one.id, one.title) for one in scenarios]) for label, scenarios in _GROUPS
        ],
        initial=CREATABLE[0].id,
    )
    name = forms.CharField(
        label="Name",
        max_length=80,
        validators=[validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    fqdn = forms.CharField(
        label="FQDN",
        max_length=253,
        required=False,
        validators=[validate_domain_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=(
            "The name that its certificate is made for; it becomes a record of the zone. Empty: "
            f"the name above, with .{ZONE} behind it."
        ),
    )
    address = forms.CharField(
        label="IP address",
        max_length=15,
        required=False,
        validators=[validate_ipv4_address],
        help_text="A free address of a subnet without gateways. Empty: the next free one.",
    )
    port = forms.IntegerField(
        label="Port",
        required=False,
        validators=between(1, 65535),
        help_text="Empty: 443 for HTTPS, 80 for HTTP, 53 for DNS.",
    )
    delay = forms.IntegerField(
        label="Seconds before each answer",
        required=False,
        validators=between(1, 300),
        initial=BY_ID["slow"].delay,
        widget=forms.NumberInput(attrs={"data-unit": "seconds", **when(show="scenario=slow")}),
    )

    def __init__(self, page: NetworkPage) -> None:
        super().__init__(page, initial={"address": next_address(page.network)})
        self.lock_for_readers()

    def wish(self) -> Wish:
        cleaned = self.cleaned_data
        scenario = BY_ID[cleaned["scenario"]]
        return Wish(
            scenario=scenario,
            name=cleaned["name"],
            address=cleaned["address"],
            fqdn=cleaned["fqdn"],
            port=cleaned["port"],
            delay=cleaned["delay"] if scenario.delay else None,
        )

    def add(self) -> Outcome:
        outcome = add_server(self.page.caller, self.page.network, self.wish())
        self.show(outcome)
        return outcome


def _in_sandbox(page: NetworkPage) -> None:
    if page.network.group.subscription.sandbox_of_id is None:
        raise Http404(f"{page.network.name} is in no sandbox.")


@network_page
def add(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    _in_sandbox(page)
    form = LabServerForm(page)
    if form.is_bound and form.is_valid():
        outcome = form.add()
        if outcome.ok:
            name = form.cleaned_data["name"]
            return _done(request, f"The lab server “{name}” was added; it answers in a moment.")
    context = _pane(page, "Add a lab server", scenarios=CREATABLE)
    return show_form(page, form, context, fields="portal/lab/fields.html", adding=True)


@network_page
def delete(request: PortalRequest, page: NetworkPage, name: str) -> HttpResponse:
    """Ask (GET), or delete (POST)."""
    _in_sandbox(page)
    server = LabServer.objects.filter(virtual_network=page.network, name__iexact=name).first()
    if server is None:
        raise Http404(f"{page.network.name} has no lab server “{name}”.")
    server.virtual_network = page.network
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        outcome = delete_server(page.caller, server)
        if outcome.ok:
            return _done(request, f"The lab server “{server.name}” was deleted.")
        problems = [{"message": one.message, "remedy": one.remedy} for one in outcome.errors]
    action = delete_action(server)
    context = _pane(
        page,
        action.confirm_title,
        confirm_text=action.confirm_text,
        confirm_action=action.confirm_action,
        cancel_url=reverse("portal:lab"),
        problems=problems,
        errors_title="Not deleted",
    )
    return page.render("frame/confirm_page.html", context, status=422 if problems else 200)


def delete_action(server: LabServer) -> Action:
    """The entry of a server's menu; its network is read with its group."""
    return Action(
        "Delete",
        network_url(server.virtual_network, "network-lab-delete", server.name),
        "delete",
        confirm_title="Delete lab server",
        confirm_text=f"Delete the lab server “{server.name}” and its record “{server.fqdn}”? "
        "Reset sandbox brings the servers of the sandbox back.",
        confirm_action="OK",
    )


def _pane(page: NetworkPage, title: str, **extra: object) -> dict[str, object]:
    context = page.pane("network", title, **extra)
    crumbs = [Crumb("Home", reverse("portal:home")), Crumb("Lab", reverse("portal:lab"))]
    return {**context, "crumbs": crumbs, "icon": "lab", "close_url": reverse("portal:lab")}


def _done(request: PortalRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    return lead_to(request, reverse("portal:lab"))
