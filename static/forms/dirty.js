// What was changed: marks at fields, Save and Discard while something was.

import { $, $$ } from "../frame/dom.js";
import { freshenPreserved, showFile } from "./boxes.js";
import { forgetTyped, setDependents, setPresets, steers, typed } from "./dependents.js";
import { completeRow, countRows, deleteRow, growRows, restoreRows, startRows, tellCount } from "./rows.js";

// ---- what was changed ---------------------------------------------------------------------------

const counts = (control) =>
  control.name && control.type !== "hidden" && !/^(submit|button|reset|fieldset|output)$/.test(control.type);

function changed(control) {
  if (control.disabled) return false;
  switch (control.type) {
    case "checkbox":
    case "radio":
      return control.checked !== control.defaultChecked;
    case "file":
      return control.files.length > 0;
    case "select-one": {
      const stored = Math.max(0, [...control.options].findIndex((option) => option.defaultSelected));
      return control.options.length > 0 && control.selectedIndex !== stored;
    }
    case "select-multiple":
      return [...control.options].some((option) => option.selected !== option.defaultSelected);
    default:
      return control.value !== control.defaultValue;
  }
}

// After a refused save the page holds what was typed, not what is stored: the form stays dirty.
const refused = (form) => form.dataset.dirty === "dirty" || Boolean($(".error-summary", form));

export function isDirty(form) {
  if (refused(form)) return true;
  const deleted = $("[data-row][hidden]", form) !== null;
  return deleted || [...form.elements].some((control) => counts(control) && changed(control));
}

function markField(field) {
  const controls = $$("input, select, textarea", field).filter(counts);
  // On the page of a refused save the boxes begin with what was typed: the server says what differs from what is stored.
  const edited = field.dataset.edited !== undefined || controls.some(changed);
  field.classList.toggle("is-edited", edited);
  const wrong = field.classList.contains("is-invalid");
  field.classList.toggle("is-valid", edited && !wrong && controls.every((control) => control.disabled || (control.validity.valid && control.value !== "")));
}

// What the server said of the value before is not said of the new one.
function forgive(control) {
  const field = control.closest(".field.is-invalid");
  if (!field || $("[data-rows]", field)) return;
  field.classList.remove("is-invalid");
  $$(".field-error", field).forEach((part) => part.remove());
  $$("[aria-invalid]", field).forEach((part) => part.removeAttribute("aria-invalid"));
}

function judge(form) {
  if (form.dataset.dirty === undefined) return;
  const dirty = isDirty(form);
  form.classList.toggle("is-dirty", dirty);
  for (const button of $$("button[data-dirty-only]")) if (button.form === form) button.disabled = !dirty;
}

// ---- keeping a form up to date ------------------------------------------------------------------

/** Bring a form up to date as a whole. */
function review(form) {
  setDependents(form);
  $$("[data-filebox]", form).forEach(showFile);
  if (form.dataset.dirty !== undefined) $$(".field", form).forEach(markField);
  $$("[data-rows]", form).forEach(tellCount);
  judge(form);
}

/** Bring it up to date after a change of one control, on which most of the form does not depend. */
function reviewAt(form, control) {
  if (control.type === "file" || steers(form, control.name)) {
    completeRow(control.closest("[data-row-short]"));
    review(form);
    return;
  }
  const field = control.closest(".field");
  if (field && form.dataset.dirty !== undefined) markField(field);
  judge(form);
}

function discard(form) {
  restoreRows(form);
  forgetTyped(form);
  review(form);
  $$("input, select, textarea", form).find((control) => counts(control) && !control.disabled && control.offsetParent)?.focus();
}

document.addEventListener("reset", (event) => {
  const form = event.target;
  if (form.dataset.dirty !== undefined && refused(form)) {
    // What is stored is not on this page any more: fetch it.
    event.preventDefault();
    form.dispatchEvent(new CustomEvent("fetch-stored", { bubbles: true }));
    return;
  }
  setTimeout(() => discard(form));
});

document.addEventListener("input", (event) => {
  const control = event.target;
  const { form } = control;
  if (!form) return;
  typed(control);
  forgive(control);
  const rows = control.closest("[data-rows]");
  const before = rows && $("[data-rows-list]", rows).childElementCount;
  if (rows) growRows(rows);
  if (rows && $("[data-rows-list]", rows).childElementCount !== before) review(form);
  else {
    reviewAt(form, control);
    if (rows) tellCount(rows);
  }
});

document.addEventListener("change", (event) => {
  const { form } = event.target;
  if (!form) return;
  if ($(`[data-preset-from="${CSS.escape(event.target.name)}"]`, form)) {
    setPresets(form, event.target.name);
    review(form);
  } else reviewAt(form, event.target);
});

document.addEventListener("click", (event) => {
  const bin = event.target.closest("[data-row-delete]");
  if (!bin) return;
  deleteRow(bin);
  if (bin.form) review(bin.form);
});

function start(root) {
  const forms = new Set([...(root.matches?.("form") ? [root] : []), ...$$("form", root)]);
  const around = root.closest?.("form");
  if (around) forms.add(around);
  for (const form of forms) {
    $$("[data-rows]", form).forEach(startRows);
    countRows(form);
    $$("input[hx-preserve]", form).forEach(freshenPreserved);
    review(form);
  }
}

start(document);
// htmx tells of the whole page as well, which has just been started.
document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) start(event.detail.elt); });
document.addEventListener("htmx:afterSettle", (event) => start(event.target));
