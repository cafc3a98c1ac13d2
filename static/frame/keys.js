// Keys that work anywhere: Escape closes what is open, the nearest first; G then a letter, Ctrl+/.

import { closeBubble } from "./bubbles.js";
import { $, $$ } from "./dom.js";
import { closeFlyouts } from "./flyouts.js";
import { focusMenuSearch, foldMenu, menuSearchKey } from "./resource_menu.js";
import { closeRowMenu, rowMenuKey } from "./row_menus.js";

const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
let pendingG = 0;

function shortcut(event) {
  if (event.ctrlKey && event.key === "/") {
    if (focusMenuSearch()) event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(TYPING) || $("dialog[open]")) return;
  if (pendingG && event.timeStamp - pendingG < 1500) {
    pendingG = 0;
    const target = $$("[data-shortcut]").find((element) => element.dataset.shortcut === `g ${event.key.toLowerCase()}`);
    if (!target) return;
    event.preventDefault();
    if (target.matches("input")) target.focus();
    else target.click();
  } else pendingG = event.key.toLowerCase() === "g" ? event.timeStamp : 0;
}

function escape(event) {
  const input = event.target;
  if (input.matches?.("[data-menu-search], [data-filter]") && input.value) {
    input.value = "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return;
  }
  const closed = closeRowMenu() || closeBubble() || closeFlyouts(null, true) || foldMenu();
  if (closed) event.preventDefault();
}

document.addEventListener("keydown", (event) => {
  if (rowMenuKey(event)) return;
  if (event.key === "Escape") escape(event);
  else if (!menuSearchKey(event)) shortcut(event);
});
