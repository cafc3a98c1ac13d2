// What hangs from the top bar: main menu, theme, account, and the bell's list. One is open at a time.

import { $, $$ } from "./dom.js";

const OPEN = "details[data-flyout][open]";
const OPEN_BELL = "[data-flyout-for][aria-expanded=true]";
const panelOf = (opener) => document.getElementById(opener.dataset.flyoutFor);

/** Close all but one; with `focus` the keyboard goes back to what opened it. Tells whether one was open. */
export function closeFlyouts(except = null, focus = false) {
  let closed = false;
  for (const flyout of $$(OPEN)) {
    if (flyout === except) continue;
    flyout.open = false;
    closed = true;
    if (focus) $("summary", flyout).focus();
  }
  for (const opener of $$(OPEN_BELL)) {
    if (opener === except) continue;
    opener.setAttribute("aria-expanded", "false");
    panelOf(opener).hidden = true;
    closed = true;
    if (focus) opener.focus();
  }
  return closed;
}

/** The open flyout (its opener, for the bell) that this element belongs to. */
const around = (element) =>
  element.closest("details[data-flyout]")
  ?? element.closest("[data-flyout-for]")
  ?? $$(OPEN_BELL).find((opener) => panelOf(opener).contains(element))
  ?? null;

// The bell: the first click loads and opens (htmx), the second closes without asking the server.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-flyout-for]");
  if (opener?.getAttribute("aria-expanded") === "true") {
    event.preventDefault();
    event.stopPropagation();
    closeFlyouts();
  } else closeFlyouts(around(event.target));
}, true);

// Who tabs on has left it.
document.addEventListener("focusin", (event) => closeFlyouts(around(event.target)));

document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  const opener = panel?.id && $(`[data-flyout-for="${panel.id}"]`);
  if (!opener) return;
  panel.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  panel.focus();
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(OPEN)) closeFlyouts(event.target);
}, true);

// Without a script the bell is a link to a page; with one it opens a list.
$$("[data-flyout-for]").forEach((opener) => {
  opener.setAttribute("aria-expanded", "false");
  opener.setAttribute("aria-controls", opener.dataset.flyoutFor);
});
