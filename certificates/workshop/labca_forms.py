"""The forms of the Lab CA: each turns what was typed into an order, and shows why it is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from django import forms
from django.forms import BoundField

from certificates.labca import (
    COMMON_NAME_BYTES,
    FRIENDLY_NAME_LENGTH,
    MAX_PATH_LENGTH,
    Kind,
    Order,
    OrderRefusedError,
    validity,
)
from certificates.models import Authority, ChainForm
from certificates.x509.issuing.issue import Digest, KeySpec, Purpose

KEYS: list[tuple[KeySpec, str]] = [
    ("ec", "EC P-256"),
    ("ec384", "EC P-384"),
    ("rsa2048", "RSA 2048"),
    ("rsa3072", "RSA 3072"),
    ("rsa4096", "RSA 4096"),
    ("rsa1024", "RSA 1024 (weak)"),
    ("ed25519", "Ed25519"),
]
PURPOSES: dict[str, tuple[Purpose, ...]] = {
    "server": ("server",),
    "client": ("client",),
    "both": ("server", "client"),
    "none": ("code-signing",),
    "any": (),
}
_PURPOSE_WORDS = [
    ("server", "Server authentication"),
    ("client", "Client authentication"),
    ("both", "Server and client authentication"),
    ("none", "Neither of them (code signing only)"),
    ("any", "Not stated (good for everything)"),
]
_DIGESTS = [("sha256", "SHA-256"), ("sha1", "SHA-1 (outdated)")]
_VALIDITY = [
    ("valid", "Valid now"),
    ("expired", "Expired yesterday"),
    ("future", "Not valid until tomorrow"),
    ("own", "Own dates"),
]
SELF_SIGNED: list[tuple[Kind, str]] = [
    ("self-signed-ca", "Nobody: self-signed, marked as a CA"),
    ("self-signed", "Nobody: self-signed, not marked as a CA"),
]

# What a gateway does with a choice: shown below the field while that is the choice.
NOTES: dict[str, dict[str, str]] = {
    "issuer": {
        "self-signed-ca": "A v1 gateway takes it as an authentication certificate, a v2 gateway "
        "as a trusted root.",
        "self-signed": "A v1 gateway takes it as an authentication certificate. A v2 gateway takes "
        "it for a server certificate whose issuer is missing: the backend is unhealthy.",
    },
    "cn_only": {
        "on": "Gateways fall back on the common name; browsers and most other clients refuse it."
    },
    "validity": {
        "expired": "Both generations check the dates: the backend is unhealthy. On a listener the "
        "gateway goes on serving it, and clients complain.",
        "future": "Both generations check the dates: the backend is unhealthy until tomorrow.",
    },
    "key": {
        "rsa1024": "A v2 gateway refuses a key this short when it verifies the chain; a v1 "
        "gateway compares certificates only. Many servers refuse to start with it.",
        "ed25519": "Fit for a server to try out; an authority with such a key is accepted by "
        "neither a gateway nor most clients.",
    },
    "purpose": {
        "client": "A gateway verifies the backend as a server: a v2 gateway refuses it there.",
        "none": "Wrong for TLS: a v2 gateway refuses it on a backend, and a client that shows it "
        "is turned away.",
    },
    "digest": {
        "sha1": "On a root it does no harm, as nobody relies on a root's own signature. Below a "
        "root a v2 gateway refuses it."
    },
    "chain_form": {
        "leaf-only": "A v2 gateway cannot build the path to the root: the backend is unhealthy "
        "with “intermediate missing”. A v1 gateway compares the leaf alone and is content.",
        "reversed": "The server shows its root first. A gateway expects the server's own "
        "certificate there and does not find it. Most servers refuse to start with it, too.",
        "with-root": "Right, if longer than need be: the gateway has the root already.",
    },
}

CHAIN_FORMS = list(ChainForm.choices)
_MOMENT = "%Y-%m-%dT%H:%M"


def _moment(label: str) -> forms.DateTimeField:
    attributes = {"type": "datetime-local", "data-show-when": "validity=own", "data-unit": "UTC"}
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=forms.DateTimeInput(attrs=attributes, format=_MOMENT),
    )


@dataclass(frozen=True, slots=True)
class Note:
    """What a gateway does with a choice; ``condition`` is for ``data-show-when``."""

    condition: str
    choice: str
    text: str


class OrderForm(forms.Form):
    """What every certificate needs. Subclasses name their ``kind`` and the fields they take from
    here; :meth:`order` is the order once the form is valid."""

    kind: ClassVar[Kind]
    noun: ClassVar[str]
    lead: ClassVar[str]
    # Where a fault of an order shows, if its field has another name here.
    fields_of: ClassVar[dict[str, str]] = {"issuer_id": "issuer"}

    name = forms.CharField(
        label="Name",
        max_length=COMMON_NAME_BYTES,
        help_text="The common name (CN) of the subject.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    issuer = forms.ChoiceField(label="Issuer", help_text="The authority that signs it.")
    names = forms.CharField(
        label="Subject alternative names",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "spellcheck": "false",
                "data-show-when": "!cn_only",
                "data-note": "One on each line: host names, *.wildcards, IP addresses. Left "
                "empty, the name above is the only one.",
            }
        ),
        help_text="If there are any, clients look at these names alone, not at the common name.",
    )
    cn_only = forms.BooleanField(
        label="No subject alternative name (CN only)",
        required=False,
    )
    validity = forms.ChoiceField(label="Validity", choices=_VALIDITY, initial="valid")
    valid_from = _moment("Valid from")
    valid_to = _moment("Valid to")
    key = forms.ChoiceField(label="Key", choices=KEYS, initial="ec")
    purpose = forms.ChoiceField(
        label="Purpose",
        choices=_PURPOSE_WORDS,
        initial="server",
        help_text="The extended key usage: what the certificate may be used for.",
    )
    digest = forms.ChoiceField(
        label="Signature", choices=_DIGESTS, initial="sha256", widget=forms.RadioSelect
    )
    path_length = forms.IntegerField(
        label="Path length",
        required=False,
        min_value=0,
        max_value=MAX_PATH_LENGTH,
        help_text="How many intermediates may stand below it; empty for any number.",
    )
    chain_form = forms.ChoiceField(
        label="Chain file",
        choices=CHAIN_FORMS,
        initial=ChainForm.COMPLETE,
        help_text="What the server sends: the files .pem and .zip hold it.",
    )
    friendly_name = forms.CharField(
        label="Friendly name",
        required=False,
        max_length=FRIENDLY_NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="What it is called in your stores. It is no part of the certificate.",
    )

    wanted: ClassVar[tuple[str, ...]]

    def __init__(self, authorities: Iterable[Authority], now: datetime, data: Any = None) -> None:
        super().__init__(data)
        self.now = now
        self.use_required_attribute = False
        for name in set(self.fields) - set(self.wanted):
            del self.fields[name]
        self.order_fields(self.wanted)
        begin, end = validity("valid", now, authority=self.is_authority)
        self.initial.update(valid_from=begin, valid_to=end)
        if "issuer" in self.fields:
            issuer = cast(forms.ChoiceField, self.fields["issuer"])
            issuer.choices = [
                *((str(one.pk), label(one)) for one in authorities),
                *(SELF_SIGNED if self.kind == "server" else ()),
            ]

    def prefer(self, issuer: str) -> None:
        """Let a fresh form begin with this issuer."""
        self.initial["issuer"] = issuer

    @property
    def is_authority(self) -> bool:
        return self.kind in {"root", "intermediate"}

    def rows(self) -> list[tuple[BoundField, list[Note]]]:
        """Each field with its notes."""
        return [(field, list(self._notes(field.name))) for field in self]

    def _notes(self, name: str) -> Iterable[Note]:
        for value, text in NOTES.get(name, {}).items():
            field = self.fields[name]
            choices = dict(getattr(field, "choices", ()))
            if not choices:
                yield Note(name, str(field.label), text)
            elif value in choices:
                yield Note(f"{name}={value}", str(choices[value]), text)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("validity") == "own":
            for name in ("valid_from", "valid_to"):
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, "Enter a date and a time, in UTC.")
        return cleaned

    def order(self) -> Order:
        """The order; only for a valid form."""
        typed = self.cleaned_data
        begin, end = validity(typed["validity"], self.now, authority=self.is_authority)
        if typed["validity"] == "own":
            begin, end = typed["valid_from"], typed["valid_to"]
        issuer = typed.get("issuer", "")
        return Order(
            kind=cast(Kind, issuer) if issuer in dict(SELF_SIGNED) else self.kind,
            name=typed["name"],
            valid_from=begin,
            valid_to=end,
            issuer_id=int(issuer) if issuer.isdecimal() else None,
            names=split(typed.get("names", "")),
            cn_only=typed.get("cn_only", False),
            key=cast(KeySpec, typed["key"]),
            purposes=PURPOSES[typed.get("purpose", "any")],
            digest=cast(Digest, typed["digest"]),
            path_length=typed.get("path_length"),
            chain_form=ChainForm(typed.get("chain_form", ChainForm.COMPLETE)),
            friendly_name=typed["friendly_name"],
        )

    def refuse(self, error: OrderRefusedError) -> None:
        """Show each fault of an order at its field."""
        for fault in error.faults:
            name = self.fields_of.get(fault.field, fault.field)
            self.add_error(name if name in self.fields else None, fault.message)


class RootForm(OrderForm):
    kind = "root"
    noun = "root"
    lead = "An authority that signs itself: what a v2 gateway trusts, and what signs the others."
    wanted = (
        "name", "validity", "valid_from", "valid_to", "key", "digest", "path_length",
        "friendly_name",
    )  # fmt: skip


class IntermediateForm(OrderForm):
    kind = "intermediate"
    noun = "intermediate"
    lead = "An authority below another one. Servers send it with their own certificate."
    wanted = ("name", "issuer", *RootForm.wanted[1:])


class ServerForm(OrderForm):
    kind = "server"
    noun = "server certificate"
    lead = "What a backend server or a listener shows, with any defect that you want to see judged."
    wanted = (
        "name", "issuer", "names", "cn_only", "validity", "valid_from", "valid_to", "key",
        "purpose", "digest", "chain_form", "friendly_name",
    )  # fmt: skip


class ClientForm(OrderForm):
    kind = "client"
    noun = "client certificate"
    lead = "What somebody shows to a listener that asks clients for a certificate."
    wanted = (
        "name", "issuer", "validity", "valid_from", "valid_to", "key", "purpose", "digest",
        "friendly_name",
    )  # fmt: skip

    def __init__(self, authorities: Iterable[Authority], now: datetime, data: Any = None) -> None:
        super().__init__(authorities, now, data)
        self.initial["purpose"] = "client"

    def _notes(self, name: str) -> Iterable[Note]:
        # The other notes are about servers.
        return super()._notes(name) if name in {"digest", "key"} else ()


FORMS: dict[str, type[OrderForm]] = {
    form.kind: form for form in (RootForm, IntermediateForm, ServerForm, ClientForm)
}


class PfxForm(forms.Form):
    """A PFX is protected by a password of the user's, which is used once and never kept."""

    password = forms.CharField(
        label="Password",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="You need it wherever you upload the file. The cloud takes 4 to 12 letters and "
        "digits.",
    )
    encryption = forms.ChoiceField(
        label="Encryption",
        choices=[("modern", "AES256-SHA256"), ("legacy", "TripleDES-SHA1 (legacy)")],
        initial="modern",
        widget=forms.RadioSelect,
        help_text="Old programs, Windows Server 2016 among them, read the legacy form only; new "
        "ones may refuse it.",
    )

    @property
    def legacy(self) -> bool:
        return bool(self.cleaned_data["encryption"] == "legacy")


def label(authority: Authority) -> str:
    """The authority's name, and its certificate's where that is another."""
    subject = authority.certificate.parsed.label
    return subject if authority.name in subject else f"{subject} ({authority.name})"


def split(text: str) -> list[str]:
    """The names in a text: between line ends, blanks, commas and semicolons."""
    return text.replace(",", " ").replace(";", " ").split()
