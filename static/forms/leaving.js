// Nobody loses what was typed by leaving a page unawares.

import { $, $$ } from "../frame/dom.js";
import { isDirty } from "./dirty.js";
import { isSending } from "./sending.js";

let left = false;
let goal = null;

const typed = () => $$("form[data-dirty]").some((form) => !isSending(form) && isDirty(form));

function leave(address) {
  left = true;
  location.assign(address);
}

addEventListener("beforeunload", (event) => { if (!left && typed()) event.preventDefault(); });
addEventListener("pageshow", (event) => { if (event.persisted) left = false; });

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.hasAttribute("hx-post") || form.method !== "post") return;
  if (form.dataset.leaves !== undefined || form.dataset.dirty !== undefined) left = true;
});

// Discard after a refused save: what is stored is fetched.
document.addEventListener("fetch-stored", (event) => leave(event.target.dataset.discard || location.pathname + location.search));

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target && link.target !== "_self" || link.hasAttribute("download") || link.matches("[hx-get], [hx-post], [data-confirm], [data-dialog], [data-close]")) return;
  const url = new URL(link.href, location.href);
  const samePage = url.pathname === location.pathname && url.search === location.search;
  if (!/^https?:$/.test(url.protocol) || (samePage && url.hash)) return;
  if (!typed()) return;
  event.preventDefault();
  goal = link.href;
  const dialog = $("#leave-dialog");
  dialog.showModal();
  $("[data-close]", dialog).focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#leave-dialog [data-leave]") && goal) leave(goal);
});
