"""The certificate part of a listener's form: a new PFX file, a stored one, or its renewal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.urls import reverse
from django.utils import timezone

from certificates.form_errors import field_of_upload
from certificates.models import keep
from certificates.x509.places import uploads
from certificates.x509.places.uploads import Upload
from gateway.models import (
    HttpListener,
    LoadedGateway,
    SslCertificate,
    SslCertificateKey,
    SslCertificatePart,
)
from gateway.models.fields import validate_name
from gateway.operations import Rejected, remove, store
from gateway.portal.forms import ChildForm, gone, refuse, when
from gateway.portal.pages import Page
from gateway.problems import declare

PFX_MISSING = declare(
    "pfx-file-missing",
    title="No PFX file chosen",
    why="An HTTPS listener presents a certificate and needs its private key: a PFX holds both.",
    remedy="Choose the .pfx file in “Upload PFX certificate”, or select an existing certificate.",
    source="TLS termination with the portal article",
    arm_code="ApplicationGatewaySslCertificateDataMustBeSpecified",
)
LISTENER_CERTIFICATE_MISSING = declare(
    "listener-certificate-unchosen",
    title="No certificate selected",
    why="An HTTPS listener needs a certificate.",
    remedy="Select one of the gateway's certificates, or upload a new PFX file.",
    source="Listener configuration article",
)
PFX_NAME_MISSING = declare(
    "pfx-name-missing",
    title="The certificate has no name",
    why="Listeners refer to a certificate by its name.",
    remedy="Enter a name for the certificate.",
)


class ListenerCertificateFields:
    """Adds the certificate fields of an HTTPS listener to a form, reads and writes them."""

    def __init__(self, page: Page, listener: HttpListener) -> None:
        self.page = page
        self.listener = listener
        self.upload: Upload | None = None
        self.stored = list(SslCertificate.objects.filter(gateway=page.gateway))

    @property
    def size_limit(self) -> int:
        return uploads.LISTENER_PFX_LIMITS[self.page.gateway.generation_label]

    def fields(self) -> dict[str, forms.Field]:
        adding = self.listener.pk is None
        # Found among those read already: the row's own way to it would be another query.
        current = next(
            (one for one in self.stored if one.pk == self.listener.ssl_certificate_id), None
        )
        chosen = "existing" if current else "new"
        https = "protocol=Https" if adding else ""
        new = f"{https}&certificate_source=new"
        existing = f"{https}&certificate_source=existing"
        file_shown = new if not current else "certificate_source=new|renew"
        sources = [("new", "New"), ("existing", "Existing")]
        if current:
            sources.append(("renew", "Renew or edit selected certificate"))
        return {
            "certificate_source": forms.ChoiceField(
                label="Certificate",
                choices=sources,
                initial=chosen,
                required=False,
                widget=forms.RadioSelect(attrs=when(show=https)),
            ),
            "certificate_file": forms.FileField(
                label="Upload PFX certificate",
                required=False,
                allow_empty_file=True,
                help_text=(
                    "A .pfx file with the listener's certificate, its private key and, best, the "
                    f"whole chain: at most {self.size_limit // 1024} KB."
                ),
                widget=forms.FileInput(
                    attrs={
                        **when(show=file_shown, required=True),
                        "accept": ".pfx,.p12",
                        "hx-preserve": "true",
                        **self._preview("change"),
                    }
                ),
            ),
            "certificate_name": forms.CharField(
                label="Certificate name",
                max_length=80,
                required=False,
                validators=[validate_name],
                widget=forms.TextInput(
                    attrs={**when(show=new, required=True), "autocomplete": "off"}
                ),
            ),
            "certificate_password": forms.CharField(
                label="Password",
                required=False,
                strip=False,
                widget=forms.PasswordInput(
                    attrs={
                        **when(show=file_shown, required=True),
                        "autocomplete": "off",
                        "hx-preserve": "true",
                        # While one types, too: what it opens is seen without leaving the box.
                        **self._preview("input changed delay:500ms, change"),
                    }
                ),
            ),
            "ssl_certificate": forms.ChoiceField(
                label="Certificate of this gateway",
                choices=[("", "Choose a certificate")]
                + [(one.name, one.name) for one in self.stored],
                initial=current.name if current else "",
                required=False,
                widget=forms.Select(attrs=when(show=existing, required=True)),
            ),
        }

    def _preview(self, trigger: str) -> dict[str, str]:
        generation = self.page.gateway.generation_label
        return {
            "hx-post": reverse("certificates:preview", args=[f"listener-{generation}"]),
            "hx-encoding": "multipart/form-data",
            "hx-trigger": trigger,
            "hx-include": "#id_certificate_file, #id_certificate_password",
            "hx-params": "certificate_file,certificate_password",
            "hx-target": "#certificate-preview",
            "hx-swap": "innerHTML",
            "hx-sync": "#certificate-preview:replace",
        }

    def clean(self, form: ChildForm[Any]) -> None:
        cleaned = form.cleaned_data
        source = cleaned.get("certificate_source") or "new"
        if source == "existing":
            if not cleaned.get("ssl_certificate") and "ssl_certificate" not in form.errors:
                form.add_error(
                    "ssl_certificate",
                    refuse(LISTENER_CERTIFICATE_MISSING, "Choose a certificate."),
                )
            return
        file = cleaned.get("certificate_file")
        if file is None:
            form.add_error("certificate_file", refuse(PFX_MISSING, "Choose a PFX file."))
        unnamed = source == "new" and not cleaned.get("certificate_name")
        if unnamed and "certificate_name" not in form.errors:
            form.add_error("certificate_name", refuse(PFX_NAME_MISSING, "Name the certificate."))
        if file is None:
            return
        self.upload = uploads.listener_certificate(
            file.read(),
            cleaned.get("certificate_password") or "",
            size_limit=self.size_limit,
            now=timezone.now(),
        )
        for problem in self.upload.problems:
            if problem.is_error:
                place = field_of_upload(problem, "certificate_file", "certificate_password")
                form.add_problems([problem], place)

    def write(self, loaded: LoadedGateway, cleaned: dict[str, Any]) -> SslCertificate:
        """The certificate that the listener shall present; stored or renewed as asked."""
        source = cleaned.get("certificate_source") or "new"
        if source == "existing":
            return _find(loaded, cleaned["ssl_certificate"])
        assert self.upload is not None, "clean() has judged the file"  # noqa: S101
        if source == "renew" and self.listener.ssl_certificate:
            row = _find(loaded, self.listener.ssl_certificate.name)
        else:
            position = 1 + max((one.position for one in loaded.ssl_certificates), default=-1)
            row = SslCertificate(
                gateway=loaded.gateway, name=cleaned["certificate_name"], position=position
            )
            store(row)
        fill(row, self.upload)
        return row


def fill(row: SslCertificate, upload: Upload) -> None:
    """Put the certificates and the key of a judged PFX into a stored certificate."""
    for part in SslCertificatePart.objects.filter(owner=row):
        remove(part)
    for position, certificate in enumerate(keep(upload.certificates)):
        store(SslCertificatePart(owner=row, certificate=certificate, position=position))
    for key in SslCertificateKey.objects.filter(owner=row).defer("pem"):
        remove(key)
    store(SslCertificateKey(owner=row, pem=upload.key_pem or b""))


def _find(loaded: LoadedGateway, name: str) -> SslCertificate:
    found = loaded.find(SslCertificate, name)
    if found is None:
        raise Rejected(gone(SslCertificate, name))
    return found
