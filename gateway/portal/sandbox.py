"""Reset of one's own sandbox: what it replaces, the question, and the deed."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from gateway.accounts.models import Subscription, User
from gateway.lab.holdings import held_of
from gateway.lab.sandbox import SandboxError, reset_sandbox
from gateway.models import LabServer, ResourceGroup, ZoneRecord
from gateway.portal.pages import Crumb, PortalRequest
from gateway.portal.resources import rows_of

TITLE = "Reset sandbox"
QUESTION = (
    "Everything below is deleted, and both gateways, their networks, the lab servers and their "
    "certificates in your stores are set up afresh. Your lab CA, the activity log, what else is in "
    "your stores, your files and what you downloaded stay."
)


@dataclass(frozen=True, slots=True)
class Affected:
    """A line of the question; see ``frame/confirm.html``."""

    name: str
    type: str
    icon: str


def affected_by_reset(owner: User, sandbox: Subscription) -> list[Affected]:
    """What a reset replaces, group by group (seven queries, whatever stands in the sandbox)."""
    groups = ResourceGroup.objects.filter(subscription=sandbox)
    found = [Affected(group.name, "Resource group", "group") for group in groups]
    found += [
        Affected(row.name, f"{row.type} in {row.group}", row.icon) for row in rows_of([sandbox])
    ]
    networks = {"virtual_network__group__subscription": sandbox}
    servers = LabServer.objects.filter(**networks).count()
    if servers:
        found.append(Affected(f"{servers} lab servers", "Servers and their certificates", "server"))
    records = ZoneRecord.objects.filter(**networks).count()
    if records:
        found.append(Affected(f"{records} zone records", "Names and addresses", "zone"))
    for entry in held_of(owner.pk, sandbox):
        name = entry.friendly_name or entry.certificate.parsed.label
        place = f"{entry.get_store_display()}, {entry.get_folder_display()}"
        found.append(Affected(name, f"Certificate in {place}", "certificate"))
    return found


@login_required
def reset(request: PortalRequest) -> HttpResponse:
    """Ask (GET), or put one's own sandbox back as it was at first (POST)."""
    sandbox = get_object_or_404(Subscription, sandbox_of=request.user)
    if request.method == "POST":
        try:
            reset_sandbox(request.user)
        except SandboxError as error:
            messages.error(request, f"{sandbox.name} was not reset: {error}")
        else:
            messages.success(request, f"{sandbox.name} is as it was at first.")
        return redirect("portal:lab")
    context = {
        "crumbs": [
            Crumb("Home", reverse("portal:home")),
            Crumb("Lab", reverse("portal:lab")),
        ],
        "icon": "lab",
        "title": TITLE,
        "subtitle": sandbox.name,
        "close_url": reverse("portal:lab"),
        "cancel_url": reverse("portal:lab"),
        "confirm_title": TITLE,
        "confirm_text": QUESTION,
        "confirm_action": "Reset",
        "affected": affected_by_reset(request.user, sandbox),
    }
    return render(request, "frame/confirm_page.html", context)
