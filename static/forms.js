// Forms in motion: what changed, what depends on what, file boxes, rows that grow, leaving, sending once.
// The server judges everything again; a form works without this file.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// ---- what a control holds -----------------------------------------------------------------------

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

function valueOf(form, name) {
  const values = [];
  for (const control of form.elements) {
    if (control.name !== name || control.disabled) continue;
    if (/^(checkbox|radio)$/.test(control.type)) {
      if (control.checked) values.push(control.value);
    } else if (control.type === "select-multiple") {
      values.push(...[...control.selectedOptions].map((option) => option.value));
    } else values.push(control.value);
  }
  return values.filter((value) => value !== "");
}

// ---- dependents: data-show-when, data-enable-when -----------------------------------------------

// "a=x|y & b!=z & ticked & !other": every part must hold.
function holds(form, condition) {
  return condition.split("&").every((part) => {
    const [, not, name, operator, wanted] = part.trim().match(/^(!?)\s*([^=!]+?)\s*(?:(!?=)\s*(.*))?$/) ?? [];
    if (!name) return true;
    const values = valueOf(form, name);
    if (!operator) return not ? values.length === 0 : values.length > 0;
    const hit = wanted.split("|").some((value) => (value === "" ? !values.length : values.includes(value.trim())));
    return operator === "=" ? hit : !hit;
  });
}

const DEPENDENT = ":is(.field, fieldset, div, section, p, tr, a)";
const storedDisabled = new WeakMap();

function setDependents(form) {
  const dependents = $$(`${DEPENDENT}[data-show-when], ${DEPENDENT}[data-enable-when]`, form);
  if (!dependents.length) return;
  const controls = new Set(dependents.flatMap((part) => $$("input, select, textarea, button:not([data-help])", part)));
  for (const control of controls) if (!storedDisabled.has(control)) storedDisabled.set(control, control.disabled);
  // A dependent's own controls may steer others, so repeat until nothing moves (nesting is never deep).
  for (let round = 0; round < 6; round += 1) {
    let moved = false;
    for (const part of dependents) {
      if (part.dataset.showWhen !== undefined) {
        const hide = !holds(form, part.dataset.showWhen);
        if (part.hidden !== hide) { part.hidden = hide; moved = true; }
      }
      if (part.dataset.enableWhen !== undefined) {
        const off = !holds(form, part.dataset.enableWhen);
        if (part.classList.contains("is-off") !== off) { part.classList.toggle("is-off", off); moved = true; }
      }
    }
    for (const control of controls) {
      const off = storedDisabled.get(control) || Boolean(control.closest("[data-show-when][hidden], .is-off"));
      if (control.disabled !== off) { control.disabled = off; moved = true; }
    }
    if (!moved) break;
  }
}

// ---- a number suggested by another field, until the user types one ------------------------------

const typedInto = new WeakSet();

function setPresets(form, changedName) {
  for (const input of $$(":is(input, select)[data-preset-from]", form)) {
    if (input.dataset.presetFrom !== changedName || typedInto.has(input)) continue;
    const presets = JSON.parse(input.dataset.preset);
    const known = Object.values(presets).map(String);
    const next = presets[valueOf(form, changedName)[0]];
    if (next === undefined || (input.value !== "" && !known.includes(input.value))) continue;
    input.value = String(next);
  }
}

// ---- file boxes ---------------------------------------------------------------------------------

function showFile(box) {
  const input = $("input[type=file]", box);
  const name = $("[data-filebox-name]", box);
  if (!input || !name) return;
  const names = [...input.files].map((file) => `"${file.name}"`);
  name.textContent = names.join(", ") || "Select a file";
  box.classList.toggle("has-file", names.length > 0);
}

// "Use the Base-64 form": put a text into a file box, as if that file had been chosen.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-replace-file]");
  if (!button) return;
  const input = document.getElementById(button.dataset.replaceFile);
  const text = document.getElementById(button.dataset.replaceWith).textContent;
  const files = new DataTransfer();
  files.items.add(new File([text], button.dataset.replaceName, { type: "application/x-x509-ca-cert" }));
  input.files = files.files;
  input.focus();
  for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
});

// A preserved input (hx-preserve) keeps its file over a swap, but also the attributes of the answer before.
function freshenPreserved(input) {
  const field = input.closest(".field");
  if (!field) return;
  const describedBy = $$(".bubble, .field-error", field).map((part) => part.id).filter(Boolean).join(" ");
  field.classList.contains("is-invalid") ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  describedBy ? input.setAttribute("aria-describedby", describedBy) : input.removeAttribute("aria-describedby");
}

// ---- rows that grow (Django formsets) -----------------------------------------------------------

const live = (row) => !row.hidden;
const storedTotals = new WeakMap(); // a hidden input forgets its first value, so it is kept here

function addRow(rows) {
  const prefix = rows.dataset.rows;
  const total = $(`[name="${prefix}-TOTAL_FORMS"]`, rows);
  const limit = Number($(`[name="${prefix}-MAX_NUM_FORMS"]`, rows)?.value || 1000);
  if (Number(total.value) >= limit) return;
  const copy = $("[data-rows-template]", rows).content.cloneNode(true);
  for (const element of $$("*", copy))
    for (const attribute of [...element.attributes])
      if (attribute.value.includes("__prefix__")) element.setAttribute(attribute.name, attribute.value.replaceAll("__prefix__", total.value));
  total.value = String(Number(total.value) + 1);
  $("[data-rows-list]", rows).append(copy);
  startRows(rows);
}

function startRows(rows) {
  if (!storedTotals.has(rows)) storedTotals.set(rows, $(`[name="${rows.dataset.rows}-TOTAL_FORMS"]`, rows).value);
  $$("[data-row-delete]", rows).forEach((button) => { button.hidden = false; });
  // A refused save draws deleted rows again, with their box ticked.
  $$("[data-row]", rows).forEach((row) => { if ($(".row-delete input", row)?.checked) row.hidden = true; });
}

function growRows(rows) {
  const last = $$("[data-row]", rows).filter(live).at(-1);
  if (!last || $$("input:not([type=hidden], [type=checkbox]), textarea, select[data-fills-row]", last).some((input) => input.value)) addRow(rows);
}

function deleteRow(button) {
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
  (next?.isConnected ? $("input:not([type=hidden]), select", next) : null)?.focus();
}

// ---- dirty forms --------------------------------------------------------------------------------

const rowCount = (form) => $$("[data-row]:not([hidden])", form).length;
const storedRows = new WeakMap();

// After a refused save the page holds what was typed, not what is stored: the form stays dirty.
const refused = (form) => form.dataset.dirty === "dirty" || Boolean($(".error-summary", form));

function isDirty(form) {
  if (refused(form)) return true;
  const deleted = $$("[data-row][hidden]", form).length > 0;
  return deleted || [...form.elements].some((control) => counts(control) && changed(control));
}

const dirtyForms = () => $$("form[data-dirty]").filter((form) => !sending.has(form) && isDirty(form));

function markField(field) {
  const controls = $$("input, select, textarea", field).filter(counts);
  const edited = controls.some(changed);
  field.classList.toggle("is-edited", edited);
  const refusedHere = field.classList.contains("is-invalid");
  field.classList.toggle("is-valid", edited && !refusedHere && controls.every((control) => control.disabled || (control.validity.valid && control.value !== "")));
}

// What the server said of the value before is not said of the new one.
function forgive(control) {
  const field = control.closest(".field.is-invalid");
  if (!field || $("[data-rows]", field)) return;
  field.classList.remove("is-invalid");
  $$(".field-error", field).forEach((part) => part.remove());
  $$("[aria-invalid]", field).forEach((part) => part.removeAttribute("aria-invalid"));
}

function review(form) {
  setDependents(form);
  $$("[data-filebox]", form).forEach(showFile);
  if (form.dataset.dirty === undefined) return;
  $$(".field", form).forEach(markField);
  const dirty = isDirty(form);
  form.classList.toggle("is-dirty", dirty);
  for (const button of form.elements) if (button.matches("[data-dirty-only]")) button.disabled = !dirty;
}

function discard(form) {
  for (const row of $$("[data-row][hidden]", form)) row.hidden = false;
  const stored = storedRows.get(form);
  if (stored !== undefined) $$("[data-row]", form).slice(stored).forEach((row) => row.remove());
  for (const rows of $$("[data-rows]", form)) $(`[name="${rows.dataset.rows}-TOTAL_FORMS"]`, rows).value = storedTotals.get(rows);
  $$("input", form).forEach((input) => typedInto.delete(input));
  review(form);
  $$("input, select, textarea", form).find((control) => counts(control) && !control.disabled && control.offsetParent)?.focus();
}

document.addEventListener("reset", (event) => {
  const form = event.target;
  if (form.dataset.dirty !== undefined && refused(form)) {
    // What is stored is not on this page any more: fetch it.
    event.preventDefault();
    leave(() => location.assign(form.dataset.discard || location.pathname + location.search));
    return;
  }
  setTimeout(() => discard(form));
});

document.addEventListener("input", (event) => {
  const control = event.target;
  const form = control.form;
  if (!form) return;
  if (control.matches("[data-preset-from]")) typedInto.add(control);
  forgive(control);
  const rows = control.closest("[data-rows]");
  if (rows) growRows(rows);
  review(form);
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form) return;
  setPresets(form, event.target.name);
  review(form);
});

document.addEventListener("click", (event) => {
  const bin = event.target.closest("[data-row-delete]");
  if (bin) {
    const form = bin.closest("form");
    deleteRow(bin);
    if (form) review(form);
  }
});

// ---- leaving ------------------------------------------------------------------------------------

let left = false;
let goal = null;

function leave(go) {
  left = true;
  go();
}

addEventListener("beforeunload", (event) => {
  if (!left && dirtyForms().length) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target && link.target !== "_self" || link.hasAttribute("download") || link.matches("[hx-get], [hx-post], [data-confirm], [data-dialog], [data-close]")) return;
  const url = new URL(link.href, location.href);
  const samePage = url.pathname === location.pathname && url.search === location.search;
  if (!/^https?:$/.test(url.protocol) || (samePage && url.hash)) return;
  if (!dirtyForms().length) return;
  event.preventDefault();
  goal = link.href;
  const dialog = $("#leave-dialog");
  dialog.showModal();
  $("[data-close]", dialog).focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("#leave-dialog [data-leave]") && goal) leave(() => location.assign(goal));
});

// A link of the error summary goes to the control, not to the box around it.
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

// ---- sending once, with a word about it ---------------------------------------------------------

const sending = new Set();
const posts = (form) => form.method === "post" || form.hasAttribute("hx-post");

function progress(form, button) {
  form.setAttribute("aria-busy", "true");
  const title = button?.dataset.progress ?? form.dataset.progress;
  if (title) form.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail: { level: "progress", title } }));
}

function release(form) {
  sending.delete(form);
  form.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !posts(form) || form.hasAttribute("hx-post") || form.method === "dialog") return;
  if (sending.has(form)) return event.preventDefault();
  if (form.dataset.leaves !== undefined || form.dataset.dirty !== undefined) left = true;
  if (form.dataset.repeatable !== undefined) return;
  sending.add(form);
  progress(form, event.submitter);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches?.("form[hx-post]")) return;
  if (sending.has(form)) return event.preventDefault();
  sending.add(form);
  progress(form, event.detail.requestConfig?.triggeringEvent?.submitter);
});

// After a refusal the same page goes on; after success the answer leads elsewhere or the form is drawn afresh.
document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.detail.elt;
  if (!form.matches?.("form[hx-post]")) return;
  const { xhr } = event.detail;
  const away = xhr && xhr.status < 400 && (xhr.getResponseHeader("HX-Redirect") || xhr.getResponseHeader("HX-Refresh") || xhr.getResponseHeader("HX-Location"));
  if (!away) release(form);
});

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  left = false;
  [...sending].forEach(release);
});

// ---- start --------------------------------------------------------------------------------------

function start(root) {
  const forms = new Set([...(root.matches?.("form") ? [root] : []), ...$$("form", root)]);
  const around = root.closest?.("form");
  if (around) forms.add(around);
  for (const form of forms) {
    $$("[data-rows]", form).forEach(startRows);
    if (!storedRows.has(form)) storedRows.set(form, rowCount(form));
    $$("input[hx-preserve]", form).forEach(freshenPreserved);
    review(form);
  }
}

// A link to a field lands on it with the keyboard too.
function landOnField() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target || !target.closest("form")) return;
  const control = target.matches("input, select, textarea") ? target : $("input, select, textarea", target);
  control?.focus({ preventScroll: true });
  (control ?? target).scrollIntoView({ block: "center" });
}

start(document);
landOnField();
addEventListener("hashchange", landOnField);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
document.addEventListener("htmx:afterSettle", (event) => start(event.target));
// The answer to a refused save comes without what was said of the chosen file: ask again.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.target.matches?.("form")) return;
  for (const input of $$("input[type=file][hx-preserve]", event.target))
    if (input.files.length && !input.disabled) input.dispatchEvent(new Event("change", { bubbles: true }));
});
for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => event.target.closest?.("[data-filebox]")?.classList.toggle("is-over", name === "dragover"));
