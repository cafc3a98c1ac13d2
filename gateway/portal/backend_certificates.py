"""The certificate part of a form: Create new with a CER file, or Select existing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone

from certificates.models import keep
from certificates.x509.places import uploads
from certificates.x509.places.uploads import Upload
from gateway.models import (
    AuthenticationCertificate,
    BackendHttpSettings,
    LoadedGateway,
    SettingsAuthenticationCertificate,
    SettingsTrustedRootCertificate,
    TrustedRootCertificate,
)
from gateway.models.fields import validate_name
from gateway.operations import Rejected, remove, store
from gateway.portal.forms import ChildForm, gone, refuse, when
from gateway.portal.pages import Page
from gateway.problems import declare

FILE_MISSING = declare(
    "cer-file-missing",
    title="No file chosen",
    why="A new certificate needs its file.",
    remedy="Choose the .cer file in “Upload CER certificate”, or select an existing certificate.",
)
NAME_MISSING = declare(
    "certificate-name-missing",
    title="The certificate has no name",
    why="Settings refer to a certificate by its name.",
    remedy="Enter a name for the certificate.",
)
TRUST_MISSING = declare(
    "trust-missing",
    title="Nothing says which backends to trust",
    why=(
        "A v2 gateway accepts a backend over HTTPS when its chain ends in a root that the setting "
        "lists, or in a well-known authority."
    ),
    remedy="Upload or select a trusted root certificate, or tick Use Well Known CA Certificate.",
    source="End-to-end TLS with the portal article",
)

AnyCertificate = AuthenticationCertificate | TrustedRootCertificate


class BackendCertificateFields:
    """Adds the certificate fields of an HTTPS setting to a form, reads and writes them.

    v1 gateways take *Backend authentication certificates* (the backend's leaf), v2 gateways
    *Trusted root certificates*, or *Use Well Known CA Certificate* and no upload.
    """

    def __init__(self, page: Page, setting: BackendHttpSettings) -> None:
        self.page = page
        self.is_v1 = page.gateway.is_v1
        self.model: type[AnyCertificate] = (
            AuthenticationCertificate if self.is_v1 else TrustedRootCertificate
        )
        # The row that joins a setting and a certificate; of two types that share their columns.
        self.link: Any = (
            SettingsAuthenticationCertificate if self.is_v1 else SettingsTrustedRootCertificate
        )
        self.upload: Upload | None = None
        self.data = b""
        self.attached: list[AnyCertificate] = []
        if setting.pk:
            links = self.link._default_manager.filter(settings=setting)
            self.attached = [
                link.certificate for link in links.select_related("certificate__certificate")
            ]
        attached = {one.pk for one in self.attached}
        self.others = [
            one
            for one in self.model._default_manager.filter(gateway=page.gateway)
            if one.pk not in attached
        ]

    @property
    def title(self) -> str:
        return "Backend authentication certificates" if self.is_v1 else "Trusted root certificates"

    @property
    def kind(self) -> str:
        """The kind of upload, as the preview names it."""
        return "authentication" if self.is_v1 else "root"

    def fields(self) -> dict[str, forms.Field]:
        shown = "protocol=Https" if self.is_v1 else "protocol=Https&!use_well_known_ca"
        if self.is_v1:
            shown += "&!use_for_app_service"
        new, existing = f"{shown}&certificate_source=new", f"{shown}&certificate_source=existing"
        preview = reverse("certificates:preview", args=[self.kind])
        # With a certificate attached, adding another one is a choice.
        bare = not self.attached
        fields: dict[str, forms.Field] = {}
        if self.attached:
            fields["attached"] = forms.MultipleChoiceField(
                label="Certificates of this setting",
                choices=[(one.name, one.name) for one in self.attached],
                initial=[one.name for one in self.attached],
                required=False,
                widget=forms.CheckboxSelectMultiple(attrs={"data-show-when": shown}),
                help_text="Clear a tick to stop trusting a certificate; it stays on the gateway.",
            )
        fields["certificate_source"] = forms.ChoiceField(
            label="Choose a certificate",
            choices=[("new", "Create new"), ("existing", "Select existing")],
            initial="new",
            required=False,
            widget=forms.RadioSelect(attrs={"data-show-when": shown}),
        )
        fields["certificate_name"] = forms.CharField(
            label="Name",
            max_length=80,
            required=False,
            validators=[validate_name],
            widget=forms.TextInput(attrs={**when(show=new, required=bare), "autocomplete": "off"}),
        )
        fields["certificate_file"] = forms.FileField(
            label="Upload CER certificate",
            required=False,
            allow_empty_file=True,
            help_text=(
                "The certificate that the backend server itself presents, exported without its "
                "private key as Base-64 encoded X.509 (.CER)."
                if self.is_v1
                else "The root certificate that the backend server's chain ends in, exported as "
                "Base-64 encoded X.509 (.CER)."
            ),
            widget=forms.FileInput(
                attrs={
                    **when(show=new, required=bare),
                    "accept": ".cer,.crt,.pem,.der,.txt,.p7b,.pfx,.p12",
                    "hx-preserve": "true",
                    "hx-post": preview,
                    "hx-encoding": "multipart/form-data",
                    "hx-trigger": "change",
                    "hx-params": "certificate_file",
                    "hx-target": "#certificate-preview",
                    "hx-swap": "innerHTML",
                    # The last file chosen is the one that is told about.
                    "hx-sync": "this:replace",
                }
            ),
        )
        fields["existing"] = forms.MultipleChoiceField(
            label="Certificates of this gateway",
            choices=[(one.name, one.name) for one in self.others],
            required=False,
            widget=forms.CheckboxSelectMultiple(attrs={"data-show-when": existing}),
        )
        return fields

    def clean(self, form: ChildForm[Any], *, required: bool) -> None:
        """Judge the fields; ``required`` asks for at least one certificate."""
        cleaned = form.cleaned_data
        if cleaned.get("certificate_source") == "existing":
            named = bool(cleaned.get("existing"))
            if "existing" in cleaned and required and not named and not cleaned.get("attached"):
                form.add_error("existing", refuse(TRUST_MISSING, "No certificate is selected."))
            return
        name, file = cleaned.get("certificate_name"), cleaned.get("certificate_file")
        if not name and not file:
            if required and not cleaned.get("attached") and not form.errors:
                form.add_error(
                    "certificate_file",
                    refuse(TRUST_MISSING, "Choose the root certificate of the backend servers."),
                )
            return
        if file is None and "certificate_file" not in form.errors:
            form.add_error(
                "certificate_file", refuse(FILE_MISSING, f"Choose the file of “{name}”.")
            )
        if not name and "certificate_name" not in form.errors:
            form.add_error(
                "certificate_name", refuse(NAME_MISSING, f"Name the certificate “{file}”.")
            )
        if file is None:
            return
        judge = (
            uploads.authentication_certificate if self.is_v1 else uploads.trusted_root_certificate
        )
        self.data = file.read()
        self.upload = judge(self.data, now=timezone.now(), base64_only=True)
        form.add_problems([one for one in self.upload.problems if one.is_error], "certificate_file")

    def write(self, loaded: LoadedGateway, setting: BackendHttpSettings, cleaned: Any) -> None:
        """Store a new certificate and link the wanted ones, in order."""
        wanted: list[AnyCertificate] = []
        names = list(cleaned.get("attached") or [])
        if cleaned.get("certificate_source") == "existing":
            names += cleaned.get("existing") or []
        for name in names:
            found = loaded.find(self.model, name)
            if found is None:
                raise Rejected(gone(self.model, name))
            wanted.append(found)
        if cleaned.get("certificate_source") != "existing" and self.upload is not None:
            wanted.append(self._store(loaded, cleaned["certificate_name"], self.upload))
        self.relink(setting, wanted)

    def _store(self, loaded: LoadedGateway, name: str, upload: Upload) -> AnyCertificate:
        position = 1 + max((one.position for one in loaded.children(self.model)), default=-1)
        row = self.model(
            gateway=loaded.gateway,
            name=name,
            position=position,
            data=self.data,
            certificate=keep(upload.certificates)[0],
        )
        store(row)
        return row

    def relink(self, setting: BackendHttpSettings, wanted: list[AnyCertificate]) -> None:
        """Make ``wanted`` the setting's certificates, leaving unchanged links alone."""
        links = {
            link.certificate_id: link
            for link in self.link._default_manager.filter(settings=setting)
        }
        for position, certificate in enumerate(wanted):
            link = links.pop(certificate.pk, None) or self.link(
                settings=setting, certificate=certificate
            )
            link.position = position
            store(link)
        for link in links.values():
            remove(link)
