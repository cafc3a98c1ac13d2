"""What can be asked of a gateway's published listeners, and the form of a test request."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from certificates.form_errors import FormError, field_of_upload
from certificates.models import StoredCertificate
from certificates.secrets import KeyMissingError
from certificates.x509.problems import ProblemError
from gateway.dataplane.exchange import Ask, Identity
from gateway.models import HttpListener, Protocol, PublishedPort
from gateway.models.fields import validate_host_name, validate_path
from gateway.portal.forms import when
from gateway.portal.identities import (
    MAX_BYTES,
    UnusableError,
    handed_over,
    of_store,
    stored_identities,
)
from gateway.portal.live import example_host
from gateway.portal.pages import Page

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VERSIONS = (
    ("", "The newest that both know"),
    ("TLSv1_3", "TLS 1.3 only"),
    ("TLSv1_2", "TLS 1.2 only"),
    ("TLSv1_1", "TLS 1.1 only"),
    ("TLSv1", "TLS 1.0 only"),
)


@dataclass(frozen=True, slots=True)
class Door:
    """A listener that is published: what can be asked."""

    name: str
    scheme: Literal["http", "https"]
    address: str
    number: int
    port: int
    hosts: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.name} ({self.scheme.upper()}, port {self.port})"

    @property
    def host(self) -> str:
        """A host that the listener takes."""
        return example_host(self.hosts[0]) if self.hosts else self.address


def doors_of(page: Page) -> list[Door]:
    """The published listeners of the gateway (two queries)."""
    ports = {
        (one.frontend_id, one.port): one
        for one in PublishedPort.objects.filter(frontend__gateway=page.gateway)
    }
    rows = HttpListener.objects.filter(gateway=page.gateway).select_related("frontend_port")
    found = []
    for row in rows:
        port = row.frontend_port.port if row.frontend_port else 0
        published = ports.get((row.frontend_ip_configuration_id or 0, port))
        if published is not None:
            found.append(
                Door(
                    row.name,
                    "https" if row.protocol == Protocol.HTTPS else "http",
                    published.host,
                    published.number,
                    port,
                    tuple(row.hosts),
                )
            )
    return found


class _SecretArea(forms.Textarea):
    """A box whose text is never sent back."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class RequestForm(forms.Form):
    """What to ask; key and password are used once and never kept."""

    listener = forms.ChoiceField(label="Listener")
    host = forms.CharField(
        label="Host",
        required=False,
        max_length=253,
        validators=[validate_host_name],
        help_text="Sent as Host header and as server name. Empty: one that the listener takes.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "www.contoso.com"}),
    )
    path = forms.CharField(
        label="Path",
        initial="/",
        max_length=2000,
        validators=[validate_path],
        help_text="With its query, if there is one: /images/a.png?size=2.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    method = forms.ChoiceField(
        label="Method",
        choices=[(one, one) for one in METHODS],
        help_text="Requests have no body.",
    )
    version = forms.ChoiceField(
        label="TLS version to offer",
        choices=VERSIONS,
        required=False,
        help_text="The listener's TLS policy decides whether it is taken. Plain HTTP has none.",
    )
    follow = forms.BooleanField(
        label="Follow redirects",
        required=False,
        help_text="As long as they lead to listeners of this gateway, five at most.",
    )
    identity = forms.ChoiceField(
        label="Client certificate",
        choices=[
            ("", "None"),
            ("stored", "From my certificate stores"),
            ("given", "From a file or a text"),
        ],
        required=False,
        widget=forms.RadioSelect(attrs={"data-look": "stack"}),
    )
    stored = forms.ModelChoiceField(
        label="Certificate",
        queryset=StoredCertificate.objects.none(),
        required=False,
        empty_label="Choose one …",
        widget=forms.Select(attrs=when(show="identity=stored")),
    )
    file = forms.FileField(
        label="File with certificate and key",
        required=False,
        allow_empty_file=True,
        help_text="A .pfx, or a .pem with the certificate and its unencrypted key.",
        widget=forms.FileInput(
            attrs={"accept": ".pfx,.p12,.pem,.crt,.key", **when(show="identity=given")}
        ),
    )
    password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        max_length=256,
        help_text="That of a PFX. It is used once and never kept.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", **when(show="identity=given")}),
    )
    text = forms.CharField(
        label="Or paste both as PEM text",
        required=False,
        strip=False,
        max_length=MAX_BYTES,
        widget=_SecretArea(
            attrs={
                "rows": 5,
                "spellcheck": "false",
                "autocomplete": "off",
                "class": "mono",
                "placeholder": "-----BEGIN CERTIFICATE-----",
                **when(show="identity=given"),
            }
        ),
    )

    def __init__(self, doors: Sequence[Door], user_id: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.use_required_attribute = False
        self.doors = {door.name: door for door in doors}
        listener = cast(forms.ChoiceField, self.fields["listener"])
        listener.choices = [(door.name, door.label) for door in doors]
        stored = cast("forms.ModelChoiceField[StoredCertificate]", self.fields["stored"])
        stored.queryset = stored_identities(user_id)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        try:
            cleaned["client"] = self._client(cleaned)
        except ValidationError as error:
            self.add_error(error.params["field"] if error.params else None, error)
        return cleaned

    def _client(self, cleaned: dict[str, Any]) -> Identity | None:
        """The client certificate; raises ``ValidationError`` with the field that is to blame."""
        if cleaned.get("identity") == "stored":
            entry = cleaned.get("stored")
            if entry is None:
                raise _at("stored", "Choose one of your certificates, or send none.")
            try:
                return of_store(entry, now=timezone.now())
            except KeyMissingError as error:
                raise _at("stored", str(error)) from error
        if cleaned.get("identity") != "given":
            return None
        file: UploadedFile[bytes] | None = cleaned.get("file")
        text = cleaned.get("text") or ""
        if file is None and not text:
            raise _at("file", "Choose a file or paste a text, or send no certificate.")
        data = file.read() if file is not None else text.encode("utf-8", "replace")
        field = "file" if file is not None else "text"
        try:
            return handed_over(data, cleaned.get("password") or "")
        except UnusableError as error:
            raise _at(field, str(error)) from error
        except ProblemError as error:
            found = FormError(error.problem)
            place = field_of_upload(error.problem, field, "password")
            found.params = {"field": place}
            raise found from error

    def ask(self) -> Ask:
        """What was filled in, once the form is valid."""
        cleaned = self.cleaned_data
        door = self.doors[cleaned["listener"]]
        return Ask(
            scheme=door.scheme,
            address=door.address,
            number=door.number,
            port=door.port,
            host=cleaned["host"] or door.host,
            path=cleaned["path"],
            method=cleaned["method"],
            request_id=secrets.token_hex(16),
            version=cleaned["version"],
            identity=cleaned["client"] if door.scheme == "https" else None,
        )


def _at(field: str, message: str) -> ValidationError:
    return ValidationError(message, params={"field": field})
