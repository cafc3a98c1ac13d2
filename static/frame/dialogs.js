// Dialogs: the question before something final, and any other that a link or button names.

import { $, $$ } from "./dom.js";

function matchName(input) {
  const form = input.form;
  const wanted = input.dataset.mustMatch;
  if (!form || wanted === undefined) return;
  $$("button[type=submit]", form).forEach((button) => { button.disabled = input.value !== wanted; });
}

function askFirst(link) {
  const dialog = $("#confirm-dialog");
  const { confirm, confirmText, confirmAction, confirmMatch } = link.dataset;
  $("form", dialog).action = link.href;
  $("#confirm-title").textContent = confirm;
  $("#confirm-text").textContent = confirmText ?? "";
  $("#confirm-action").textContent = confirmAction || "OK";
  $("#confirm-action").disabled = false;
  const input = $("#confirm-match-input");
  $("#confirm-match").hidden = input.disabled = !confirmMatch;
  input.value = "";
  delete input.dataset.mustMatch;
  if (confirmMatch) {
    $("#confirm-match-name").textContent = input.dataset.mustMatch = confirmMatch;
    matchName(input);
  }
  dialog.showModal();
  (confirmMatch ? input : $("[data-close]", dialog)).focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-confirm]");
  if (link) {
    event.preventDefault();
    askFirst(link);
  }
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog?.showModal) {
    event.preventDefault();
    dialog.showModal();
    $$("[data-must-match]", dialog).forEach(matchName);
  }
  const closer = event.target.closest("dialog [data-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  }
});

document.addEventListener("input", (event) => { if (event.target.matches("[data-must-match]")) matchName(event.target); });

const start = (root) => $$("[data-must-match]", root).forEach(matchName);
start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
