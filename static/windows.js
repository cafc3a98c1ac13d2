// Windows over a page: a link with data-window opens what it leads to as a dialog, one over another.
// Without this file the links lead to pages of their own.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

let opening = false;

/** Opens the window at `url`; follows the link instead if the answer is no window. */
export async function openWindow(url) {
  if (opening) return;
  opening = true;
  try {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const content = $("[data-window-content]", page);
    if (!answer.ok || !content) return void location.assign(url);
    show(content);
  } catch {
    location.assign(url);
  } finally {
    opening = false;
  }
}

function show(content) {
  const dialog = document.createElement("dialog");
  dialog.className = "window-dialog";
  dialog.setAttribute("aria-labelledby", content.getAttribute("aria-labelledby"));
  content.removeAttribute("aria-labelledby");
  dialog.append(document.adoptNode(content));
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    bringToasts();
    dialog.remove();
  });
  window.htmx?.process(dialog);
  startTabs(dialog);
  // Forms and other parts get ready as after any swap.
  dialog.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: dialog } }));
  dialog.showModal();
  bringToasts();
  ($("[autofocus]", dialog) ?? $("[role=tab][aria-selected=true]", dialog) ?? $("[data-window-close]", dialog))?.focus();
}

/** Toasts appear in the topmost window: what lies behind it is neither seen well nor read out. */
function bringToasts() {
  const corner = document.getElementById("toasts");
  const top = $$("dialog.window-dialog[open]").at(-1) ?? document.body;
  if (corner && corner.parentElement !== top) top.append(corner);
}

// ---- tabs -----------------------------------------------------------------------------------------

function selectTab(tab, focus = false) {
  for (const other of $$("[role=tab]", tab.closest("[role=tablist]"))) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
  if (focus) tab.focus();
}

function startTabs(root) {
  for (const list of $$("[role=tablist]", root)) {
    list.hidden = false;
    selectTab($("[aria-selected=true]", list) ?? $("[role=tab]", list));
  }
}

function tabKey(event, tab) {
  const tabs = $$("[role=tab]", tab.closest("[role=tablist]"));
  const here = tabs.indexOf(tab);
  const moves = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 };
  if (!(event.key in moves)) return;
  event.preventDefault();
  selectTab(tabs.at(moves[event.key] % tabs.length), true);
}

// ---- one listener per kind of event ---------------------------------------------------------------

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  let element;
  if ((element = at("[role=tab]"))) selectTab(element);
  else if ((element = at("dialog.window-dialog [data-window-close]"))) {
    event.preventDefault();
    element.closest("dialog").close();
  } else if ((element = at("a[data-window]")) && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openWindow(element.href);
  }
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  if (tab) tabKey(event, tab);
});

startTabs(document);
