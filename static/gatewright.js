// The frame in motion: menus, flyouts, dialogs, toasts, filters, copying, shortcuts, focus after a swap.
// Pages work without any of it. Everything is driven by data attributes; nothing here knows a page.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const STORE_COLLAPSED = "gatewright.menu-collapsed";
const TOAST_SECONDS = 8;

function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}
function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* private mode: not remembered */ }
}

// ---- toasts -------------------------------------------------------------------------------------

const leaving = new WeakMap();

function startLeaving(toast) {
  const level = toast.dataset.level;
  if (level === "error" || level === "progress") return;
  clearTimeout(leaving.get(toast));
  leaving.set(toast, setTimeout(() => toast.remove(), TOAST_SECONDS * 1000));
}

function adoptToast(toast) {
  if (leaving.has(toast)) return;
  leaving.set(toast, 0);
  const stay = () => clearTimeout(leaving.get(toast));
  const go = () => { if (!toast.matches(":hover, :focus-within")) startLeaving(toast); };
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", () => setTimeout(go));
  toast.addEventListener("focusout", () => setTimeout(go));
  startLeaving(toast);
}

const TOAST_ICONS = { info: "notice", progress: "pending" };

export function showToast({ level = "info", title = "", text = "" }) {
  const template = $("#toast-template");
  const corner = $("#toasts");
  if (!template || !corner) return null;
  const toast = template.content.firstElementChild.cloneNode(true);
  const icon = TOAST_ICONS[level] ?? level;
  toast.className = `toast toast--${level}`;
  toast.dataset.level = level;
  toast.setAttribute("role", level === "error" ? "alert" : "status");
  const svg = $("svg", toast);
  const use = $("use", svg);
  svg.setAttribute("class", `icon icon-${icon}`);
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icon}`));
  $(".toast-title", toast).textContent = title;
  $(".toast-text", toast).textContent = text;
  $(".toast-text", toast).hidden = !text;
  corner.append(toast);
  return toast;
}

const endProgress = () => $$("#toasts .toast--progress").forEach((toast) => toast.remove());

function watchToasts() {
  const corner = $("#toasts");
  if (!corner) return;
  $$(".toast", corner).forEach(adoptToast);
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node instanceof Element) [node, ...$$(".toast", node)].filter((n) => n.matches(".toast")).forEach(adoptToast);
  }).observe(corner, { childList: true, subtree: true });
}

// ---- menus of rows ------------------------------------------------------------------------------

let openMenu = null;

function placeMenu(button, menu) {
  // Fixed, because a table that scrolls sideways would cut off an absolute one.
  const at = button.getBoundingClientRect();
  menu.style.position = "fixed";
  menu.style.right = "auto";
  const below = at.bottom + menu.offsetHeight < innerHeight;
  menu.style.top = `${Math.max(4, below ? at.bottom : at.top - menu.offsetHeight)}px`;
  menu.style.left = `${Math.max(4, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 4))}px`;
}

function setMenu(button, open, focusItem = null) {
  const menu = button.nextElementSibling;
  if (open && openMenu && openMenu !== button) setMenu(openMenu, false);
  button.setAttribute("aria-expanded", String(open));
  menu.hidden = !open;
  openMenu = open ? button : openMenu === button ? null : openMenu;
  if (!open) return;
  const items = $$("[role=menuitem]", menu);
  items.forEach((item) => { item.tabIndex = -1; });
  placeMenu(button, menu);
  if (focusItem) items.at(focusItem === "last" ? -1 : 0)?.focus();
}

function menuKey(event, menu) {
  const items = $$("[role=menuitem]", menu);
  const here = items.indexOf(document.activeElement);
  const moves = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: items.length - 1 };
  if (event.key in moves) {
    event.preventDefault();
    items.at(moves[event.key] % items.length)?.focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    const button = openMenu;
    setMenu(button, false);
    button.focus();
  } else if (event.key === "Tab") {
    setMenu(openMenu, false);
  } else if (event.key === " ") {
    event.preventDefault();
    document.activeElement.click();
  } else if (event.key.length === 1) {
    const turn = [...items.slice(here + 1), ...items.slice(0, here + 1)];
    turn.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}

// ---- flyouts of the top bar ---------------------------------------------------------------------

function closeFlyouts(except = null, focus = false) {
  for (const flyout of $$("details[data-flyout][open]")) {
    if (flyout === except) continue;
    flyout.open = false;
    if (focus) $("summary", flyout).focus();
  }
  for (const opener of $$("[data-flyout-for][aria-expanded=true]")) {
    if (opener === except) continue;
    opener.setAttribute("aria-expanded", "false");
    $(`#${opener.dataset.flyoutFor}`).hidden = true;
    if (focus) opener.focus();
  }
}

// ---- dialogs ------------------------------------------------------------------------------------

function matchName(input) {
  const form = input.form;
  const wanted = input.dataset.mustMatch;
  if (!form || wanted === undefined) return;
  $$("button[type=submit]", form).forEach((button) => { button.disabled = input.value !== wanted; });
}

function askFirst(link) {
  const dialog = $("#confirm-dialog");
  const { confirm, confirmText, confirmAction, confirmMatch } = link.dataset;
  $("form", dialog).action = link.href;
  $("#confirm-title").textContent = confirm;
  $("#confirm-text").textContent = confirmText ?? "";
  $("#confirm-action").textContent = confirmAction || "OK";
  $("#confirm-action").disabled = false;
  const input = $("#confirm-match-input");
  $("#confirm-match").hidden = input.disabled = !confirmMatch;
  input.value = "";
  delete input.dataset.mustMatch;
  if (confirmMatch) {
    $("#confirm-match-name").textContent = input.dataset.mustMatch = confirmMatch;
    matchName(input);
  }
  dialog.showModal();
  (confirmMatch ? input : $("[data-close]", dialog)).focus();
}

// ---- resource menu ------------------------------------------------------------------------------

function searchMenu(input) {
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
  document.documentElement.classList.toggle("menu-collapsed", collapsed);
  for (const button of $$("[data-menu-collapse]")) {
    const label = collapsed ? "Widen the menu" : "Collapse the menu to icons";
    button.setAttribute("aria-pressed", String(collapsed));
    button.setAttribute("aria-label", label);
    button.title = label;
  }
}

function toggleMenu(button, open) {
  button.setAttribute("aria-expanded", String(open));
  button.closest("[data-resource-menu]").classList.toggle("is-open", open);
}

function showCurrentEntry() {
  const current = $("[data-resource-menu] [aria-current=page]");
  const box = current?.closest("[data-resource-menu]");
  if (!box || box.scrollHeight <= box.clientHeight) return;
  const distance = current.getBoundingClientRect().bottom - box.getBoundingClientRect().bottom;
  if (distance > 0) box.scrollTop = distance + 80;
}

// ---- tables: filter, ticks ----------------------------------------------------------------------

function filterTable(input) {
  const table = document.getElementById(input.dataset.filter);
  if (!table) return;
  const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rows = $$("tbody > tr:not(.no-results)", table);
  let found = 0;
  for (const row of rows) {
    const cells = $$(":scope > :not(.actions)", row).map((cell) => cell.textContent).join(" ").toLowerCase();
    row.hidden = !words.every((word) => cells.includes(word));
    if (!row.hidden) found += 1;
  }
  let none = $("tbody > tr.no-results", table);
  if (!found && words.length && !none) {
    none = table.tBodies[0].insertRow();
    none.className = "no-results";
    none.insertCell().colSpan = $$("thead tr:first-child > *", table).length || 1;
    none.cells[0].textContent = "No results.";
  }
  if (none) none.hidden = Boolean(found) || !words.length;
  const status = $(`[data-filter-status="${input.dataset.filter}"]`);
  if (status) status.textContent = words.length ? `${found} of ${rows.length} ${input.dataset.filterNoun ?? "rows"}` : "";
}

function countTicks(table) {
  const boxes = $$("tbody > tr:not([hidden]) input[type=checkbox]", table);
  const ticked = boxes.filter((box) => box.checked).length;
  const all = $("[data-tick-all]", table);
  if (all) {
    all.checked = ticked > 0 && ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
  $$(`[data-needs-ticks="${table.id}"]`).forEach((button) => { button.disabled = !ticked; });
}

// ---- help bubbles -------------------------------------------------------------------------------

let openHelp = null;
let pinnedHelp = false;

function setHelp(button, open, pinned = false) {
  if (open && openHelp && openHelp !== button) setHelp(openHelp, false);
  const bubble = document.getElementById(button.getAttribute("aria-controls"));
  button.setAttribute("aria-expanded", String(open));
  bubble?.classList.toggle("is-open", open);
  openHelp = open ? button : null;
  pinnedHelp = open && pinned;
}

// ---- copying ------------------------------------------------------------------------------------

async function copy(button) {
  const source = button.dataset.copy;
  const text = source ? document.getElementById(source)?.textContent : button.dataset.copyText;
  try {
    await navigator.clipboard.writeText(text ?? "");
  } catch {
    if (source) getSelection().selectAllChildren(document.getElementById(source));
    showToast({ level: "info", title: "Copy by hand", text: "The browser gives no access to the clipboard here." });
    return;
  }
  button.classList.add("is-copied");
  setTimeout(() => button.classList.remove("is-copied"), 1500);
  showToast({ level: "success", title: "Copied" });
}

// ---- one listener per kind of event -------------------------------------------------------------

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  let element;
  if ((element = at("[data-toast-close]"))) element.closest(".toast").remove();
  if ((element = at("[data-menu]"))) setMenu(element, element.getAttribute("aria-expanded") !== "true", event.detail ? null : "first");
  else if (openMenu) {
    const button = openMenu;
    setMenu(button, false);
    if (at("[role=menuitem][data-confirm]")) button.focus();
  }
  if ((element = at("[data-help]"))) setHelp(element, !(openHelp === element && pinnedHelp), true);
  else if (openHelp && !at(".bubble")) setHelp(openHelp, false);
  if ((element = at("[data-confirm]"))) {
    event.preventDefault();
    askFirst(element);
  }
  if ((element = at("[data-dialog]"))) {
    const dialog = document.getElementById(element.dataset.dialog);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
      $$("[data-must-match]", dialog).forEach(matchName);
    }
  }
  if ((element = at("dialog [data-close]"))) {
    event.preventDefault();
    element.closest("dialog").close();
  }
  if ((element = at("[data-copy], [data-copy-text]"))) copy(element);
  if ((element = at("[data-menu-toggle]"))) toggleMenu(element, element.getAttribute("aria-expanded") !== "true");
  if (at("[data-menu-collapse]")) {
    const collapsed = !document.documentElement.classList.contains("menu-collapsed");
    setCollapsed(collapsed);
    remember(STORE_COLLAPSED, collapsed ? "1" : "");
  }
  if ((element = at("[data-reveal]"))) {
    const input = document.getElementById(element.dataset.reveal);
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    element.setAttribute("aria-pressed", String(shown));
    const use = $("use", element);
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
  }
  const inside = at("details[data-flyout], [data-flyout-for], #notifications");
  if (!inside) closeFlyouts();
});

// The bell: the first click loads and opens (htmx), the second closes without asking the server.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-flyout-for]");
  if (!opener) return;
  if (opener.getAttribute("aria-expanded") === "true") {
    event.preventDefault();
    event.stopPropagation();
    closeFlyouts();
  } else closeFlyouts(opener);
}, true);

document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  const opener = panel?.id && $(`[data-flyout-for="${panel.id}"]`);
  if (!opener) return;
  panel.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  panel.focus();
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-flyout][open]")) closeFlyouts(event.target);
}, true);

document.addEventListener("pointerover", (event) => {
  const button = event.target.closest("[data-help]");
  if (button && event.pointerType === "mouse" && openHelp !== button) setHelp(button, true);
  else if (openHelp && !pinnedHelp && !button && !event.target.closest(".bubble")) {
    // A pause, so that the pointer can travel from the button into the bubble.
    const leaving = openHelp;
    setTimeout(() => {
      if (openHelp === leaving && !pinnedHelp && !document.querySelector(".bubble.is-open:hover, [data-help]:hover")) setHelp(leaving, false);
    }, 250);
  }
});

document.addEventListener("input", (event) => {
  const input = event.target;
  if (input.matches("[data-menu-search]")) searchMenu(input);
  if (input.matches("[data-filter]")) filterTable(input);
  if (input.matches("[data-must-match]")) matchName(input);
});

document.addEventListener("change", (event) => {
  const table = event.target.closest("table");
  if (!table?.id || event.target.type !== "checkbox") return;
  if (event.target.matches("[data-tick-all]"))
    $$("tbody > tr:not([hidden]) input[type=checkbox]", table).forEach((box) => { box.checked = event.target.checked; });
  countTicks(table);
});

addEventListener("scroll", () => { if (openMenu) placeMenu(openMenu, openMenu.nextElementSibling); }, { capture: true, passive: true });
addEventListener("resize", () => { if (openMenu) setMenu(openMenu, false); });

// ---- keys ---------------------------------------------------------------------------------------

const TYPING = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
let pendingG = 0;

function shortcut(event) {
  if (event.ctrlKey && event.key === "/") {
    const input = $("[data-menu-search]");
    if (!input) return;
    event.preventDefault();
    const toggle = $("[data-menu-toggle]");
    if (toggle?.offsetParent) toggleMenu(toggle, true);
    if (document.documentElement.classList.contains("menu-collapsed")) setCollapsed(false);
    input.focus();
    input.select();
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

document.addEventListener("keydown", (event) => {
  const menuButton = event.target.closest?.("[data-menu]");
  if (menuButton && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    setMenu(menuButton, true, event.key === "ArrowUp" ? "last" : "first");
    return;
  }
  if (openMenu && event.target.closest?.("[role=menu]")) return menuKey(event, openMenu.nextElementSibling);
  if (event.key === "Escape") {
    if (openMenu) setMenu(openMenu, false);
    else if (openHelp) setHelp(openHelp, false);
    else closeFlyouts(null, true);
    if (event.target.matches?.("[data-menu-search], [data-filter]") && event.target.value) {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return;
  }
  const search = event.target.matches?.("[data-menu-search]") ? event.target : null;
  if (search && (event.key === "Enter" || event.key === "ArrowDown")) {
    const first = $("li:not([hidden]) a", search.closest("[data-resource-menu]"));
    event.preventDefault();
    if (event.key === "Enter" && search.value) first?.click();
    else first?.focus();
    return;
  }
  shortcut(event);
});

// ---- htmx: polling leaves an open menu alone, faults are told, focus goes to what is wrong ------

const polls = (event) => event.detail.requestConfig?.elt?.getAttribute("hx-trigger")?.includes("every");

// Who was signed out meanwhile is sent to the sign-in page, which is no part of this one.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  const answered = xhr.responseURL && new URL(xhr.responseURL).pathname;
  if (!answered || answered === new URL(requestConfig.path, location.href).pathname) return;
  event.detail.shouldSwap = false;
  if (requestConfig.verb === "get") location.reload();
  else showToast({ level: "error", title: "You are signed out", text: "Nothing was saved. Copy what you typed, then load the page again to sign in." });
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  if (polls(event) && (openMenu && target.contains(openMenu) || $("dialog[open]", target))) event.detail.shouldSwap = false;
});

// What a person opened stays open when the part it stands in is drawn afresh.
let unfolded = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  unfolded = $$("details[open][id]", event.detail.target).map((part) => part.id);
});
document.addEventListener("htmx:afterSwap", () => {
  unfolded.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  unfolded = [];
});

// A summary near the top is shown with the title above it, else where it stands.
function focusSummary(summary) {
  summary.focus({ preventScroll: true });
  if (summary.getBoundingClientRect().top + scrollY < innerHeight / 2) scrollTo(0, 0);
  else summary.scrollIntoView({ block: "nearest" });
}

document.addEventListener("htmx:afterSettle", (event) => {
  // The event comes from what was swapped in; detail.target may be what was replaced.
  const summary = event.target.matches(".error-summary") ? event.target : $(".error-summary", event.target);
  if (summary?.isConnected && event.detail.requestConfig?.verb !== "get") focusSummary(summary);
  if (openMenu && !openMenu.isConnected) openMenu = null;
  if (openHelp && !openHelp.isConnected) openHelp = null;
  $$("[data-filter]").filter((input) => input.value).forEach(filterTable);
});

// The answer to a request that failed is a toast with the server's own words; without one, plain words do.
document.addEventListener("htmx:responseError", (event) => {
  endProgress();
  if (polls(event)) return;
  const { xhr, target } = event.detail;
  if (target?.matches("[data-stale-on-error]")) target.replaceChildren();
  const told = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".toast");
  if (told && $("#toasts")) {
    // The same words twice would hide that the second try failed as well.
    $$("#toasts .toast").filter((toast) => toast.textContent === told.textContent).forEach((toast) => toast.remove());
    $("#toasts").append(document.adoptNode(told));
  } else showToast({ level: "error", title: "That did not work", text: `The portal answered with status ${xhr.status}. Load the page again.` });
});

document.addEventListener("htmx:sendError", (event) => {
  endProgress();
  if (polls(event)) return;
  showToast({ level: "error", title: "No answer", text: "The portal could not be reached. Check that it still runs, then try again." });
});

document.addEventListener("htmx:afterRequest", endProgress);
document.addEventListener("toast", (event) => showToast(event.detail));
addEventListener("pageshow", (event) => { if (event.persisted) endProgress(); });

// ---- start --------------------------------------------------------------------------------------

function start(root) {
  $$("[data-must-match]", root).forEach(matchName);
  $$("[data-reveal]", root).forEach((button) => { button.hidden = false; });
  $$("table:has([data-tick-all])", root).forEach(countTicks);
}

setCollapsed(remembered(STORE_COLLAPSED) === "1");
watchToasts();
start(document);
showCurrentEntry();
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
if ($(".error-summary")) focusSummary($(".error-summary"));
