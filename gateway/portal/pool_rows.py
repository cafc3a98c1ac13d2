"""The targets of a backend pool as a grid of rows, one per target.

A pool may have 1,200. So a row in which a valid target stands is read without a form and drawn by a
stamp, with the box of its own type only; a form takes care of all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import ManagementForm
from django.utils.safestring import SafeString

from gateway.models import BackendAddress, TargetKind
from gateway.portal.forms import refuse, when
from gateway.portal.pool_targets import SIMULATED, Offer, read_target
from gateway.portal.stamps import NUMBER, VALUE, Stamp, draw
from gateway.rules.pools import TARGET_DUPLICATE

PREFIX = "targets"
# The largest number of targets in a pool (Application Gateway limits article).
MOST_TARGETS = 1200
# Rows above the limit are still drawn, so that what was typed is not lost; not more than so many.
MOST_ROWS = MOST_TARGETS + 1000


def control_of(kind: str) -> str:
    """The name of the field that holds a target of that kind."""
    return "target" if kind == TargetKind.ADDRESS else str(kind)


class TargetForm(forms.Form):
    """One target: a type, and what was typed or chosen for it (``cleaned_data["value"]``).

    With ``only`` it has the box of that type alone.
    """

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
                "data-required": "true",
                "autocomplete": "off",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(
        self,
        *args: Any,
        offered: Offer,
        disabled: bool,
        only: TargetKind | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        steering = self.add_prefix("kind")
        self.fields["target"].widget.attrs.update(when(show=f"{steering}={TargetKind.ADDRESS}"))
        for kind in SIMULATED:
            self.fields[kind.value] = forms.ChoiceField(
                label="Target",
                choices=partial(offered.entries, kind),
                required=False,
                widget=forms.Select(
                    attrs={
                        **when(show=f"{steering}={kind}", required=True),
                        "data-fills-row": "true",
                    }
                ),
            )
        if only is not None:
            for kind in set(TargetKind) - {only}:
                del self.fields[control_of(kind)]
        if not disabled:
            self.fields["DELETE"] = forms.BooleanField(label="Delete", required=False)
        for one in self.fields.values():
            one.disabled = disabled

    @property
    def control(self) -> str:
        """The name of the field that holds the target of the chosen type."""
        return control_of(self.cleaned_data.get("kind", TargetKind.ADDRESS.value))

    @property
    def is_being_deleted(self) -> bool:
        return bool(self.cleaned_data.get("DELETE"))

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


@dataclass(slots=True)
class TargetRow:
    """One row: what stands in it, or the form that tells what is wrong with that.

    ``shown`` is the target as it was typed, ``value`` as it is stored.
    """

    kind: TargetKind = TargetKind.ADDRESS
    shown: str = ""
    value: str = ""
    form: TargetForm | None = None

    @property
    def wanted(self) -> tuple[str, str] | None:
        """Kind and target of a row that holds one, is not being deleted and has no error."""
        if self.form is None:
            return self.kind.value, self.value
        cleaned = self.form.cleaned_data
        if self.form.is_being_deleted or self.form.errors or not cleaned.get("value"):
            return None
        return cleaned["kind"], cleaned["value"]

    @property
    def errors(self) -> dict[str, list[ValidationError]]:
        """By field; none of a row that is being deleted."""
        if self.form is None or self.form.is_being_deleted:
            return {}
        return self.form.errors.as_data()


class TargetRows:
    """All rows, as ``forms/rows.html`` draws them; the same target twice is an error of the later.

    ``data`` is what was sent, or ``None`` for the ``stored`` targets and an empty row. ``data``
    that names another number of rows than it holds counts as having no rows at all, which the grid
    refuses: a small request cannot ask for a page of thousands.
    """

    prefix = PREFIX

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        stored: Iterable[BackendAddress],
        offered: Offer,
        *,
        may_write: bool,
    ) -> None:
        if data is not None and data.get(f"{PREFIX}-TOTAL_FORMS") != str(_rows_sent(data)):
            data = {}
        self._data = data
        self._stored = list(stored)
        self._offered = offered
        self._may_write = may_write

    @property
    def is_bound(self) -> bool:
        return self._data is not None

    @cached_property
    def management_form(self) -> ManagementForm:
        """The hidden counts; with those that were sent, if any."""
        if self._data is not None:
            made = ManagementForm(self._data, prefix=PREFIX)
            made.full_clean()
            return made
        total = len(self._stored) + (1 if self._may_write else 0)
        counts = {"TOTAL": total, "INITIAL": len(self._stored), "MIN_NUM": 0}
        initial = {f"{name}_FORMS": count for name, count in counts.items()}
        return ManagementForm(prefix=PREFIX, initial={**initial, "MAX_NUM_FORMS": MOST_TARGETS})

    @cached_property
    def non_form_errors(self) -> list[str]:
        """What is wrong with the rows as a whole."""
        if self.is_bound and not self.management_form.is_valid():
            return ["The targets did not arrive whole: reload the page."]
        return []

    @cached_property
    def rows(self) -> list[TargetRow]:
        if self._data is None:
            found = [
                TargetRow(TargetKind(one.kind), one.target, one.target) for one in self._stored
            ]
            if self._may_write:
                found.append(TargetRow(form=self._form(len(found))))
            return found
        if self.non_form_errors:
            return []
        total = min(self._sent_count("TOTAL_FORMS"), MOST_ROWS)
        found = [self._read(number, self._data) for number in range(total)]
        self._refuse_repetitions(found)
        return found

    @cached_property
    def empty_form(self) -> TargetForm:
        """The row that a script copies; ``__prefix__`` stands for its number."""
        return self._form("__prefix__")

    def is_valid(self) -> bool:
        return self.is_bound and not self.non_form_errors and not any(r.errors for r in self.rows)

    def wanted(self) -> Iterator[tuple[str, str]]:
        """(kind, target) of the rows that hold one and have no error, in order."""
        for row in self.rows:
            found = row.wanted
            if found is not None:
                yield found

    def drawn(self) -> Iterator[SafeString]:
        """Every row as it stands on the page."""
        stamps: dict[TargetKind, Stamp] = {}
        for number, row in enumerate(self.rows):
            if row.form is not None:
                yield draw(row.form)
                continue
            if row.kind not in stamps:
                stamps[row.kind] = self._stamp(row.kind)
            yield stamps[row.kind].row(number, row.shown)

    def problems(self) -> list[dict[str, str]]:
        """What is wrong with rows, as ``forms/errors.html`` lists it."""
        if not self.is_bound:
            return []
        found = [{"message": error} for error in self.non_form_errors]
        kept = [row for row in self.rows if row.form is None or not row.form.is_being_deleted]
        for number, row in enumerate(kept, start=1):
            for name, errors in row.errors.items():
                found += [
                    {
                        "message": f"Target {number}: {' '.join(error.messages)}",
                        "remedy": getattr(error, "remedy", ""),
                        "help_url": getattr(error, "help_url", ""),
                        "field_id": cast(TargetForm, row.form)[name].auto_id,
                    }
                    for error in errors
                ]
        return found

    def _form(self, number: int | str, **kwargs: Any) -> TargetForm:
        return TargetForm(
            prefix=f"{PREFIX}-{number}",
            offered=self._offered,
            disabled=not self._may_write,
            use_required_attribute=False,
            **kwargs,
        )

    def _sent_count(self, name: str) -> int:
        return cast(int, self.management_form.cleaned_data[name])

    def _judged(self, number: int) -> TargetForm:
        """The form of a row that was sent; an empty one below the stored rows is no error."""
        extra = number >= self._sent_count("INITIAL_FORMS")
        made = self._form(number, data=self._data, empty_permitted=extra)
        made.full_clean()
        return made

    def _read(self, number: int, data: Mapping[str, Any]) -> TargetRow:
        """A row as it was sent, with a form unless one valid target stands in it and no more."""
        sent = {
            name: str(data.get(f"{PREFIX}-{number}-{name}", ""))
            for name in ("kind", "target", *SIMULATED, "DELETE")
        }
        kind = sent.pop("kind")
        filled = {name: text for name, text in sent.items() if text}
        if kind in TargetKind.values and filled.keys() == {control_of(kind)}:
            known = TargetKind(kind)
            shown = filled[control_of(kind)]
            value = self._value(known, shown.strip())
            if value:
                return TargetRow(known, shown, value)
        return TargetRow(form=self._judged(number))

    def _value(self, kind: TargetKind, text: str) -> str:
        """The target that ``text`` stands for; empty if it is none."""
        if kind != TargetKind.ADDRESS:
            return text if text in self._choices[kind] else ""
        try:
            return read_target(text)
        except ValidationError:
            return ""

    @cached_property
    def _choices(self) -> dict[TargetKind, set[str]]:
        return {kind: {target for target, _ in self._offered.choices[kind]} for kind in SIMULATED}

    def _refuse_repetitions(self, rows: list[TargetRow]) -> None:
        seen: set[str] = set()
        for number, row in enumerate(rows):
            wanted = row.wanted
            if wanted is None:
                continue
            key = wanted[1].lower().rstrip(".")
            if key in seen:
                message = f"“{wanted[1]}” is already in this pool."
                row.form = row.form or self._judged(number)
                row.form.add_error(row.form.control, refuse(TARGET_DUPLICATE, message))
            seen.add(key)

    def _stamp(self, kind: TargetKind) -> Stamp:
        control = control_of(kind)
        pattern = self._form(NUMBER, only=kind, initial={"kind": kind.value, control: VALUE})
        if kind == TargetKind.ADDRESS:
            return Stamp(pattern)
        cast(forms.ChoiceField, pattern.fields[control]).choices = [(VALUE, VALUE)]
        return Stamp(pattern, self._offered.entries(kind))


def _rows_sent(data: Iterable[str]) -> int:
    return sum(name.startswith(f"{PREFIX}-") and name.endswith("-kind") for name in data)
