"""Listeners: where the gateway accepts requests, Basic or Multi-site."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse

from gateway.models import (
    FrontendIPConfiguration,
    FrontendPort,
    HttpListener,
    LoadedGateway,
    Protocol,
    RequestRoutingRule,
)
from gateway.models.fields import between, validate_name
from gateway.operations import Rejected, store
from gateway.portal.editing import delete_child, edit_child
from gateway.portal.forms import ChildForm, gone, when
from gateway.portal.listener_certificates import ListenerCertificateFields
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page

# No stored port can have this name: names begin with a letter or a digit.
NEW_PORT = "-new"


class ListenerForm(ChildForm[HttpListener]):
    """Labels and order are those of the documents' *Add basic / multi-site listener* panes."""

    fields_of = {
        "data": "certificate_file",
        "ssl_certificate": "certificate_file",
    }
    fields_beside = {
        "frontendPorts": {"name": "port_name", "port": "port_number"},
        "sslCertificates": {"name": "certificate_name", "data": "certificate_file"},
    }

    frontend_port = forms.ChoiceField(
        label="Frontend port",
        help_text="A port of this gateway, or a new one.",
        widget=forms.Select(attrs={"data-preset-from": "protocol"}),
    )
    port_name = forms.CharField(
        label="Port name",
        max_length=80,
        validators=[validate_name],
        widget=forms.TextInput(
            attrs={
                **when(show=f"frontend_port={NEW_PORT}"),
                "data-preset-from": "protocol",
                "data-preset": '{"Http":"port_8080","Https":"port_443"}',
            }
        ),
    )
    port_number = forms.IntegerField(
        label="Port",
        validators=between(1, 65535),
        widget=forms.NumberInput(
            attrs={
                **when(show=f"frontend_port={NEW_PORT}"),
                "data-preset-from": "protocol",
                "data-preset": '{"Http":8080,"Https":443}',
            }
        ),
    )
    host_type = forms.ChoiceField(
        label="Host type",
        choices=[("single", "Single"), ("multiple", "Multiple/Wildcard")],
        widget=forms.RadioSelect,
    )
    host_names = forms.CharField(
        label="Host names",
        help_text=(
            "One name on each line, five at most; * and ? stand for any characters, "
            "for example *.contoso.com."
        ),
        widget=forms.Textarea(attrs={"rows": 3, **when(show="host_type=multiple")}),
    )

    class Meta:
        model = HttpListener
        fields = ("name", "frontend_ip_configuration", "host_name", "protocol")
        widgets = {
            "protocol": forms.RadioSelect,
            "host_name": forms.TextInput(attrs={"placeholder": "www.contoso.com"}),
        }
        help_texts = {
            "host_name": "Requests are taken by this listener when they ask for this host.",
            "protocol": "HTTPS needs a certificate. The protocol of a listener is fixed for good.",
        }

    def __init__(self, page: Page, *args: Any, multi_site: bool, **kwargs: Any) -> None:
        super().__init__(page, *args, **kwargs)
        listener = self.instance
        self.multi_site = multi_site
        self.certificates = ListenerCertificateFields(page, listener)
        self.shows_certificate = self.adding or listener.protocol == Protocol.HTTPS
        if self.shows_certificate:
            self.fields |= self.certificates.fields()
        if not self.adding:
            del self.fields["protocol"]
        self._offer_frontends(page)
        self._offer_ports(page)
        self._offer_hosts(page)

    def _offer_frontends(self, page: Page) -> None:
        field = self.fields["frontend_ip_configuration"]
        frontends = FrontendIPConfiguration.objects.filter(gateway=page.gateway)
        field.queryset = frontends  # type: ignore[attr-defined]
        # Read once: choices of a query are read anew by everything that looks at them.
        field.choices = [(one.pk, str(one)) for one in frontends]  # type: ignore[attr-defined]

    def _offer_ports(self, page: Page) -> None:
        ports = list(FrontendPort.objects.filter(gateway=page.gateway))
        field = self.fields["frontend_port"]
        field.choices = [  # type: ignore[attr-defined]
            *((one.name, str(one)) for one in ports),
            (NEW_PORT, "New"),
        ]
        chosen = next((one for one in ports if one.pk == self.instance.frontend_port_id), None)
        self.initial["frontend_port"] = chosen.name if chosen else field.choices[0][0]  # type: ignore[attr-defined]
        secure = next((one.name for one in ports if one.port == 443), NEW_PORT)
        plain = self.initial["frontend_port"]
        if self.adding:
            field.widget.attrs["data-preset"] = f'{{"Http":"{plain}","Https":"{secure}"}}'
        else:
            field.widget.attrs.pop("data-preset-from")

    def _offer_hosts(self, page: Page) -> None:
        several = page.gateway.is_v1 is False
        if not self.multi_site:
            for name in ("host_name", "host_type", "host_names"):
                del self.fields[name]
            return
        self.fields["host_name"].required = True
        if not several:
            del self.fields["host_type"], self.fields["host_names"]
            return
        self.fields["host_name"].widget.attrs.update(when(show="host_type=single"))
        self.initial["host_type"] = "multiple" if self.instance.host_names else "single"
        self.initial["host_names"] = "\n".join(self.instance.host_names)

    @property
    def https(self) -> bool:
        protocol = self.cleaned_data.get("protocol") if self.adding else self.instance.protocol
        return bool(protocol == Protocol.HTTPS)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.https:
            self.certificates.clean(self)
        if cleaned.get("host_type") == "multiple":
            cleaned["host_name"] = ""
        elif "host_names" in cleaned:
            cleaned["host_names"] = ""
        return cleaned

    def write(self, loaded: LoadedGateway) -> None:
        cleaned = self.cleaned_data
        row = self.row(loaded)
        self.copy_to(row)
        if self.multi_site:
            row.host_name = cleaned.get("host_name", "")
            row.host_names = cleaned.get("host_names", "").split()
        row.frontend_port = self._port(loaded)
        if self.https:
            row.ssl_certificate = self.certificates.write(loaded, cleaned)
            row.require_server_name_indication = not row.is_basic
        store(row)

    def _port(self, loaded: LoadedGateway) -> FrontendPort:
        wanted = self.cleaned_data["frontend_port"]
        if wanted != NEW_PORT:
            found = loaded.find(FrontendPort, wanted)
            if found is None:
                raise Rejected(gone(FrontendPort, wanted))
            return found
        position = 1 + max((one.position for one in loaded.frontend_ports), default=-1)
        port = FrontendPort(
            gateway=loaded.gateway,
            name=self.cleaned_data["port_name"],
            port=self.cleaned_data["port_number"],
            position=position,
        )
        store(port)
        return port


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    listeners = HttpListener.objects.filter(gateway=page.gateway).select_related("frontend_port")
    rules = {
        rule.http_listener_id: rule
        for rule in RequestRoutingRule.objects.filter(gateway=page.gateway)
    }
    return show_list(
        page,
        "listeners",
        ("Protocol", "Port", "Associated rule", "Host name"),
        [
            (
                one,
                (
                    one.get_protocol_display(),
                    one.frontend_port.port if one.frontend_port else "",
                    rules.get(one.pk),
                    ", ".join(one.hosts),
                ),
            )
            for one in listeners
        ],
        plural="listeners",
        sentence="A listener accepts requests on an address, a port and, if wanted, a host name.",
        adds=[
            ("Basic", page.url("listeners-add", "basic")),
            ("Multi-site", page.url("listeners-add", "multi-site")),
        ],
    )


@gateway_page
def add(request: PortalRequest, page: Page, kind: str) -> HttpResponse:
    multi_site = kind == "multi-site"
    listener = HttpListener(gateway=page.gateway)
    form = ListenerForm(page, instance=listener, multi_site=multi_site, **page.sent)
    title = f"Add {'multi-site' if multi_site else 'basic'} listener"
    return edit_child(page, form, "listeners", "portal/listeners/fields.html", title=title)


@gateway_page
def edit(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    listener = page.child(HttpListener, name)
    multi_site = not listener.is_basic
    form = ListenerForm(page, instance=listener, multi_site=multi_site, **page.sent)
    rule = RequestRoutingRule.objects.filter(http_listener=listener).first()
    return edit_child(
        page,
        form,
        "listeners",
        "portal/listeners/fields.html",
        rule=rule,
        rule_url=page.url("rules-edit", rule.name) if rule else "",
    )


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(HttpListener, name), "listeners")
