"""The zone of a virtual network: the names that resolve inside it."""

from __future__ import annotations

from django import forms
from django.core.validators import validate_ipv4_address
from django.http import Http404, HttpResponse

from gateway.models import LabServer, VirtualNetwork, ZoneRecord
from gateway.models.fields import validate_domain_name
from gateway.operations import Rejected, change_network, remove, store
from gateway.operations.change import GONE
from gateway.operations.networks import Changes
from gateway.portal.editing import Action
from gateway.portal.network_pages import NetworkForm, NetworkPage, network_page, show_form
from gateway.portal.pages import PortalRequest
from gateway.problems import at


class RecordForm(NetworkForm):
    """A name and its address; a second record of a name gives it a second address."""

    name = forms.CharField(
        label="Name",
        max_length=253,
        validators=[validate_domain_name],
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="The whole name, for example www.contoso.test.",
    )
    address = forms.CharField(
        label="IP address",
        max_length=45,
        validators=[validate_ipv4_address],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For example the address of a lab server, or the private address of a gateway.",
    )

    def __init__(self, page: NetworkPage) -> None:
        super().__init__(page)
        self.lock_for_readers()

    def write(self, network: VirtualNetwork) -> Changes:
        name, address = self.cleaned_data["name"].rstrip(".").lower(), self.cleaned_data["address"]
        store(ZoneRecord(virtual_network=network, name=name, address=address))
        return [{"path": f"zone/{name}", "before": None, "after": address}]


@network_page
def index(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    servers = dict(
        LabServer.objects.filter(virtual_network=page.network).values_list("address", "name")
    )
    records = ZoneRecord.objects.filter(virtual_network=page.network)
    rows = [(one, servers.get(one.address, ""), [_delete(page, one)]) for one in records]
    return page.render("portal/networks/zone.html", page.blade("network-zone", rows=rows))


def _delete(page: NetworkPage, record: ZoneRecord) -> Action:
    return Action(
        "Delete",
        page.url("network-zone-delete", record.pk),
        "delete",
        confirm_title="Delete zone record",
        confirm_text=f"Delete “{record.name}” with the address {record.address}? Pools that name "
        "it will not find a server.",
        confirm_action="OK",
    )


@network_page
def add(request: PortalRequest, page: NetworkPage) -> HttpResponse:
    form = RecordForm(page)
    if form.is_bound and form.is_valid():
        name = form.cleaned_data["name"]
        outcome = form.save(f"Add zone record {name}"[:160], form.write)
        if outcome.ok:
            return page.done(f"The record “{name}” was added.", "network-zone")
    context = page.pane("network-zone", "Add zone record")
    return show_form(page, form, context, fields="forms/visible.html", adding=True)


@network_page
def delete(request: PortalRequest, page: NetworkPage, record: int) -> HttpResponse:
    """Ask (GET), or delete (POST)."""
    # A number that no database holds is nowhere as well.
    known = {one.pk: one for one in ZoneRecord.objects.filter(virtual_network=page.network)}
    found = known.get(record)
    if found is None:
        raise Http404(f"{page.network.name} has no such record.")
    problems: list[dict[str, str]] = []
    if request.method == "POST":

        def write(network: VirtualNetwork) -> Changes:
            row = ZoneRecord.objects.filter(virtual_network=network, pk=found.pk).first()
            if row is None:
                raise Rejected(at(GONE, f"The record “{found.name}” was deleted meanwhile."))
            remove(row)
            return [{"path": f"zone/{row.name}", "before": row.address, "after": None}]

        outcome = change_network(
            page.caller,
            page.network,
            operation=f"Delete zone record {found.name}"[:160],
            write=write,
        )
        if outcome.ok:
            return page.done(f"The record “{found.name}” was deleted.", "network-zone")
        problems = [{"message": one.message, "remedy": one.remedy} for one in outcome.errors]
    action = _delete(page, found)
    context = page.pane(
        "network-zone",
        action.confirm_title,
        confirm_text=action.confirm_text,
        confirm_action=action.confirm_action,
        cancel_url=page.url("network-zone"),
        problems=problems,
        errors_title="Not deleted",
    )
    return page.render("frame/confirm_page.html", context, status=422 if problems else 200)
