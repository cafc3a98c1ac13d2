"""Drawing many rows of one form: one row goes through the templates, the others are stamped.

A field takes a dozen templates, and a pool has up to 1,200 rows: drawn one by one they take
seconds. Rows that differ in their number and one value only are copies of one drawing. It may leave
out fields that none of them needs: a script adds them when a row is about to need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django import forms
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Stand-ins from Unicode's private range: no name, address or label of ours can hold them.
NUMBER, VALUE = "\ue001", "\ue000"
_GAP = re.compile(r"\s{2,}|\n")
_OPTION = re.compile(f"<option[^>]*{VALUE}[^>]*>{VALUE}</option>")


def draw(form: forms.BaseForm, *, short: str = "") -> SafeString:
    """A row as ``forms/row.html`` draws it; ``short`` is the number of one that lacks fields."""
    return render_to_string("forms/row.html", {"form": form, "short": short})


class Stamp:
    """Rows of one kind; ``pattern`` is their form, with ``NUMBER`` in its prefix.

    The value stands where the pattern's initial data has ``VALUE``. If that is in a drop-down, its
    only option gives way to ``choices``, pairs of value and label.
    """

    def __init__(self, pattern: forms.BaseForm, choices: Iterable[tuple[str, str]] = ()) -> None:
        # A thousand rows carry a thousand times the indentation of the templates.
        drawn = _GAP.sub(" ", draw(pattern, short=NUMBER))
        found = _OPTION.search(drawn)
        start, end = found.span() if found else (len(drawn), len(drawn))
        self._before, self._after = drawn[:start], drawn[end:]
        self._options = "".join(
            f'<option value="{escape(value)}">{escape(label)}</option>' for value, label in choices
        )

    def row(self, number: int, value: str) -> SafeString:
        """The row ``number`` (from 0), with ``value`` entered or chosen."""
        quoted = f'"{escape(value)}"'
        chosen = self._options.replace(
            f"<option value={quoted}>", f"<option value={quoted} selected>"
        )
        text = self._before.replace(NUMBER, str(number)).replace(f'"{VALUE}"', quoted)
        # Every part was escaped by the templates or above.
        return mark_safe(text + chosen + self._after.replace(NUMBER, str(number)))  # noqa: S308
