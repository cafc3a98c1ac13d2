// Rows that grow (forms/rows.html): a new one appears as soon as the last is used.

import { $, $$ } from "../frame/dom.js";

const live = (row) => !row.hidden;
const storedTotals = new WeakMap(); // a hidden input forgets its first value, so it is kept here

const totalOf = (rows) => $(`[name="${rows.dataset.rows}-TOTAL_FORMS"]`, rows);

/** A copy of the pattern of a row, with its number. */
function copyRow(rows, number) {
  const copy = $("[data-rows-template]", rows).content.cloneNode(true);
  for (const element of $$("*", copy))
    for (const attribute of [...element.attributes])
      if (attribute.value.includes("__prefix__")) element.setAttribute(attribute.name, attribute.value.replaceAll("__prefix__", number));
  return $("[data-row]", copy);
}

function addRow(rows) {
  const total = totalOf(rows);
  const limit = Number($(`[name="${rows.dataset.rows}-MAX_NUM_FORMS"]`, rows)?.value || 1000);
  if (Number(total.value) >= limit) return;
  const row = copyRow(rows, total.value);
  total.value = String(Number(total.value) + 1);
  $("[data-rows-list]", rows).append(row);
  $$("[data-row-delete]", row).forEach((button) => { button.hidden = false; });
}

/** Give a row that was drawn short the fields that it lacks; tells whether it was short. */
export function completeRow(row) {
  if (!row?.dataset.rowShort) return false;
  const pattern = copyRow(row.closest("[data-rows]"), row.dataset.rowShort);
  delete row.dataset.rowShort;
  let before = null;
  for (const part of $$(":scope > .field", pattern)) {
    const there = $(`#${CSS.escape(part.id)}`, row);
    if (!there) before ? before.after(part) : row.prepend(part);
    before = there ?? part;
  }
  return true;
}

export function startRows(rows) {
  if (!storedTotals.has(rows)) storedTotals.set(rows, totalOf(rows).value);
  $$("[data-row-delete]", rows).forEach((button) => { button.hidden = false; });
  // A refused save draws deleted rows again, with their box ticked.
  $$("[data-row]", rows).forEach((row) => { if ($(".row-delete input", row)?.checked) row.hidden = true; });
}

export function growRows(rows) {
  const last = $$("[data-row]", rows).filter(live).at(-1);
  if (!last || $$("input:not([type=hidden], [type=checkbox]), textarea, select[data-fills-row]", last).some((input) => input.value)) addRow(rows);
}

const typed = (row) => $$("input:not([type=hidden], [type=checkbox]), textarea, select[data-fills-row]", row).some((input) => input.value && !input.disabled);

/** "3 items" beside the rows: those in which something stands. */
export function tellCount(rows) {
  const line = $(`[data-rows-count="${rows.dataset.rows}"]`, rows.closest("form") ?? document);
  if (!line) return;
  const count = $$("[data-row]", rows).filter((row) => live(row) && typed(row)).length;
  const words = `${count} item${count === 1 ? "" : "s"}`;
  if (line.textContent !== words) line.textContent = words;
  line.hidden = false;
}

export function deleteRow(button) {
  const rows = button.closest("[data-rows]");
  const row = button.closest("[data-row]");
  const remaining = $$("[data-row]", rows).filter(live);
  const next = remaining[remaining.indexOf(row) + 1] ?? remaining[remaining.indexOf(row) - 1];
  const box = $(".row-delete input", row);
  if (box) box.checked = true;
  row.hidden = true;
  // Required boxes of a deleted row must not stop the form from being sent.
  $$("[required]", row).forEach((input) => { input.required = false; });
  growRows(rows);
  const goal = next?.isConnected ? next : $$("[data-row]", rows).filter(live).at(-1);
  (goal ? $("input:not([type=hidden]), select", goal) : null)?.focus();
}

// ---- back to what was drawn ---------------------------------------------------------------------

const storedCounts = new WeakMap();

/** Remember how many rows a form was drawn with. */
export function countRows(form) {
  if (!storedCounts.has(form)) storedCounts.set(form, $$("[data-row]:not([hidden])", form).length);
}

export function restoreRows(form) {
  for (const row of $$("[data-row][hidden]", form)) row.hidden = false;
  const stored = storedCounts.get(form);
  if (stored !== undefined) $$("[data-row]", form).slice(stored).forEach((row) => row.remove());
  for (const rows of $$("[data-rows]", form)) totalOf(rows).value = storedTotals.get(rows);
}
