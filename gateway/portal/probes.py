"""Health probes: how backend servers are asked whether they are well."""

from __future__ import annotations

import re
from typing import Any, cast

from django import forms
from django.http import HttpResponse
from django.utils import timezone

from gateway.health.trial import Trial, try_probe
from gateway.models import BackendHttpSettings, LoadedGateway, Probe, load_gateway
from gateway.operations import store
from gateway.portal.editing import delete_child, edit_child, show_form
from gateway.portal.forms import ChildForm, when
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page

# What counts as healthy without matching conditions (Application Gateway health probes article).
HEALTHY_CODES = "200-399"
# Somebody waits for the test of a probe, and one of the portal's threads with them.
TRIAL_SECONDS = 15


def split_codes(text: str) -> list[str]:
    """``"200 - 399, 401"`` → ``["200-399", "401"]``; the rules judge each entry."""
    entries = (re.sub(r"\s+", "", entry) for entry in text.split(","))
    return [entry for entry in entries if entry]


class ProbeForm(ChildForm[Probe]):
    """Labels and order are those of the documents' *Add health probe* pane."""

    fields_of = {"match_status_codes": "status_codes"}
    fields_beside = {BackendHttpSettings.collection: {"probe": "used_by"}}

    pick_port_from_settings = forms.BooleanField(
        label="Pick port from backend HTTP settings",
        required=False,
        help_text="Clear it to probe another port than the one that requests go to.",
    )
    use_match = forms.BooleanField(
        label="Use probe matching conditions",
        required=False,
        help_text="Without conditions every answer with a status from 200 to 399 is healthy.",
    )
    status_codes = forms.CharField(
        label="HTTP response status code match",
        max_length=1000,
        required=False,
        help_text="Codes and ranges that are healthy, with commas between: 200-399, 401.",
        widget=forms.TextInput(
            attrs={"placeholder": HEALTHY_CODES, "autocomplete": "off", **when(show="use_match")}
        ),
    )

    used_by = forms.MultipleChoiceField(
        label="HTTP settings",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=(
            "A probe does nothing until an HTTP setting of the same protocol uses it. Settings "
            "with another probe are not offered."
        ),
    )

    class Meta:
        model = Probe
        fields = (
            "name",
            "protocol",
            "host",
            "pick_host_name_from_settings",
            "port",
            "path",
            "interval",
            "timeout",
            "unhealthy_threshold",
            "min_servers",
            "match_body",
        )
        widgets = {
            "protocol": forms.RadioSelect,
            "host": forms.TextInput(
                attrs={
                    "placeholder": "www.contoso.com",
                    **when(show="!pick_host_name_from_settings"),
                }
            ),
            "port": forms.NumberInput(attrs=when(show="!pick_port_from_settings")),
            "match_body": forms.TextInput(attrs={"autocomplete": "off", **when(show="use_match")}),
        }
        help_texts = {
            "protocol": "The same as in the HTTP settings that use this probe.",
            "host": (
                "Sent as host name with each probe. Servers with a single site on a v1 gateway "
                "take 127.0.0.1."
            ),
            "pick_host_name_from_settings": (
                "Sends what the HTTP setting sends: its own host name or that of the pool's target."
            ),
            "port": "Asked instead of the port of the HTTP setting.",
            "path": "What is asked for on the server; it begins with a slash.",
            "interval": "From the beginning of one probe to that of the next.",
            "timeout": "No answer within this time counts as a failure. Not above the interval.",
            "unhealthy_threshold": "So many failures in a row make a server unhealthy.",
            "min_servers": "So many servers are kept in use, however unwell they are.",
            "match_body": "A text that the answer must hold to be healthy; empty: any answer.",
        }

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(page, *args, **kwargs)
        probe = self.instance
        self.fields["host"].required = True
        if page.gateway.is_v1:
            del self.fields["pick_port_from_settings"], self.fields["port"]
        else:
            self.fields["port"].required = True
            self.initial["pick_port_from_settings"] = probe.port is None
        offered = [
            one
            for one in BackendHttpSettings.objects.filter(gateway=page.gateway)
            if one.probe_id in (None, probe.pk)
        ]
        used_by = cast(forms.MultipleChoiceField, self.fields["used_by"])
        used_by.choices = [
            (one.name, f"{one.name} ({one.get_protocol_display()}, port {one.port})")
            for one in offered
        ]
        self.initial["used_by"] = [one.name for one in offered if probe.pk and one.probe_id]
        matching = bool(probe.match_status_codes or probe.match_body)
        self.initial["use_match"] = matching
        self.initial["status_codes"] = (
            ", ".join(probe.match_status_codes) if matching else HEALTHY_CODES
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("pick_host_name_from_settings"):
            cleaned["host"] = ""
        if cleaned.get("pick_port_from_settings"):
            cleaned["port"] = None
        codes = split_codes(cleaned.get("status_codes") or "")
        if not cleaned.get("use_match"):
            codes, cleaned["match_body"] = [], ""
        elif not codes and not cleaned.get("match_body") and not self.errors:
            self.add_error(
                "status_codes",
                "Enter codes, a text, or both; or clear “Use probe matching conditions”.",
            )
        cleaned["match_status_codes"] = codes
        return cleaned

    def copy_to(self, row: Probe) -> None:
        super().copy_to(row)
        row.match_status_codes = self.cleaned_data["match_status_codes"]

    def write(self, loaded: LoadedGateway) -> None:
        probe = self.row(loaded)
        self.copy_to(probe)
        store(probe)
        chosen = set(self.cleaned_data["used_by"])
        for settings in loaded.http_settings:
            uses = settings.probe_id == probe.pk
            if (settings.name in chosen) != uses:
                settings.probe = None if uses else probe
                store(settings)

    def trial(self) -> Trial:
        """Probe the servers behind the chosen settings as the form stands; nothing is stored.

        Only of a valid form, and outside a transaction.
        """
        loaded = load_gateway(self.page.gateway)
        probe = Probe(gateway=self.page.gateway, name="test")
        self.copy_to(probe)
        chosen = [one for one in loaded.http_settings if one.name in self.cleaned_data["used_by"]]
        return try_probe(loaded, probe, chosen, now=timezone.now(), seconds=TRIAL_SECONDS)


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    probes = Probe.objects.filter(gateway=page.gateway)
    return show_list(
        page,
        "probes",
        ("Protocol", "Host", "Path", "Timeout (seconds)"),
        [
            (
                one,
                (
                    one.get_protocol_display(),
                    "from HTTP settings" if one.pick_host_name_from_settings else one.host,
                    one.path,
                    one.timeout,
                ),
            )
            for one in probes
        ],
        plural="health probes",
        sentence="Without a custom probe, each server is asked for / every 30 seconds.",
        adds=[("Add", page.url("probes-add"))],
    )


@gateway_page
def add(request: PortalRequest, page: Page) -> HttpResponse:
    return _form(page, Probe(gateway=page.gateway))


@gateway_page
def edit(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return _form(page, page.child(Probe, name))


def _form(page: Page, probe: Probe) -> HttpResponse:
    form = ProbeForm(page, instance=probe, **page.sent)
    fields = "portal/probes/fields.html"
    # The cloud tests probes of v2 gateways only.
    if page.may_write and not page.gateway.is_v1 and "test" in page.request.POST:
        trial = form.trial() if form.is_valid() else None
        status = form.status if trial is None else 200
        return show_form(
            page, form, "probes", fields, status=status, trial=trial, trial_seconds=TRIAL_SECONDS
        )
    return edit_child(page, form, "probes", fields, trial_seconds=TRIAL_SECONDS)


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(Probe, name), "probes")
