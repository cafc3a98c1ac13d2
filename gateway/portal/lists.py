"""The list of one kind of children: the page that all blades share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpResponse

from gateway.models import Child
from gateway.portal.editing import Action, row_actions
from gateway.portal.pages import Page


@dataclass(frozen=True, slots=True)
class ListRow:
    """One line: its name, then (column, text) of each other cell, and what its menu offers."""

    name: str
    cells: list[tuple[str, str]]
    actions: list[Action]


def show_list(
    page: Page,
    key: str,
    columns: Sequence[str],
    rows: Iterable[tuple[Child, Sequence[object]]],
    *,
    plural: str,
    sentence: str,
    adds: Sequence[tuple[str, str]],
) -> HttpResponse:
    """The blade ``key``: ``rows`` are children with what stands in ``columns`` beside the name.

    Nothing to say is drawn as a dash. ``sentence`` says what such a thing is, where there is none
    yet; ``adds`` are label and address of the ways to add one.
    """
    lines = [
        ListRow(
            child.name,
            [
                (column, "-" if cell in ("", None) else str(cell))
                for column, cell in zip(columns, cells, strict=True)
            ],
            row_actions(page, key, child),
        )
        for child, cells in rows
    ]
    context = page.blade(
        key,
        key=key,
        columns=columns,
        rows=lines,
        plural=plural,
        sentence=sentence,
        adds=adds,
        empty_icon=page.icon(key),
    )
    return page.render("portal/list.html", context)
