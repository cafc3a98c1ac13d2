"""Forms of child resources: derived from the model, judged by the operation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django import forms
from django.http import QueryDict

from certificates.form_errors import FormError
from certificates.x509.problems import Kind
from certificates.x509.problems import Problem as CertificateProblem
from gateway.models import Child, LoadedGateway
from gateway.operations import Outcome, Rejected, store
from gateway.operations.change import GONE
from gateway.portal import conditions
from gateway.portal.pages import Page
from gateway.problems import Problem, at

ChildT = TypeVar("ChildT", bound=Child)

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


def refuse(kind: Kind, message: str) -> FormError:
    """A form error of a declared kind, for what only a form can get wrong."""
    return FormError(CertificateProblem(kind=kind, message=message))


class ChildForm(_ModelForm, Generic[ChildT]):
    """A form for one child of a gateway.

    Subclasses name the fields in ``Meta``; :meth:`write` runs inside the operation. ``fields_of``
    maps a model field that a problem names to the form field that shows it, where they differ.
    """

    fields_of: dict[str, str] = {}
    # The same for children that the form creates beside its own: by collection.
    fields_beside: dict[str, dict[str, str]] = {}

    etag = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, page: Page, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.page = page
        self.hidden: set[str] = set()
        self.initial["etag"] = page.gateway.etag
        self.use_required_attribute = False
        if self.adding:
            self.instance.gateway = page.gateway
        else:
            self.fields.pop("name", None)
        if not page.may_write:
            for field in self.fields.values():
                field.disabled = True

    @property
    def adding(self) -> bool:
        return self.instance.pk is None

    @property
    def model(self) -> type[ChildT]:
        return self._meta.model

    @property
    def status(self) -> int:
        """The HTTP status of a page that shows the form."""
        return 422 if self.is_bound else 200

    @property
    def seen_etag(self) -> str | None:
        return self.cleaned_data.get("etag") or None

    def row(self, loaded: LoadedGateway) -> ChildT:
        """The locked row to write: the stored one, or a new one at the end of its collection."""
        if self.adding:
            row = self.model(gateway=loaded.gateway)
            siblings = loaded.children(self.model)
            row.position = 1 + max((one.position for one in siblings), default=-1)
            return row
        found = loaded.find(self.model, self.instance.name)
        if found is None:
            raise Rejected(gone(self.model, self.instance.name))
        return found

    def write(self, loaded: LoadedGateway) -> None:
        """Write what was typed; runs inside the operation."""
        row = self.row(loaded)
        self.copy_to(row)
        store(row)

    def copy_to(self, row: ChildT) -> None:
        """Copy the model's own fields of the form to ``row``."""
        columns = {column.name for column in row._meta.concrete_fields}
        for name in self._meta.fields or ():
            if name in self.cleaned_data and name in columns:
                setattr(row, name, self.cleaned_data[name])

    def full_clean(self) -> None:
        """Clean as usual; a field that its condition hides keeps the stored value unjudged."""
        self.hidden = {name for name in self.fields if not self._is_shown(name)}
        kept = {name: self.fields[name] for name in self.hidden}
        before = {name: (field.disabled, field.required) for name, field in kept.items()}
        for field in kept.values():
            field.disabled, field.required = True, False
        try:
            super().full_clean()
        finally:
            for name, field in kept.items():
                field.disabled, field.required = before[name]

    def _is_shown(self, name: str) -> bool:
        condition = self.fields[name].widget.attrs.get("data-show-when", "")
        return conditions.holds(condition, self._typed)

    def _typed(self, name: str) -> Any:
        if name not in self.fields:
            return None
        return self[name].data if self.is_bound else self[name].initial

    def clean(self) -> dict[str, Any]:
        return super().clean() or self.cleaned_data

    def refuse(self, outcome: Outcome) -> None:
        """Show the errors of a refused operation, each at its field where it has one."""
        self.add_problems(outcome.errors)
        if outcome.conflict:
            # What was typed stays; the next Save is made on top of the newer state.
            self.page.gateway.refresh_from_db(fields=["etag"])
            typed = cast(QueryDict, self.data).copy()
            typed[self.add_prefix("etag")] = self.page.gateway.etag
            self.data = typed

    def add_problems(self, problems: Iterable[CertificateProblem], field: str = "") -> None:
        for problem in problems:
            wanted = field or (self._field_of(problem) if isinstance(problem, Problem) else "")
            self.add_error(wanted if wanted in self.fields else None, FormError(problem))

    def _field_of(self, problem: Problem) -> str:
        """The form field that a problem of the gateway belongs to; empty for the form itself."""
        target = problem.target
        if target.collection in self.fields_beside:
            return self.fields_beside[target.collection].get(target.field, "")
        name = self.instance.name or self.cleaned_data.get("name", "")
        if target.collection != self.model.collection or target.name.lower() != name.lower():
            return ""
        return self.fields_of.get(target.field, target.field)


def gone(model: type[Child], name: str) -> Problem:
    """The problem of a child that was deleted while its form was open."""
    return at(GONE, f"The {model.noun} “{name}” was deleted meanwhile.", model.collection, name)


def when(*, required: bool = False, **attributes: str) -> dict[str, str]:
    """Widget attributes: ``when(show="protocol=Https")`` → ``data-show-when``.

    ``required`` draws the asterisk of a field that is required only while it is shown.
    """
    names = {"show": "data-show-when", "enable": "data-enable-when"}
    found = {names.get(key, f"data-{key}"): text for key, text in attributes.items() if text}
    return found | ({"data-required": "true"} if required else {})
