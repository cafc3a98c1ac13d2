// Tables: narrowing them as one types, and ticking rows.

import { $, $$ } from "./dom.js";

function filter(input) {
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

document.addEventListener("input", (event) => { if (event.target.matches("[data-filter]")) filter(event.target); });

document.addEventListener("change", (event) => {
  const table = event.target.closest("table");
  if (!table?.id || event.target.type !== "checkbox") return;
  if (event.target.matches("[data-tick-all]"))
    $$("tbody > tr:not([hidden]) input[type=checkbox]", table).forEach((box) => { box.checked = event.target.checked; });
  countTicks(table);
});

document.addEventListener("htmx:afterSettle", () => $$("[data-filter]").filter((input) => input.value).forEach(filter));

const start = (root) => $$("table:has([data-tick-all])", root).forEach(countTicks);
start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
