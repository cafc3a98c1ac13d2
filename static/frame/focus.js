// Where the keyboard lands: at what is wrong, at the field that a link names, and back at what opened a pane.

import { $, $$ } from "./dom.js";

// ---- the summary of what is wrong ---------------------------------------------------------------

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
});

if ($(".error-summary")) focusSummary($(".error-summary"));

// What somebody asked for and waited for is shown from its title on, above any footer that stays.
document.addEventListener("htmx:afterSettle", (event) => {
  const title = event.target.matches("[data-land]") ? event.target : $("[data-land]", event.target);
  if (!title?.isConnected || event.detail.requestConfig?.verb === "get") return;
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: "start" });
});

// A link of the summary goes to the control, not to the box around it.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".error-summary a[href^='#']");
  const target = link && document.getElementById(link.hash.slice(1));
  if (!target) return;
  const control = target.matches("input, select, textarea") ? target : $("input:checked, input, select, textarea", target);
  if (!control) return;
  event.preventDefault();
  control.focus();
  control.scrollIntoView({ block: "center" });
});

// ---- a link to a field --------------------------------------------------------------------------

function landOnField() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.closest("form")) return;
  const control = target.matches("input, select, textarea") ? target : $("input, select, textarea", target);
  control?.focus({ preventScroll: true });
  (control ?? target).scrollIntoView({ block: "center" });
}

landOnField();
addEventListener("hashchange", landOnField);

// ---- back from a pane, which is a page of its own -----------------------------------------------

const KEY = "gatewright.opener";

// In private mode a browser may refuse to remember.
function onMemory(act) {
  try { return act(sessionStorage); } catch { return null; }
}
const last = () => JSON.parse(onMemory((memory) => memory.getItem(KEY)) ?? "{}");

document.addEventListener("click", (event) => {
  const link = event.target.closest("#main a[href]");
  // A pointer finds its way back by itself, and needs no frame around a link.
  if (!link || event.detail || event.defaultPrevented || link.origin !== location.origin) return;
  const { from, to } = last();
  const closes = to === location.pathname && from === link.pathname;
  if (closes) return;
  onMemory((memory) => memory.setItem(KEY, JSON.stringify({ from: location.pathname, to: link.pathname })));
});

function comeBack() {
  const { from, to } = last();
  const before = document.referrer && new URL(document.referrer).pathname;
  if (!from || from !== location.pathname || to !== before) return;
  onMemory((memory) => memory.removeItem(KEY));
  if (document.activeElement !== document.body) return;
  const links = $$("#main a[href]").filter((one) => one.pathname === to);
  // What stands in a closed menu is reached through its button.
  const goal = links.find((one) => one.offsetParent) ?? links[0]?.closest(".menu-anchor")?.querySelector("[data-menu]");
  goal?.focus();
}

comeBack();
