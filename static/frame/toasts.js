// Toasts: they leave by themselves, wait while they are looked at, and give the keyboard back where it came from.
// Copy buttons, which answer with one.

import { $, $$ } from "./dom.js";

const SECONDS = 8;
const ICONS = { info: "notice", progress: "pending" };
const leaving = new WeakMap();
let cameFrom = null; // what had the focus before a toast took it

function startLeaving(toast) {
  const level = toast.dataset.level;
  if (level === "error" || level === "progress") return;
  clearTimeout(leaving.get(toast));
  leaving.set(toast, setTimeout(() => toast.remove(), SECONDS * 1000));
}

function adopt(toast) {
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

export function showToast({ level = "info", title = "", text = "" }) {
  const template = $("#toast-template");
  const corner = $("#toasts");
  if (!template || !corner) return null;
  const toast = template.content.firstElementChild.cloneNode(true);
  const icon = ICONS[level] ?? level;
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

/** Show a toast that the server drew. */
export function adoptToast(told) {
  const corner = $("#toasts");
  if (!corner) return;
  // The same words twice would hide that the second try failed as well.
  $$(".toast", corner).filter((toast) => toast.textContent === told.textContent).forEach((toast) => toast.remove());
  corner.append(document.adoptNode(told));
}

export const endProgress = () => $$("#toasts .toast--progress").forEach((toast) => toast.remove());

function dismiss(toast) {
  const focused = toast.contains(document.activeElement);
  const next = toast.nextElementSibling ?? toast.previousElementSibling;
  toast.remove();
  if (!focused) return;
  const button = next && $("[data-toast-close]", next);
  const goal = button ?? (cameFrom?.isConnected && cameFrom.offsetParent ? cameFrom : $("#main"));
  goal?.focus({ preventScroll: true });
}

function watch(corner) {
  $$(".toast", corner).forEach(adopt);
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node instanceof Element) [node, ...$$(".toast", node)].filter((n) => n.matches(".toast")).forEach(adopt);
  }).observe(corner, { childList: true, subtree: true });
  corner.addEventListener("focusin", (event) => {
    if (event.relatedTarget && !corner.contains(event.relatedTarget)) cameFrom = event.relatedTarget;
  });
  corner.addEventListener("click", (event) => {
    if (event.target.closest("[data-toast-close]")) dismiss(event.target.closest(".toast"));
  });
  corner.addEventListener("keydown", (event) => {
    const toast = event.key === "Escape" && event.target.closest(".toast");
    if (!toast) return;
    event.stopPropagation();
    dismiss(toast);
  });
}

const corner = $("#toasts");
if (corner) watch(corner);
document.addEventListener("toast", (event) => showToast(event.detail));
addEventListener("pageshow", (event) => { if (event.persisted) endProgress(); });

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

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (button) copy(button);
});
