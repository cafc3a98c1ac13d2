// The "…" menu at the end of a row.

import { $$ } from "./dom.js";

let open = null; // the button whose menu is open

function place(button, menu) {
  // Fixed, because a table that scrolls sideways would cut off an absolute one.
  const at = button.getBoundingClientRect();
  menu.style.position = "fixed";
  menu.style.right = "auto";
  const below = at.bottom + menu.offsetHeight < innerHeight;
  menu.style.top = `${Math.max(4, below ? at.bottom : at.top - menu.offsetHeight)}px`;
  menu.style.left = `${Math.max(4, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 4))}px`;
}

function set(button, shown, focusItem = null) {
  const menu = button.nextElementSibling;
  if (shown && open && open !== button) set(open, false);
  button.setAttribute("aria-expanded", String(shown));
  menu.hidden = !shown;
  open = shown ? button : open === button ? null : open;
  if (!shown) return;
  const items = $$("[role=menuitem]", menu);
  items.forEach((item) => { item.tabIndex = -1; });
  place(button, menu);
  if (focusItem) items.at(focusItem === "last" ? -1 : 0)?.focus();
}

/** Close the open menu, if there is one; tells whether there was. */
export function closeRowMenu() {
  if (!open) return false;
  const button = open;
  const focused = button.nextElementSibling.contains(document.activeElement);
  set(button, false);
  if (focused) button.focus();
  return true;
}

/** Whether a menu is open inside this part of the page. */
export const rowMenuIn = (part) => Boolean(open && part.contains(open));

function keyInMenu(event, menu) {
  const items = $$("[role=menuitem]", menu);
  const here = items.indexOf(document.activeElement);
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 };
  if (event.key in moves) {
    event.preventDefault();
    items.at(moves[event.key] % items.length)?.focus();
  } else if (event.key === "Tab") {
    set(open, false);
  } else if (event.key === " ") {
    event.preventDefault();
    document.activeElement.click();
  } else if (event.key.length === 1) {
    const turn = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    turn.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  } else return false;
  return true;
}

/** Answer a key in a menu or at its button; tells whether it did. */
export function rowMenuKey(event) {
  const button = event.target.closest?.("[data-menu]");
  if (button && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    set(button, true, event.key === "ArrowUp" ? "last" : "first");
    return true;
  }
  return Boolean(open && event.target.closest?.("[role=menu]") && keyInMenu(event, open.nextElementSibling));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu]");
  // A click without a pointer came from the keyboard.
  if (button) set(button, button.getAttribute("aria-expanded") !== "true", event.detail ? null : "first");
  else if (open) {
    const last = open;
    set(last, false);
    // A dialog that opens now gives the focus back to what has it.
    if (event.target.closest("[role=menuitem][data-confirm]")) last.focus();
  }
});
document.addEventListener("htmx:afterSettle", () => { if (open && !open.isConnected) open = null; });
addEventListener("scroll", () => { if (open) place(open, open.nextElementSibling); }, { capture: true, passive: true });
addEventListener("resize", () => { if (open) set(open, false); });
