// What depends on another field: data-show-when, data-enable-when, and numbers suggested by data-preset-from.

import { $, $$ } from "../frame/dom.js";

// ---- what a form holds --------------------------------------------------------------------------

function held(control) {
  if (/^(checkbox|radio)$/.test(control.type)) return control.checked ? [control.value] : [];
  if (control.type === "select-multiple") return [...control.selectedOptions].map((option) => option.value);
  return [control.value];
}

/** Everything a form would send now, by name: lists without empty texts. Read once, for forms of thousands of controls. */
export function valuesOf(form) {
  const values = new Map();
  for (const control of form.elements) {
    if (!control.name || control.disabled || control.type === "fieldset") continue;
    const texts = held(control).filter((text) => text !== "" && text !== undefined);
    if (texts.length) values.set(control.name, [...(values.get(control.name) ?? []), ...texts]);
  }
  return values;
}

// ---- showing and greying out --------------------------------------------------------------------

// "a=x|y & b!=z & ticked & !other": every part must hold.
const parsed = new Map();

function parse(condition) {
  if (!parsed.has(condition)) {
    const parts = condition.split("&").map((part) => part.trim().match(/^(!?)\s*([^=!]+?)\s*(?:(!?=)\s*(.*))?$/));
    parsed.set(condition, parts.filter(Boolean));
  }
  return parsed.get(condition);
}

function holds(values, condition) {
  return parse(condition).every(([, not, name, operator, wanted]) => {
    const found = values.get(name) ?? [];
    if (!operator) return not ? !found.length : found.length > 0;
    const hit = wanted.split("|").some((value) => (value === "" ? !found.length : found.includes(value.trim())));
    return operator === "=" ? hit : !hit;
  });
}

const DEPENDENT = ":is(.field, fieldset, div, section, p, tr, a)";
const storedDisabled = new WeakMap();

/** Whether anything in the form depends on the field of that name. */
export function steers(form, name) {
  const part = `*="${CSS.escape(name)}"`;
  return Boolean(name && $(`${DEPENDENT}[data-show-when${part}], ${DEPENDENT}[data-enable-when${part}]`, form));
}

function show(part, values) {
  let moved = false;
  if (part.dataset.showWhen !== undefined) {
    const hide = !holds(values, part.dataset.showWhen);
    if (part.hidden !== hide) { part.hidden = hide; moved = true; }
  }
  if (part.dataset.enableWhen !== undefined) {
    const off = !holds(values, part.dataset.enableWhen);
    if (part.classList.contains("is-off") !== off) { part.classList.toggle("is-off", off); moved = true; }
  }
  return moved;
}

/** Show, hide and grey out what depends on other fields. */
export function setDependents(form) {
  const dependents = $$(`${DEPENDENT}[data-show-when], ${DEPENDENT}[data-enable-when]`, form);
  if (!dependents.length) return;
  const controls = new Set(dependents.flatMap((part) => $$("input, select, textarea, button:not([data-help])", part)));
  for (const control of controls) if (!storedDisabled.has(control)) storedDisabled.set(control, control.disabled);
  // A dependent's own controls may steer others, so repeat until nothing moves (nesting is never deep).
  for (let round = 0; round < 6; round += 1) {
    const values = valuesOf(form);
    let moved = false;
    for (const part of dependents) moved = show(part, values) || moved;
    for (const control of controls) {
      const off = storedDisabled.get(control) || Boolean(control.closest("[data-show-when][hidden], .is-off"));
      if (control.disabled !== off) { control.disabled = off; moved = true; }
    }
    if (!moved) break;
  }
}

// ---- a number suggested by another field, until the user types one ------------------------------

const typedInto = new WeakSet();

/** Remember that the user typed here: no suggestion replaces it. */
export const typed = (control) => { if (control.matches("[data-preset-from]")) typedInto.add(control); };
export const forgetTyped = (form) => $$("input", form).forEach((input) => typedInto.delete(input));

export function setPresets(form, changedName) {
  for (const input of $$(":is(input, select)[data-preset-from]", form)) {
    if (input.dataset.presetFrom !== changedName || typedInto.has(input)) continue;
    const presets = JSON.parse(input.dataset.preset);
    const known = Object.values(presets).map(String);
    const next = presets[valuesOf(form).get(changedName)?.[0]];
    if (next === undefined || (input.value !== "" && !known.includes(input.value))) continue;
    input.value = String(next);
  }
}
