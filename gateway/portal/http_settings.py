"""HTTP settings: how the gateway talks to backend servers, and which of them it trusts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse

from gateway.models import BackendHttpSettings, LoadedGateway, Probe, Protocol
from gateway.operations import store
from gateway.portal.backend_certificates import BackendCertificateFields
from gateway.portal.editing import delete_child, edit_child
from gateway.portal.forms import ChildForm, when
from gateway.portal.lists import show_list
from gateway.portal.pages import Page, PortalRequest, gateway_page

DISABLED_ENABLED = [(False, "Disabled"), (True, "Enabled")]


class HttpSettingForm(ChildForm[BackendHttpSettings]):
    """Labels and order are those of the documents' *HTTP settings* blade."""

    fields_beside = {
        "authenticationCertificates": {"name": "certificate_name", "data": "certificate_file"},
        "trustedRootCertificates": {"name": "certificate_name", "data": "certificate_file"},
    }

    use_well_known_ca = forms.BooleanField(
        label="Use Well Known CA Certificate",
        required=False,
        widget=forms.CheckboxInput(attrs=when(show="protocol=Https")),
        help_text=(
            "Tick it when the backend certificates come from a public authority: nothing has to "
            "be uploaded then."
        ),
    )
    use_for_app_service = forms.BooleanField(
        label="Use for App service",
        required=False,
        widget=forms.CheckboxInput(attrs=when(show="protocol=Https")),
        help_text=(
            "For App Service backends: the host name of the pool's target is sent, and its public "
            "certificate is trusted without an upload."
        ),
    )
    use_custom_probe = forms.BooleanField(
        label="Use custom probe",
        required=False,
        help_text="Without one, a GET of / is sent every 30 seconds.",
    )

    class Meta:
        model = BackendHttpSettings
        fields = (
            "name",
            "cookie_based_affinity",
            "connection_draining_enabled",
            "drain_timeout",
            "protocol",
            "port",
            "path",
            "request_timeout",
            "probe",
            "pick_host_name_from_backend_address",
            "host_name",
            "validate_cert_chain_and_expiry",
            "validate_sni",
            "sni_name",
        )
        widgets = {
            "cookie_based_affinity": forms.RadioSelect,
            "protocol": forms.RadioSelect,
            "drain_timeout": forms.NumberInput(
                attrs=when(show="connection_draining_enabled=True", unit="seconds")
            ),
            "port": forms.NumberInput(
                attrs={"data-preset-from": "protocol", "data-preset": '{"Http":80,"Https":443}'}
            ),
            "path": forms.TextInput(attrs={"placeholder": "/"}),
            "request_timeout": forms.NumberInput(attrs=when(unit="seconds")),
            "probe": forms.Select(attrs=when(show="use_custom_probe")),
            "host_name": forms.TextInput(
                attrs={
                    "placeholder": "e.g. contoso.com",
                    **when(enable="!pick_host_name_from_backend_address"),
                }
            ),
            "validate_cert_chain_and_expiry": forms.CheckboxInput(
                attrs=when(show="protocol=Https")
            ),
            "validate_sni": forms.CheckboxInput(attrs=when(show="protocol=Https")),
            "sni_name": forms.TextInput(attrs=when(show="protocol=Https&validate_sni")),
        }
        labels = {"drain_timeout": "Drain timeout", "request_timeout": "Request timeout"}
        help_texts = {
            "cookie_based_affinity": "Keeps one user's session on one server by a cookie.",
            "connection_draining_enabled": (
                "Lets requests under way finish when a server leaves the pool."
            ),
            "protocol": "HTTPS encrypts the way from the gateway to the backend servers.",
            "path": "Put in front of the path of each request, for example /override/.",
            "pick_host_name_from_backend_address": (
                "Sends the pool target's own name as host name and SNI. It needs names as "
                "targets: an IP address cannot be sent as SNI."
            ),
            "host_name": (
                "Sent to the backend as host name and SNI. On a v2 gateway the backend's "
                "certificate must carry it."
            ),
            "validate_cert_chain_and_expiry": "Off skips chain and dates together: tests only.",
            "validate_sni": "Off skips the comparison of names: tests only.",
            "sni_name": "An SNI of its own, which the certificate must then carry.",
        }

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(page, *args, **kwargs)
        setting = self.instance
        self.certificates = BackendCertificateFields(page, setting)
        self.fields |= self.certificates.fields()
        self.fields["connection_draining_enabled"] = forms.TypedChoiceField(
            label="Connection draining",
            choices=DISABLED_ENABLED,
            coerce=lambda value: value in (True, "True"),
            widget=forms.RadioSelect,
            help_text=self.fields["connection_draining_enabled"].help_text,
        )
        for name in ("drain_timeout", "sni_name", "host_name"):
            self.fields[name].required = False
        self.fields["path"].required = False
        probes = Probe.objects.filter(gateway=page.gateway)
        self.fields["probe"].queryset = probes  # type: ignore[attr-defined]
        self.fields["probe"].empty_label = "Choose a probe"  # type: ignore[attr-defined]
        self.initial["use_custom_probe"] = setting.probe_id is not None
        https = setting.protocol == Protocol.HTTPS
        if page.gateway.is_v1:
            for name in (
                "use_well_known_ca",
                "validate_cert_chain_and_expiry",
                "validate_sni",
                "sni_name",
            ):
                del self.fields[name]
            self.initial["use_for_app_service"] = (
                https
                and setting.pick_host_name_from_backend_address
                and not self.certificates.attached
            )
        else:
            del self.fields["use_for_app_service"]
            # Derived: a stored HTTPS setting without roots uses the well-known authorities.
            self.initial["use_well_known_ca"] = (
                not self.adding and https and not self.certificates.attached
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        https = cleaned.get("protocol") == Protocol.HTTPS
        if cleaned.get("use_for_app_service") and https:
            cleaned["pick_host_name_from_backend_address"] = True
        if cleaned.get("pick_host_name_from_backend_address"):
            cleaned["host_name"] = ""
        if not cleaned.get("use_custom_probe"):
            cleaned["probe"] = None
        elif cleaned.get("probe") is None and "probe" not in self.errors:
            self.add_error("probe", "Choose a probe, or clear “Use custom probe”.")
        if "sni_name" in cleaned and not cleaned.get("validate_sni"):
            cleaned["sni_name"] = ""
        if self.wants_certificates(cleaned):
            self.certificates.clean(self, required=not self.page.gateway.is_v1)
        return cleaned

    def wants_certificates(self, cleaned: dict[str, Any]) -> bool:
        return (
            cleaned.get("protocol") == Protocol.HTTPS
            and not cleaned.get("use_well_known_ca")
            and not cleaned.get("use_for_app_service")
        )

    def write(self, loaded: LoadedGateway) -> None:
        row = self.row(loaded)
        self.copy_to(row)
        store(row)
        if self.wants_certificates(self.cleaned_data):
            self.certificates.write(loaded, row, self.cleaned_data)
        else:
            self.certificates.relink(row, [])


@gateway_page
def index(request: PortalRequest, page: Page) -> HttpResponse:
    settings = BackendHttpSettings.objects.filter(gateway=page.gateway).select_related("probe")
    return show_list(
        page,
        "http-settings",
        ("Port", "Protocol", "Cookie based affinity", "Custom probe"),
        [
            (
                one,
                (one.port, one.get_protocol_display(), one.cookie_based_affinity, one.probe),
            )
            for one in settings
        ],
        plural="HTTP settings",
        sentence="An HTTP setting says how the gateway talks to backend servers.",
        adds=[("Add", page.url("http-settings-add"))],
    )


@gateway_page
def add(request: PortalRequest, page: Page) -> HttpResponse:
    setting = BackendHttpSettings(gateway=page.gateway)
    form = HttpSettingForm(page, instance=setting, **page.sent)
    return edit_child(page, form, "http-settings", "portal/http_settings/fields.html")


@gateway_page
def edit(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    setting = page.child(BackendHttpSettings, name)
    form = HttpSettingForm(page, instance=setting, **page.sent)
    return edit_child(page, form, "http-settings", "portal/http_settings/fields.html")


@gateway_page
def delete(request: PortalRequest, page: Page, name: str) -> HttpResponse:
    return delete_child(page, page.child(BackendHttpSettings, name), "http-settings")
