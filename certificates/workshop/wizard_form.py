"""What the Certificate Export Wizard asks: the private key, the format, a password, a file name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django import forms

from certificates.files import FileRefusedError, check_name, find_file
from certificates.models import Place
from certificates.x509.places.export import EXTENSIONS, FORMATS, Format

FORMAT_WORDS: dict[Format, str] = {
    "der": "DER encoded binary X.509 (.CER)",
    "base64": "Base-64 encoded X.509 (.CER)",
    "p7b": "Cryptographic Message Syntax Standard - PKCS #7 Certificates (.P7B)",
    "pfx": "Personal Information Exchange - PKCS #12 (.PFX)",
}
DEFAULT_PLACE = Place.DOCUMENTS
_PLACES = {place.label.casefold(): place for place in Place}
_INCLUDE = "Include all certificates in the certification path if possible"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file is to go."""

    place: Place
    name: str

    def __str__(self) -> str:
        return f"{self.place.label}\\{self.name}"


def parse_path(text: str, format: Format) -> Target:
    """A typed path such as ``Desktop\\backend.cer``; a name alone goes to Documents.

    The ending that belongs to ``format`` is added, and takes the place of another format's. What
    stands before the last folder is not looked at. Raises :class:`FileRefusedError`.
    """
    *folders, name = text.strip().replace("/", "\\").split("\\")
    place = DEFAULT_PLACE
    if folders:
        found = _PLACES.get(folders[-1].strip().casefold())
        if found is None:
            choices = ", ".join(place.label for place in Place)
            raise FileRefusedError(f"“{folders[-1]}” is none of the folders here: {choices}.")
        place = found
    if not name:
        raise FileRefusedError("Enter a file name.")
    return Target(place, check_name(_with_extension(name, EXTENSIONS[format])))


def _with_extension(name: str, extension: str) -> str:
    lower = name.lower()
    if lower.endswith(extension):
        return name
    for other in set(EXTENSIONS.values()):
        if lower.endswith(other):
            return name[: -len(other)] + extension
    return name + extension


class WizardForm(forms.Form):
    """The pages of the wizard in one form; the password is used once and never drawn again.

    Without a private key (``has_key``) there is no question about one.
    """

    key = forms.ChoiceField(
        label="Do you want to export the private key with the certificate?",
        choices=[
            ("yes", "Yes, export the private key"),
            ("no", "No, do not export the private key"),
        ],
        initial="no",
        required=False,
        widget=forms.RadioSelect,
    )
    format = forms.ChoiceField(
        label="Format",
        choices=[(format, FORMAT_WORDS[format]) for format in FORMATS],
        initial="der",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a format."},
    )
    p7b_path = forms.BooleanField(label=_INCLUDE, required=False)
    pfx_path = forms.BooleanField(label=_INCLUDE, required=False, initial=True)
    password = forms.CharField(
        label="Password",
        max_length=128,
        required=False,
        strip=False,
        widget=forms.PasswordInput(
            attrs={
                "autocomplete": "new-password",
                "data-note": "For a listener's certificate, the cloud takes 4 to 12 letters and "
                "digits.",
            }
        ),
    )
    confirm = forms.CharField(
        label="Confirm password",
        max_length=128,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    encryption = forms.ChoiceField(
        label="Encryption",
        choices=[("aes", "AES256-SHA256"), ("tripledes", "TripleDES-SHA1")],
        initial="aes",
        required=False,
        widget=forms.Select(
            attrs={"data-note": "TripleDES-SHA1 is the old form, for readers that know no other."}
        ),
    )
    file_name = forms.CharField(
        label="File name",
        max_length=300,
        required=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter a file name."},
    )
    replace = forms.BooleanField(label="Replace the file if it is there already", required=False)

    def __init__(
        self,
        data: Any = None,
        *,
        owner_id: int,
        has_key: bool,
        key_exportable: bool,
    ) -> None:
        # Ids of their own: the wizard opens over pages that have forms, too.
        super().__init__(data, auto_id="wizard-%s")
        self.owner_id = owner_id
        self.key_exportable = key_exportable
        if not has_key:
            del self.fields["key"]

    @property
    def chosen(self) -> Format:
        """The format, once the form is valid."""
        return cast(Format, self.cleaned_data["format"])

    @property
    def with_path(self) -> bool:
        return bool(self.cleaned_data.get(f"{self.chosen}_path"))

    @property
    def target(self) -> Target:
        """Where the file goes, once the form is valid."""
        return cast(Target, self.cleaned_data["target"])

    def clean(self) -> None:
        cleaned = self.cleaned_data
        wants_key = cleaned.get("key") == "yes"
        if wants_key and not self.key_exportable:
            self.add_error("key", "The private key was marked as not exportable.")
        format = cleaned.get("format")
        if format is None:
            return
        if wants_key and format != "pfx":
            self.add_error("format", "A private key leaves in a PFX file alone. Choose PFX.")
        elif format == "pfx" and not wants_key:
            words = (
                "A PFX holds the private key. Say Yes to exporting it, or choose another format."
                if "key" in self.fields
                else "A PFX holds the private key, which is not here. Choose another format."
            )
            self.add_error("format", words)
        elif format == "pfx":
            self._check_password()
        self._check_target(cast(Format, format))

    def _check_password(self) -> None:
        password, confirm = self.cleaned_data.get("password"), self.cleaned_data.get("confirm")
        if password is None or confirm is None:
            return  # too long, which is said already
        if not password:
            self.add_error("password", "Enter a password: it protects the private key.")
        elif password != confirm:
            self.add_error("confirm", "The two passwords are not the same.")

    def _check_target(self, format: Format) -> None:
        text = self.cleaned_data.get("file_name")
        if not text:
            return
        try:
            target = parse_path(text, format)
        except FileRefusedError as error:
            self.add_error("file_name", str(error))
            return
        self.cleaned_data["target"] = target
        if format == "pfx" or self.cleaned_data.get("replace"):
            return
        if find_file(self.owner_id, target.place, target.name):
            self.add_error("file_name", f"{target} is there already. Replace it, or choose a name.")
