// Boxes with a life of their own: files (the name of what was chosen, dropping one, what a preserved box remembers wrongly) and passwords.

import { $, $$ } from "../frame/dom.js";

/** Show the names of the chosen files. */
export function showFile(box) {
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

/** A preserved input (hx-preserve) keeps its file over a swap, but also the attributes of the answer before. */
export function freshenPreserved(input) {
  const field = input.closest(".field");
  if (!field) return;
  const describedBy = $$(".bubble, .field-error", field).map((part) => part.id).filter(Boolean).join(" ");
  field.classList.contains("is-invalid") ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  describedBy ? input.setAttribute("aria-describedby", describedBy) : input.removeAttribute("aria-describedby");
}

// The answer to a refused save comes without what was said of the chosen file: ask again.
document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.target.matches?.("form")) return;
  for (const input of $$("input[type=file][hx-preserve]", event.target))
    if (input.files.length && !input.disabled) input.dispatchEvent(new Event("change", { bubbles: true }));
});

for (const name of ["dragover", "dragleave", "drop"])
  document.addEventListener(name, (event) => event.target.closest?.("[data-filebox]")?.classList.toggle("is-over", name === "dragover"));

// ---- the eye in a box for passwords -------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-reveal]");
  if (!button) return;
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  const use = $("use", button);
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, shown ? "#eye-off" : "#eye"));
});

const start = (root) => $$("[data-reveal]", root).forEach((button) => { button.hidden = false; });
start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
