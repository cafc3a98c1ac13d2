// The left menu of a resource: its search, its narrow form, and how it folds on a small screen.

import { $, $$ } from "./dom.js";

const page = document.documentElement;

function search(input) {
  const menu = input.closest("[data-resource-menu]");
  const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const group of $$("[data-menu-group]", menu)) {
    let inGroup = 0;
    for (const item of $$("li", group)) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      if (!item.hidden) inGroup += 1;
    }
    group.hidden = !inGroup;
    found += inGroup;
  }
  $("[data-menu-status]", menu).textContent = words.length ? `${found} menu ${found === 1 ? "entry" : "entries"}` : "";
}

function setCollapsed(collapsed) {
  page.classList.toggle("menu-collapsed", collapsed);
  for (const button of $$("[data-menu-collapse]")) {
    const label = collapsed ? "Widen the menu" : "Collapse the menu to icons";
    button.setAttribute("aria-pressed", String(collapsed));
    button.setAttribute("aria-label", label);
    button.title = label;
  }
}

function fold(button, open) {
  button.setAttribute("aria-expanded", String(open));
  button.closest("[data-resource-menu]").classList.toggle("is-open", open);
}

/** Bring the keyboard to the search, whatever form the menu has; tells whether there is one. */
export function focusMenuSearch() {
  const input = $("[data-menu-search]");
  if (!input) return false;
  const toggle = $("[data-menu-toggle]");
  if (toggle?.offsetParent) fold(toggle, true);
  if (page.classList.contains("menu-collapsed")) setCollapsed(false);
  input.focus();
  input.select();
  return true;
}

/** Answer a key in the search; tells whether it did. */
export function menuSearchKey(event) {
  if (!event.target.matches?.("[data-menu-search]") || !["Enter", "ArrowDown"].includes(event.key)) return false;
  const first = $("li:not([hidden]) a", event.target.closest("[data-resource-menu]"));
  event.preventDefault();
  if (event.key === "Enter" && event.target.value) first?.click();
  else first?.focus();
  return true;
}

/** Close the menu that hangs open on a small screen, if the keyboard is in it; tells whether it did. */
export function foldMenu() {
  const toggle = $("[data-menu-toggle][aria-expanded=true]");
  if (!toggle?.offsetParent || !toggle.closest("[data-resource-menu]").contains(document.activeElement)) return false;
  fold(toggle, false);
  toggle.focus();
  return true;
}

function showCurrentEntry() {
  const current = $("[data-resource-menu] [aria-current=page]");
  const box = current?.closest("[data-resource-menu]");
  if (!box || box.scrollHeight <= box.clientHeight) return;
  const distance = current.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
  if (distance > 0) box.scrollTop = distance + 80;
}

document.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-menu-toggle]");
  if (toggle) fold(toggle, toggle.getAttribute("aria-expanded") !== "true");
  if (event.target.closest("[data-menu-collapse]")) {
    const collapsed = !page.classList.contains("menu-collapsed");
    setCollapsed(collapsed);
    try { localStorage.setItem("gatewright.menu-collapsed", collapsed ? "1" : ""); } catch { /* private mode: not remembered */ }
  }
});
document.addEventListener("input", (event) => { if (event.target.matches("[data-menu-search]")) search(event.target); });

setCollapsed(page.classList.contains("menu-collapsed"));
showCurrentEntry();
