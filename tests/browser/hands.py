"""Two ways through the same pages: by mouse, and by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from playwright.sync_api import FileChooser, Locator, Page, expect

MOST_TABS = 120


class Hand(Protocol):
    """What a person does with a page."""

    page: Page

    def press(self, target: Locator) -> None:
        """Follow a link, press a button."""

    def choose(self, radio: Locator) -> None:
        """Choose one of several radios."""

    def tick(self, box: Locator) -> None:
        """Tick a check box."""

    def type(self, box: Locator, text: str) -> None:
        """Replace what is in a text box."""

    def tab(self, tab: Locator) -> None:
        """Turn to a tab."""

    def row(self, row: Locator) -> None:
        """Choose a row of a list."""

    def open(self, row: Locator) -> None:
        """Open what a row of a list stands for."""

    def menu(self, row: Locator, *path: str) -> None:
        """Open the menu of a row and follow ``path`` in it."""

    def node(self, node: Locator) -> None:
        """Choose a place of a tree."""

    def pick(self, select: Locator, words: str) -> None:
        """Choose from a drop-down."""

    def upload(self, box: Locator, file: Path) -> None:
        """Choose a file in a file box."""


class Mouse:
    """Points and clicks; only text is typed."""

    def __init__(self, page: Page, choosers: list[FileChooser]) -> None:
        self.page, self.choosers = page, choosers

    def press(self, target: Locator) -> None:
        target.click()

    def choose(self, radio: Locator) -> None:
        radio.locator("xpath=ancestor::label").click()
        expect(radio).to_be_checked()

    def tick(self, box: Locator) -> None:
        box.click()
        expect(box).to_be_checked()

    def type(self, box: Locator, text: str) -> None:
        box.click(click_count=3)
        self.page.keyboard.type(text)
        expect(box).to_have_value(text)

    def tab(self, tab: Locator) -> None:
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")

    def row(self, row: Locator) -> None:
        row.get_by_role("gridcell").first.click()

    def open(self, row: Locator) -> None:
        row.get_by_role("gridcell").first.dblclick()

    def menu(self, row: Locator, *path: str) -> None:
        row.get_by_role("gridcell").first.click(button="right")
        for name in path:
            self.page.get_by_role("menuitem", name=name, exact=True).last.click()

    def node(self, node: Locator) -> None:
        node.click()
        expect(node).to_have_attribute("aria-selected", "true")

    def pick(self, select: Locator, words: str) -> None:
        # The list that drops down belongs to the browser, not to the page.
        select.select_option(label=words)

    def upload(self, box: Locator, file: Path) -> None:
        # The name in the box and its button lie below the real input.
        seen = len(self.choosers)
        box.click()
        _answer(self.page, self.choosers, seen, file)


class Keyboard:
    """Never touches the mouse: Tab, arrows, Enter and letters."""

    def __init__(self, page: Page, choosers: list[FileChooser]) -> None:
        self.page, self.choosers = page, choosers

    def go(self, target: Locator) -> None:
        """Press Tab until the focus is at ``target``."""
        expect(target).to_be_visible()
        self._tab_until(lambda: bool(target.evaluate("node => node === document.activeElement")))

    def press(self, target: Locator) -> None:
        self.go(target)
        self.page.keyboard.press("Enter")

    def choose(self, radio: Locator) -> None:
        name = radio.get_attribute("name")
        inside = "name => document.activeElement.name === name"
        self._tab_until(lambda: bool(self.page.evaluate(inside, name)))
        self._arrow_until("ArrowDown", radio)
        expect(radio).to_be_checked()

    def tick(self, box: Locator) -> None:
        self.go(box)
        self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def type(self, box: Locator, text: str) -> None:
        self.go(box)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)
        expect(box).to_have_value(text)

    def tab(self, tab: Locator) -> None:
        inside = "document.activeElement.getAttribute('role') === 'tab'"
        self._tab_until(lambda: bool(self.page.evaluate(inside)))
        self._arrow_until("ArrowRight", tab)
        expect(tab).to_have_attribute("aria-selected", "true")

    def row(self, row: Locator) -> None:
        expect(row).to_be_visible()
        table = row.locator("xpath=ancestor::table")
        self._tab_until(
            lambda: bool(table.evaluate("table => table.contains(document.activeElement)"))
        )
        self.page.keyboard.press("Home")
        self._arrow_until("ArrowDown", row)

    def open(self, row: Locator) -> None:
        self.row(row)
        self.page.keyboard.press("Enter")

    def menu(self, row: Locator, *path: str) -> None:
        self.row(row)
        self.page.keyboard.press("Shift+F10")
        for name in path:
            item = self.page.get_by_role("menuitem", name=name, exact=True).last
            self._arrow_until("ArrowDown", item)
            self.page.keyboard.press("Enter")

    def node(self, node: Locator) -> None:
        inside = "document.activeElement.getAttribute('role') === 'treeitem'"
        self._tab_until(lambda: bool(self.page.evaluate(inside)))
        self.page.keyboard.press("Home")
        self._arrow_until("ArrowDown", node)
        expect(node).to_have_attribute("aria-selected", "true")

    def pick(self, select: Locator, words: str) -> None:
        self.go(select)
        self.page.keyboard.type(words)
        expect(select.locator("option:checked")).to_have_text(words)

    def upload(self, box: Locator, file: Path) -> None:
        seen = len(self.choosers)
        self.press(box)
        _answer(self.page, self.choosers, seen, file)

    def _tab_until(self, arrived: Callable[[], bool]) -> None:
        for _ in range(MOST_TABS):
            if arrived():
                return
            self.page.keyboard.press("Tab")
        raise AssertionError("The keyboard does not lead there.")

    def _arrow_until(self, key: str, target: Locator) -> None:
        expect(target).to_be_visible()
        for _ in range(MOST_TABS):
            if target.evaluate("node => node === document.activeElement"):
                return
            self.page.keyboard.press(key)
        raise AssertionError("The arrow keys do not lead there.")


def _answer(page: Page, choosers: list[FileChooser], seen: int, file: Path) -> None:
    for _ in range(100):
        if len(choosers) > seen:
            choosers[-1].set_files(file)
            return
        page.wait_for_timeout(20)
    raise AssertionError("No file chooser opened.")
