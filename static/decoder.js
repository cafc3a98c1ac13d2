// The decoder: drop a file anywhere, paste anywhere, save what was made. Without it the form posts as any other.

const form = document.querySelector("[data-decoder]");
const fileBox = form.elements.file;
let answered = false;
const textBox = () => form.elements.text; // replaced when a text held a private key

function decode() {
  form.requestSubmit();
}

function take(files) {
  if (!files?.length) return;
  const one = new DataTransfer();
  one.items.add(files[0]);
  fileBox.files = one.files;
  fileBox.dispatchEvent(new Event("change", { bubbles: true }));
}

// The last thing given counts: a file empties the text, a text gives back the file.
fileBox.addEventListener("change", () => {
  if (!fileBox.files.length) return;
  textBox().value = "";
  // A password that was typed before is meant for this file, one that was used is not.
  if (answered) form.elements.password.value = "";
  decode();
});

document.addEventListener("input", (event) => {
  if (event.target !== textBox() || !fileBox.files.length) return;
  fileBox.value = "";
  // The form's own script shows after this change that no file is chosen any more.
  fileBox.dispatchEvent(new Event("change", { bubbles: true }));
});

// ---- dropping anywhere on the page ----------------------------------------------------------------

let over = 0; // dragenter and dragleave come for every element on the way
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const mark = () => document.body.classList.toggle("is-dropping", over > 0);

document.addEventListener("dragenter", (event) => {
  if (!carriesFiles(event)) return;
  over += 1;
  mark();
});
document.addEventListener("dragleave", (event) => {
  if (!carriesFiles(event)) return;
  over = Math.max(0, over - 1);
  mark();
});
document.addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  over = 0;
  mark();
  take(event.dataTransfer.files);
});

// ---- pasting --------------------------------------------------------------------------------------

document.addEventListener("paste", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const { files } = event.clipboardData;
  if (files.length) {
    event.preventDefault();
    return take(files);
  }
  if (event.target === textBox()) return void setTimeout(decode);
  if (event.target.closest?.("input, textarea")) return;
  const text = event.clipboardData.getData("text/plain");
  if (!text) return;
  event.preventDefault();
  textBox().value = text;
  textBox().dispatchEvent(new Event("input", { bubbles: true }));
  decode();
});

// ---- the answer -----------------------------------------------------------------------------------

function ready(root) {
  for (const button of root.querySelectorAll("[data-save-text]")) button.hidden = false;
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "decoder-answer") return;
  answered = true;
  ready(event.detail.target);
  const title = event.detail.target.querySelector("[data-decoder-title]");
  if (!title) return;
  if (title.dataset.needsPassword !== undefined) return form.elements.password.focus();
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: "start" });
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-save-text]");
  if (!button) return;
  const text = document.getElementById(button.dataset.saveText).textContent;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/pkix-cert" }));
  link.download = button.dataset.saveName;
  link.click();
  // The download has begun once the click is through.
  setTimeout(() => URL.revokeObjectURL(link.href));
});

ready(document);
