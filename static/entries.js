// Lists of certificates and files (table[data-entries]): one row is chosen by a click or the arrow
// keys; Enter or a double click opens it; the right mouse button, Shift+F10 or the row's "…" button
// show the menu that the table names. Without this file each name is a link.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const ROW = "tr[data-entry]";
const rowsOf = (table) => $$(`tbody > ${ROW}:not([hidden])`, table);

// ---- choosing a row -----------------------------------------------------------------------------

/** One row of a table is in the tab order; its link and button are reached through the row. */
function setCurrent(row, chosen) {
  for (const other of rowsOf(row.closest("table"))) {
    const on = other === row;
    other.tabIndex = on ? 0 : -1;
    other.setAttribute("aria-selected", String(on && chosen));
    $$("a, button", other).forEach((part) => { part.tabIndex = -1; });
  }
}

function start(root) {
  const tables = [...(root.matches?.("table[data-entries]") ? [root] : []), ...$$("table[data-entries]", root)];
  for (const table of tables) {
    const first = rowsOf(table)[0];
    if (first && !$(`${ROW}[tabindex]`, table)) setCurrent(first, false);
  }
}

function moveFrom(row, key) {
  const rows = rowsOf(row.closest("table"));
  const here = rows.indexOf(row);
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1, PageDown: here + 10, PageUp: here - 10 };
  if (!(key in moves)) return false;
  rows[Math.max(0, Math.min(rows.length - 1, moves[key]))].focus();
  return true;
}

const open = (row) => $("a[data-window]", row)?.click();

// ---- the menu of a row --------------------------------------------------------------------------

let shown = null; // {menu, row, button, top}: top is where the row stood when the menu opened

const itemsOf = (menu) => $$("[role=menuitem]:not([hidden])", menu).filter((item) => item.closest("[role=menu]") === menu);

function place(menu, left, top) {
  menu.style.position = "fixed";
  menu.style.right = "auto";
  menu.style.left = `${Math.max(4, Math.min(left, innerWidth - menu.offsetWidth - 4))}px`;
  menu.style.top = `${Math.max(4, Math.min(top, innerHeight - menu.offsetHeight - 4))}px`;
}

function fill(menu, row) {
  menu.setAttribute("aria-label", `Actions for ${$("a[data-window]", row)?.textContent.trim() ?? "this row"}`);
  for (const item of $$("[data-act]", menu)) {
    const url = row.dataset[item.dataset.act];
    item.hidden = !url;
    if (url) item.href = url;
    if (item.dataset.confirm) item.dataset.confirmText = row.dataset.question ?? "";
  }
}

function showMenu(row, left, top, button = null) {
  closeMenu(false);
  const menu = document.getElementById(row.closest("table").dataset.entries);
  fill(menu, row);
  row.focus({ preventScroll: true });
  setCurrent(row, true);
  menu.hidden = false;
  for (const item of $$("[role=menuitem]", menu)) item.tabIndex = -1;
  place(menu, left, top);
  button?.setAttribute("aria-expanded", "true");
  shown = { menu, row, button, top: row.getBoundingClientRect().top };
  itemsOf(menu)[0]?.focus();
}

function showMenuAt(row, button) {
  const at = (button ?? $("th, td", row)).getBoundingClientRect();
  showMenu(row, button ? at.right - 180 : at.left + 24, at.bottom, button);
}

function closeMenu(focusRow = true) {
  if (!shown) return;
  const { menu, row, button } = shown;
  shown = null;
  $$("[data-submenu]", menu).forEach((part) => setSubmenu(part, false));
  menu.hidden = true;
  button?.setAttribute("aria-expanded", "false");
  if (focusRow && row.isConnected) row.focus({ preventScroll: true });
}

function setSubmenu(part, show, focusItem = false) {
  const [item, menu] = part.children;
  item.setAttribute("aria-expanded", String(show));
  menu.hidden = !show;
  if (!show) return;
  const at = item.getBoundingClientRect();
  const fits = at.right + menu.offsetWidth < innerWidth;
  const beside = fits ? at.right - 2 : at.left - menu.offsetWidth + 2;
  // A narrow screen has room on neither side: then it hangs below.
  if (fits || beside > 0) place(menu, beside, at.top - 4);
  else place(menu, at.left + 16, at.bottom);
  if (focusItem) itemsOf(menu)[0]?.focus();
}

function menuKey(event) {
  const item = event.target.closest("[role=menuitem]");
  const menu = event.target.closest("[role=menu]");
  const items = itemsOf(menu);
  const here = items.indexOf(item);
  const parent = item?.parentElement.matches("[data-submenu]") ? item.parentElement : null;
  const around = menu.closest("[data-submenu]");
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 };
  if (event.key in moves) items.at(moves[event.key] % items.length)?.focus();
  else if (parent && ["ArrowRight", "Enter", " "].includes(event.key)) setSubmenu(parent, true, true);
  else if (around && event.key === "ArrowLeft") {
    setSubmenu(around, false);
    around.firstElementChild.focus();
  } else if (event.key === "Escape") closeMenu();
  else if (event.key === "Tab") return closeMenu();
  else if (event.key === " ") item?.click();
  else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
    const turn = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    turn.find((one) => one.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  } else if (!["ArrowRight", "ArrowLeft"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
}

// ---- one listener per kind of event -------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-entry-menu]");
  if (button) {
    if (shown?.button === button) closeMenu();
    else showMenuAt(button.closest(ROW), button);
    return;
  }
  const row = event.target.closest(ROW);
  if (row && !event.target.closest("a, button")) row.focus();
});

// Ahead of everything that acts on the item: a dialog that opens gives the focus back to the row.
document.addEventListener("click", (event) => {
  const item = shown && event.target.closest("[role=menuitem]");
  if (!item || !shown.menu.contains(item)) return;
  if (item.parentElement.matches("[data-submenu]")) setSubmenu(item.parentElement, true, true);
  else closeMenu();
}, true);

document.addEventListener("pointerdown", (event) => {
  if (shown && !shown.menu.contains(event.target) && !event.target.closest("[data-entry-menu]")) closeMenu(false);
}, true);

document.addEventListener("pointerover", (event) => {
  if (!shown || event.pointerType !== "mouse" || !shown.menu.contains(event.target)) return;
  const item = event.target.closest("[role=menuitem]");
  if (!item) return;
  const inside = item.closest("[data-submenu]");
  for (const part of $$("[data-submenu]", shown.menu)) if ((part === inside) === part.lastElementChild.hidden) setSubmenu(part, part === inside);
  item.focus({ preventScroll: true });
});

document.addEventListener("contextmenu", (event) => {
  if (shown?.menu.contains(event.target)) return event.preventDefault();
  const row = event.target.closest?.(ROW);
  if (!row) return;
  event.preventDefault();
  // The key for menus has no place of its own, and may have been answered already.
  if (event.button !== 2) {
    if (!shown) showMenuAt(row);
  } else showMenu(row, event.clientX, event.clientY);
});

document.addEventListener("dblclick", (event) => {
  const row = event.target.closest(ROW);
  if (row && !event.target.closest("a, button")) open(row);
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(ROW);
  if (row) setCurrent(row, true);
});

document.addEventListener("keydown", (event) => {
  if (shown?.menu.contains(event.target)) return menuKey(event);
  const row = event.target.matches?.(ROW) ? event.target : null;
  if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) showMenuAt(row);
  else if (event.key === "Enter") open(row);
  else if (event.key === "Delete") {
    showMenuAt(row);
    $("[data-act=delete]", shown.menu)?.click();
  } else if (!moveFrom(row, event.key)) return;
  event.preventDefault();
}, true);

addEventListener("resize", () => closeMenu(false));
// Told a frame late, a movement from before the menu opened is none: what counts is whether its row left the place.
addEventListener("scroll", () => {
  if (shown && Math.abs(shown.row.getBoundingClientRect().top - shown.top) > 4) closeMenu(false);
}, { capture: true, passive: true });

start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
