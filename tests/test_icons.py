"""Every icon that is asked for has a drawing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from gateway.portal import frame, menu, resources

ROOT = Path(__file__).resolve().parents[1]
DRAWN = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons.svg").read_text()))
# A tag that draws an icon by a name of its own, and one that hands a name on to another partial.
DRAWING = re.compile(r'{% include "icons/icon\.html" with [^%]*?\bname="([^"]+)"')
HANDED = re.compile(r'{% include [^%]*?\b(?:icon|card_icon)="([^"]+)"')


def in_templates() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text()
        for pattern in (DRAWING, HANDED):
            for name in pattern.findall(text):
                yield name, str(path.relative_to(ROOT))


def in_python() -> Iterator[tuple[str, str]]:
    """Texts that are given as an icon: ``icon="…"``, ``{"icon": "…"}``, an ``Action``'s third."""
    for room in ("gateway", "certificates"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                for value in _icons(node):
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield value.value, f"{path.relative_to(ROOT)}:{value.lineno}"


def _icons(node: ast.AST) -> Iterator[ast.AST | None]:
    if isinstance(node, ast.Call):
        yield from (word.value for word in node.keywords if word.arg == "icon")
        if isinstance(node.func, ast.Name) and node.func.id == "Action":
            yield from node.args[2:3]
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "icon":
                yield value


def missing(found: Iterator[tuple[str, str]]) -> list[str]:
    asked = list(found)
    assert asked, "nothing asks for an icon here: the search is broken"
    return [f"{name} ({place})" for name, place in asked if name and name not in DRAWN]


def test_every_icon_named_in_a_template_is_drawn() -> None:
    assert missing(in_templates()) == []


def test_every_icon_named_in_python_is_drawn() -> None:
    assert missing(in_python()) == []


def test_every_icon_of_the_menus_and_resources_is_drawn() -> None:
    entries = [item[2] for _, items in menu._ITEMS for item in items]
    entries += [link.icon for link in frame.main_menu("/")]
    entries += resources.ICONS.values()
    assert missing((name, "menu") for name in entries) == []


def test_every_icon_that_the_script_sets_is_drawn() -> None:
    named = re.search(r"ICONS = {(.*?)}", (ROOT / "static/frame/toasts.js").read_text())
    assert named
    names = [*re.findall(r'"([^"]+)"', named.group(1)), "success", "warning", "error"]
    boxes = (ROOT / "static/forms/boxes.js").read_text()
    swapped = re.findall(r'\? "#([a-z-]+)" : "#([a-z-]+)"', boxes)
    assert swapped == [("eye-off", "eye")]
    names += swapped[0]
    assert missing((name, "scripts") for name in names) == []
