"""Health probes: how backend servers are asked whether they are well."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import HttpResponse

from gateway.models import BackendHttpSettings, Probe
from gateway.portal.editing import delete_child, edit_child
from gateway.portal.forms import ChildForm, when
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page

# What counts as healthy without matching conditions (Application Gateway health probes article).
HEALTHY_CODES = "200-399"


def split_codes(text: str) -> list[str]:
    """``"200 - 399, 401"`` → ``["200-399", "401"]``; the rules judge each entry."""
    entries = (re.sub(r"\s+", "", entry) for entry in text.split(","))
    return [entry for entry in entries if entry]


class ProbeForm(ChildForm[Probe]):
    """Labels and order are those of the documents' *Add health probe* pane."""

    fields_of = {"match_status_codes": "status_codes"}

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
    probe = page.child(Probe, name)
    settings = [
        (setting.name, page.url("http-settings-edit", setting.name))
        for setting in BackendHttpSettings.objects.filter(probe=probe)
    ]
    return _form(page, probe, settings=settings)


def _form(page: Page, probe: Probe, **context: Any) -> HttpResponse:
    form = ProbeForm(page, instance=probe, **page.sent)
    return edit_child(page, form, "probes", "portal/probes/fields.html", **context)


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(Probe, name), "probes")
