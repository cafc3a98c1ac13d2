"""The targets of a backend pool as a grid of rows, one per target."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from gateway.lab.answer_scenarios import DNS_SERVERS
from gateway.models import (
    ApplicationGateway,
    BackendAddress,
    BackendAddressPool,
    GatewayIPConfiguration,
    LabServer,
    Subnet,
    TargetKind,
)
from gateway.models.fields import validate_domain_name
from gateway.operations import remove, store
from gateway.portal.forms import refuse, when
from gateway.portal.stamps import NUMBER, VALUE, Stamp, draw
from gateway.rules.pools import TARGET_DUPLICATE

PREFIX = "targets"
# Lab servers that are no backends.
NO_TARGETS = [one.id for one in DNS_SERVERS]
# The largest number of targets in a pool (Application Gateway limits article).
MOST_TARGETS = 1200
SIMULATED = (TargetKind.VIRTUAL_MACHINE, TargetKind.SCALE_SET, TargetKind.APP_SERVICE)

if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet["TargetForm"]
else:
    _FormSet = forms.BaseFormSet


@dataclass(frozen=True, slots=True)
class Offer:
    """What the lab of a gateway's virtual network offers as targets.

    ``choices`` holds (target, label) of each simulated kind, ``names`` the names of plain servers.
    """

    choices: dict[TargetKind, list[tuple[str, str]]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def entries(self, kind: TargetKind) -> list[tuple[str, str]]:
        """The entries of the drop-down of a simulated kind."""
        choices = self.choices[kind]
        return [("", "Choose a server" if choices else "None in the lab"), *choices]


def offer(gateway: ApplicationGateway, stored: Iterable[BackendAddress]) -> Offer:
    """The lab servers that may be chosen, and what is ``stored`` though its server is gone."""
    subnets = GatewayIPConfiguration.objects.filter(gateway=gateway).values("subnet_id")
    networks = Subnet.objects.filter(pk__in=subnets).values("virtual_network_id")
    found = Offer({kind: [] for kind in SIMULATED})
    labels: dict[tuple[TargetKind, str], list[str]] = {}
    servers = LabServer.objects.filter(virtual_network_id__in=networks)
    for server in servers.exclude(scenario__in=NO_TARGETS):
        kind = TargetKind(server.kind)
        if kind == TargetKind.ADDRESS:
            found.names.append(server.fqdn)
            continue
        # One address may serve several ports, each a server of its own: one target all the same.
        target = server.fqdn if kind == TargetKind.APP_SERVICE else server.address
        labels.setdefault((kind, target), []).append(server.name)
    for (kind, target), names in labels.items():
        found.choices[kind].append((target, f"{', '.join(names)} – {target} (simulated)"))
    for address in stored:
        kind = TargetKind(address.kind)
        if kind in found.choices and (kind, address.target) not in labels:
            found.choices[kind].append((address.target, f"{address.target} (not in the lab)"))
            labels[kind, address.target] = []
    return found


def read_target(text: str) -> str:
    """An IP address in its shortest form, or a host name; raises ``ValidationError``."""
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if "://" in text or "/" in text:
        raise ValidationError(
            f"“{text}” is more than a target: leave out the scheme and the path.",
            code="target-invalid",
        )
    name, _, port = text.rpartition(":")
    if name and port.isdigit():
        raise ValidationError(
            f"“{text}” names a port: enter “{name}” and choose the port in the HTTP setting.",
            code="target-invalid",
        )
    # No top-level domain is a number, so this was meant as an address.
    if text.rstrip(".").rpartition(".")[2].isdigit():
        raise ValidationError(f"“{text}” is not an IP address.", code="target-invalid")
    validate_domain_name(text)
    return text


def is_address(target: str) -> bool:
    try:
        ipaddress.ip_address(target)
    except ValueError:
        return False
    return True


class TargetForm(forms.Form):
    """One target: a type, and what was typed or chosen for it (``cleaned_data["value"]``)."""

    kind = forms.ChoiceField(
        label="Target type", choices=TargetKind.choices, initial=TargetKind.ADDRESS.value
    )
    target = forms.CharField(
        label="Target",
        max_length=253,
        required=False,
        widget=forms.TextInput(
            attrs={
                "placeholder": "10.0.0.0 or www.contoso.com",
                "list": "target-names",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, *args: Any, offered: Offer, disabled: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        steering = self.add_prefix("kind")
        self.fields["target"].widget.attrs.update(when(show=f"{steering}={TargetKind.ADDRESS}"))
        for kind in SIMULATED:
            self.fields[kind.value] = forms.ChoiceField(
                label="Target",
                # As a function, or each row would go through all of them.
                choices=partial(offered.entries, kind),
                required=False,
                widget=forms.Select(
                    attrs={**when(show=f"{steering}={kind}"), "data-fills-row": "true"}
                ),
            )
        for one in self.fields.values():
            one.disabled = disabled

    @property
    def control(self) -> str:
        """The name of the field that holds the target of the chosen type."""
        kind = self.cleaned_data.get("kind", TargetKind.ADDRESS.value)
        return "target" if kind == TargetKind.ADDRESS else str(kind)

    @property
    def entered(self) -> tuple[TargetKind, str] | None:
        """Kind and target of a row in which nothing else stands, or ``None``.

        Rows with an error, to be deleted, empty, or with a second target that their type hides are
        something else.
        """
        if self.is_bound and (self.errors or self.is_being_deleted):
            return None
        values = {
            name: self[name].value() for name in ("target", *SIMULATED) if name in self.fields
        }
        entered = {name: value for name, value in values.items() if value}
        kind = TargetKind(self["kind"].value())
        control = "target" if kind == TargetKind.ADDRESS else kind
        return (kind, entered[control]) if entered.keys() == {control} else None

    @property
    def is_being_deleted(self) -> bool:
        return bool(getattr(self, "cleaned_data", {}).get("DELETE"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        name = self.control
        value = cleaned.get(name, "")
        if not value:
            if not self.errors:
                self.add_error(name, "Enter a target, or delete the row.")
            return cleaned
        if name == "target":
            try:
                value = read_target(value)
            except ValidationError as error:
                self.add_error(name, error)
                return cleaned
        cleaned["value"] = value
        return cleaned


class TargetFormSet(_FormSet):
    """All rows; the same target twice is an error of the later row."""

    default_error_messages = {
        "missing_management_form": "The targets did not arrive whole: reload the page."
    }

    def wanted(self) -> Iterator[TargetForm]:
        """The rows that hold a target and are not being deleted, in order."""
        for form in self.forms:
            if form.cleaned_data.get("value") and not form.is_being_deleted:
                yield form

    def clean(self) -> None:
        seen: set[str] = set()
        for form in self.wanted():
            value = form.cleaned_data["value"]
            key = value.lower().rstrip(".")
            if key in seen:
                message = f"“{value}” is already in this pool."
                form.add_error(form.control, refuse(TARGET_DUPLICATE, message))
            seen.add(key)

    def drawn(self) -> Iterator[SafeString]:
        """Every row as it stands on the page."""
        stamps: dict[TargetKind, Stamp] = {}
        for number, form in enumerate(self.forms):
            entered = form.entered
            if entered is None:
                yield draw(form)
                continue
            kind, target = entered
            if kind not in stamps:
                stamps[kind] = self._stamp(kind)
            yield stamps[kind].row(number, target)

    def _stamp(self, kind: TargetKind) -> Stamp:
        control = "target" if kind == TargetKind.ADDRESS else kind.value
        pattern = self.form(
            auto_id=self.auto_id,
            prefix=self.add_prefix(NUMBER),
            initial={"kind": kind.value, control: VALUE},
            use_required_attribute=False,
            **self.form_kwargs,
        )
        self.add_fields(pattern, None)
        if kind == TargetKind.ADDRESS:
            return Stamp(pattern)
        cast(forms.ChoiceField, pattern.fields[control]).choices = [(VALUE, VALUE)]
        offered: Offer = self.form_kwargs["offered"]
        return Stamp(pattern, offered.entries(kind))

    def problems(self) -> list[dict[str, str]]:
        """What is wrong with rows, as ``forms/errors.html`` lists it."""
        if not self.is_bound:
            return []
        found = [{"message": str(error)} for error in self.non_form_errors()]
        kept = [form for form in self.forms if not form.is_being_deleted]
        for number, form in enumerate(kept, start=1):
            for name, errors in form.errors.as_data().items():
                found += [
                    {
                        "message": f"Target {number}: {' '.join(error.messages)}",
                        "remedy": getattr(error, "remedy", ""),
                        "help_url": getattr(error, "help_url", ""),
                        "field_id": form[name].auto_id,
                    }
                    for error in errors
                ]
        return found


def _rows_sent(data: Iterable[str]) -> int:
    return sum(name.startswith(f"{PREFIX}-") and name.endswith("-kind") for name in data)


def target_rows(
    data: Any, stored: list[BackendAddress], offered: Offer, *, may_write: bool
) -> TargetFormSet:
    """The grid of a pool, bound to ``data`` unless that is ``None``.

    ``data`` that names another number of rows than it holds counts as having no rows at all, which
    the grid refuses: a small request cannot ask for a page of thousands.
    """
    if data is not None and data.get(f"{PREFIX}-TOTAL_FORMS") != str(_rows_sent(data)):
        data = {}
    rows: Any = forms.formset_factory(
        TargetForm,
        formset=TargetFormSet,
        extra=1 if may_write else 0,
        can_delete=may_write,
        max_num=MOST_TARGETS,
    )
    initial = [
        {
            "kind": address.kind,
            "target" if address.kind == TargetKind.ADDRESS else address.kind: address.target,
        }
        for address in stored
    ]
    made: TargetFormSet = rows(
        data,
        prefix=PREFIX,
        initial=initial,
        form_kwargs={"offered": offered, "disabled": not may_write},
    )
    return made


def write_targets(pool: BackendAddressPool, wanted: Iterable[tuple[str, str]]) -> None:
    """Make (kind, target) pairs the targets of ``pool``; a known target keeps its row."""
    present: dict[str, list[BackendAddress]] = {}
    for address in BackendAddress.objects.filter(pool=pool):
        present.setdefault(address.target.lower(), []).append(address)
    for position, (kind, target) in enumerate(wanted):
        known = present.get(target.lower())
        row = known.pop(0) if known else BackendAddress(pool=pool)
        before = (row.pk, row.kind, row.target, row.position)
        row.kind, row.position = kind, position
        row.ip_address = target if is_address(target) else None
        row.fqdn = "" if row.ip_address else target
        if (row.pk, kind, target, position) != before or row.pk is None:
            store(row)
    for rows in present.values():
        for row in rows:
            remove(row)
