// Parts of a page that htmx exchanges: polling leaves an open menu alone, what was opened stays open, faults are told.

import { $, $$ } from "./dom.js";
import { rowMenuIn } from "./row_menus.js";
import { adoptToast, endProgress, showToast } from "./toasts.js";

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
  if (polls(event) && (rowMenuIn(target) || $("dialog[open]", target))) event.detail.shouldSwap = false;
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

// The answer to a request that failed is a toast with the server's own words; without one, plain words do.
document.addEventListener("htmx:responseError", (event) => {
  endProgress();
  if (polls(event)) return;
  const { xhr, target } = event.detail;
  if (target?.matches("[data-stale-on-error]")) target.replaceChildren();
  const told = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".toast");
  if (told) adoptToast(told);
  else showToast({ level: "error", title: "That did not work", text: `The portal answered with status ${xhr.status}. Load the page again.` });
});

document.addEventListener("htmx:sendError", (event) => {
  endProgress();
  if (polls(event)) return;
  showToast({ level: "error", title: "No answer", text: "The portal could not be reached. Check that it still runs, then try again." });
});

document.addEventListener("htmx:afterRequest", endProgress);
