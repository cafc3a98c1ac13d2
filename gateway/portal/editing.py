"""Adding, editing and deleting one child: the flow that all blades share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse

from gateway import rules
from gateway.models import Child, LoadedGateway
from gateway.operations import Rejected, change_gateway, remove
from gateway.portal.forms import ChildForm, gone
from gateway.portal.pages import Page, lead_to
from gateway.problems import errors


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of a row's menu; with ``confirm_title`` it asks first, then posts."""

    label: str
    url: str
    icon: str
    confirm_title: str = ""
    confirm_text: str = ""
    confirm_action: str = ""
    confirm_match: str = ""


def row_actions(page: Page, blade: str, row: Child) -> list[Action]:
    """The menu of a list's row."""
    edit = Action("Edit", page.url(f"{blade}-edit", row.name), "edit")
    return [edit, delete_action(page, blade, row)] if page.may_write else [edit]


def delete_action(page: Page, blade: str, row: Child) -> Action:
    return Action(
        "Delete",
        page.url(f"{blade}-delete", row.name),
        "delete",
        confirm_title=f"Delete {row.noun}",
        confirm_text=f"Delete the {row.noun} “{row.name}”? This cannot be undone.",
        confirm_action="OK",
    )


def edit_child(
    page: Page,
    form: ChildForm[Any],
    blade: str,
    fields: str,
    *,
    title: str = "",
    **context: Any,
) -> HttpResponse:
    """Show a form, or save it: ``fields`` is the template of its fields.

    A form of a new child is a pane with *OK*, one of a stored child a blade with *Save*,
    *Discard* and *Delete*.
    """
    noun = form.model.noun
    if form.is_bound and form.is_valid():
        name = form.instance.name or form.cleaned_data["name"]
        outcome = change_gateway(
            page.caller,
            page.gateway,
            operation=f"{'Add' if form.adding else 'Save'} {noun} {name}",
            etag=form.seen_etag,
            write=form.write,
        )
        if outcome.ok:
            said = f"The {noun} “{name}” was {'added' if form.adding else 'saved'}."
            if not outcome.changed:
                said = f"The {noun} “{name}” was already so: nothing changed."
            return page.done(outcome, said, page.url(blade))
        form.refuse(outcome)
    return show_form(page, form, blade, fields, title=title, status=form.status, **context)


def show_form(
    page: Page,
    form: ChildForm[Any],
    blade: str,
    fields: str,
    *,
    title: str = "",
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """The page of a form as it stands; asked for by htmx with what was typed, the form alone."""
    wanted = title or (f"Add {form.model.noun}" if form.adding else form.instance.name)
    full = page.pane(
        blade,
        wanted,
        form=form,
        fields_template=fields,
        adding=form.adding,
        delete=None if form.adding else delete_action(page, blade, form.instance),
        **context,
    )
    template = "portal/add.html" if form.adding else "portal/edit.html"
    if page.request.htmx and form.is_bound:
        template = "portal/form.html"
    return page.render(template, full, status=status)


def delete_child(page: Page, row: Child, blade: str) -> HttpResponse:
    """Ask (GET), or delete (POST); what is in use stays, and the page says by whom."""
    name = row.name

    def write(loaded: LoadedGateway) -> None:
        found = loaded.find(type(row), name)
        if found is None:
            raise Rejected(gone(type(row), name))
        blockers = errors(rules.blockers(loaded, found))
        if blockers:
            raise Rejected(*blockers)
        remove(found)

    action = delete_action(page, blade, row)
    problems: list[dict[str, str]] = []
    if page.request.method == "POST":
        outcome = change_gateway(
            page.caller, page.gateway, operation=f"Delete {row.noun} {name}", write=write
        )
        if outcome.ok:
            messages.success(page.request, f"The {row.noun} “{name}” was deleted.")
            return lead_to(page.request, page.url(blade))
        problems = [
            {
                "message": problem.message,
                "remedy": problem.remedy,
                "help_url": reverse("portal:help", args=[problem.id]),
            }
            for problem in outcome.errors
        ]
    context = page.pane(
        blade,
        action.confirm_title,
        confirm_text=action.confirm_text,
        confirm_action=action.confirm_action,
        cancel_url=page.url(blade),
        problems=problems,
        errors_title="Not deleted",
    )
    return page.render("frame/confirm_page.html", context, status=422 if problems else 200)
