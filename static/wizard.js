// The Certificate Export Wizard: one page of its form at a time, Browse, and the message at the end.
// The server checks everything again; without this file the pages stand below each other and Finish sends them.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const KEPT_MS = 20_000; // how long the browser may take to save what it was given
const ENDINGS = [".cer", ".p7b", ".pfx"];
const MAX_NAME = 120;

const begun = new WeakSet();
const current = new WeakMap(); // form → the page that is shown
const replaced = new WeakMap(); // form → the path that may be written over

const windowOf = (element) => element.closest("[data-window-content], dialog");
const bodyOf = (element) => element.closest("[data-wizard-body]");
const part = (form, name) => $(`[data-wizard-${name}]`, windowOf(bodyOf(form)));

// ---- what the form holds ------------------------------------------------------------------------

const chosen = (form, name) => $(`input[name="${name}"]:checked`, form);
const format = (form) => chosen(form, "format")?.value;
const extension = (form) => chosen(form, "format")?.dataset.wizardExtension ?? "";
const label = (input) => input?.closest("label").innerText.trim() ?? "";

function places(form) {
  return $$("input[name=browse-place]", bodyOf(form)).map((input) => ({ value: input.value, label: input.dataset.label }));
}

/** The folder and the name of what stands in the box, with the ending of the format; or what is wrong with it. */
function readPath(form, text) {
  const folders = text.trim().replaceAll("/", "\\").split("\\");
  const typed = folders.pop().trim();
  const known = places(form);
  const folder = folders.length ? folders.at(-1).trim().toLowerCase() : "documents";
  const place = known.find((one) => one.label.toLowerCase() === folder);
  if (!place) return { problem: `There is no folder “${folders.at(-1)}” here. Take ${known.map((one) => one.label).join(", ")}.` };
  if (!typed) return { problem: "Enter a file name." };
  const ending = ENDINGS.find((one) => typed.toLowerCase().endsWith(one));
  const wanted = extension(form);
  const name = ending === wanted ? typed : (ending ? typed.slice(0, -ending.length) : typed) + wanted;
  const bad = [...new Set(name.match(/[:*?"<>|]/g) ?? [])].join("  ");
  if (bad) return { problem: `A file name cannot hold:  ${bad}` };
  if (name.length > MAX_NAME) return { problem: `A file name may have ${MAX_NAME} characters; it has ${name.length}.` };
  return { place, name, path: `${place.label}\\${name}` };
}

function isThere(form, target) {
  const names = $$(`[data-wizard-files="${target.place.value}"] [data-wizard-file]`, bodyOf(form));
  return names.some((button) => button.dataset.wizardFile.toLowerCase() === target.name.toLowerCase());
}

// ---- what is wrong, beside its control ----------------------------------------------------------

function clearComplaint(control) {
  const field = control.closest(".field");
  if (!field?.classList.contains("is-invalid")) return;
  $$(".field-error", field).forEach((error) => error.remove());
  field.classList.remove("is-invalid");
  control.removeAttribute("aria-invalid");
}

function errorOf(form, words) {
  const error = $("template[data-wizard-error]", bodyOf(form)).content.firstElementChild.cloneNode(true);
  $("[data-wizard-words]", error).textContent = words;
  return error;
}

function complain(control, words) {
  clearComplaint(control);
  const field = control.closest(".field");
  const error = errorOf(control, words);
  error.id = `${control.id}_error`;
  field.classList.add("is-invalid");
  field.append(error);
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", error.id);
  control.focus();
  return false;
}

/** Whether the page may be left for the next one. Asks where a file would be written over. */
async function complete(form, page) {
  if (page.dataset.wizardPage === "security") {
    const [password, confirm] = [form.elements.password, form.elements.confirm];
    if (!password.value) return complain(password, "Enter a password: it protects the private key.");
    if (password.value !== confirm.value) return complain(confirm, "The two passwords are not the same.");
  }
  if (page.dataset.wizardPage === "file") {
    const box = form.elements.file_name;
    const target = readPath(form, box.value);
    if (target.problem) return complain(box, target.problem);
    box.value = target.path;
    if (!(await mayWrite(form, target))) return complain(box, "Choose another name.");
  }
  return true;
}

async function mayWrite(form, target) {
  if (format(form) === "pfx") return true;
  if (isThere(form, target) && replaced.get(form) !== target.path) {
    const question = part(form, "ask");
    $("[data-wizard-ask-text]", question).textContent = `${target.path} is there already.\nDo you want to replace it?`;
    question.returnValue = "no";
    question.showModal();
    $("button[value=no]", question).focus();
    await new Promise((resolve) => question.addEventListener("close", resolve, { once: true }));
    if (question.returnValue !== "yes") return false;
    replaced.set(form, target.path);
  }
  form.elements.replace.checked = replaced.get(form) === target.path;
  return true;
}

// ---- pages --------------------------------------------------------------------------------------

function applies(form, page) {
  const [name, value] = (page.dataset.wizardWhen ?? "").split("=");
  return !name || chosen(form, name)?.value === value;
}

const pagesOf = (form) => $$("[data-wizard-page]", form).filter((page) => applies(form, page));

function show(form, page) {
  const pages = pagesOf(form);
  const last = page === pages.at(-1);
  current.set(form, page);
  for (const other of $$("[data-wizard-page]", form)) other.hidden = other !== page;
  $$("[data-wizard-note]", form).forEach((note) => { note.hidden = note.dataset.wizardNote !== format(form); });
  part(form, "back").disabled = page === pages[0];
  part(form, "next").hidden = last;
  part(form, "finish").hidden = !last;
  if (last) summarize(form);
  part(form, "live").textContent = $("h2", page).textContent;
  const control = $("[aria-invalid=true]", page) ?? $("input:not([type=hidden], [type=checkbox], :disabled):is(:checked, :not([type=radio]))", page);
  (control ?? part(form, last ? "finish" : "next")).focus();
}

function summarize(form) {
  const told = (name) => $(`[data-wizard-told="${name}"]`, form);
  const pfx = format(form) === "pfx";
  const target = readPath(form, form.elements.file_name.value);
  const path = form.elements[`${format(form)}_path`];
  told("file").textContent = pfx ? `${target.name} (downloaded, not kept here)` : target.path ?? "";
  told("key").textContent = pfx ? "Yes" : "No";
  told("path").textContent = path?.checked ? "Yes" : "No";
  told("format").textContent = label(chosen(form, "format"));
}

async function next(form) {
  const page = current.get(form);
  if (!(await complete(form, page)) || !form.isConnected) return;
  const pages = pagesOf(form);
  show(form, pages[pages.indexOf(page) + 1]);
}

function back(form) {
  const pages = pagesOf(form);
  show(form, pages[Math.max(0, pages.indexOf(current.get(form)) - 1)]);
}

// ---- Browse -------------------------------------------------------------------------------------

function browse(form) {
  const dialog = part(form, "browser");
  const target = readPath(form, form.elements.file_name.value);
  const place = target.place?.value ?? "desktop";
  $(`input[name=browse-place][value="${place}"]`, dialog).checked = true;
  $("[data-wizard-browser-name]", dialog).value = target.name ?? "";
  $("[data-wizard-browser-type]", dialog).textContent = label(chosen(form, "format"));
  clearComplaint($("[data-wizard-browser-name]", dialog));
  listFiles(form);
  dialog.showModal();
  $("[data-wizard-browser-name]", dialog).focus();
}

function listFiles(form) {
  const dialog = part(form, "browser");
  const place = $("input[name=browse-place]:checked", dialog).value;
  for (const list of $$("[data-wizard-files]", dialog)) {
    list.hidden = list.dataset.wizardFiles !== place;
    let shown = 0;
    for (const button of $$("[data-wizard-file]", list)) {
      const fits = button.dataset.wizardFile.toLowerCase().endsWith(extension(form));
      button.closest("li").hidden = !fits;
      if (fits) shown += 1;
    }
    $("[data-wizard-none]", list).hidden = shown > 0;
  }
}

async function choosePath(form) {
  const dialog = part(form, "browser");
  const box = $("[data-wizard-browser-name]", dialog);
  const folder = $("input[name=browse-place]:checked", dialog).dataset.label;
  const name = box.value.trim();
  const target = readPath(form, /[\\/]/.test(name) ? name : `${folder}\\${name}`);
  if (target.problem) return void complain(box, target.problem);
  if (!(await mayWrite(form, target))) return void box.focus();
  dialog.close();
  form.elements.file_name.value = target.path;
  clearComplaint(form.elements.file_name);
  part(form, "next").focus();
}

// ---- Finish -------------------------------------------------------------------------------------

function fileName(disposition) {
  const encoded = disposition.match(/filename\*=utf-8''([^;]+)/i);
  return encoded ? decodeURIComponent(encoded[1]) : disposition.match(/filename="((?:[^"\\]|\\.)*)"/i)?.[1].replace(/\\(.)/g, "$1");
}

function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name ?? "certificate";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}

async function finish(form) {
  const button = part(form, "finish");
  if (button.disabled) return;
  const data = new FormData(form);
  if (format(form) !== "pfx") ["password", "confirm"].forEach((name) => data.delete(name));
  button.disabled = true;
  $$("[data-wizard-failure]", form).forEach((failure) => failure.remove());
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "text/html" } });
    const disposition = answer.headers.get("Content-Disposition");
    if (answer.ok && disposition) {
      download(await answer.blob(), fileName(disposition));
      tellSuccess(form);
    } else if (answer.status === 422) drawAgain(form, await answer.text());
    else if (answer.redirected) tellFailure(form, "You are signed out, and no file was made. Load the page again to sign in.");
    else tellFailure(form, `No file was made: the portal answered with status ${answer.status}. Load the page again.`);
  } catch {
    tellFailure(form, "No file was made: the portal could not be reached. Check that it still runs, then press Finish again.");
  } finally {
    button.disabled = false;
    form.removeAttribute("aria-busy");
  }
}

/** The answer to a refused form takes its place, with the page that has the error; typed passwords stay. */
function drawAgain(form, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const body = document.adoptNode($("[data-wizard-body]", page));
  const typed = ["password", "confirm"].map((name) => [name, form.elements[name]?.value]);
  bodyOf(form).replaceWith(body);
  const drawn = $("form[data-wizard]", body);
  for (const [name, value] of typed) if (drawn.elements[name] && value) drawn.elements[name].value = value;
  body.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true, detail: { elt: body } }));
}

function tellSuccess(form) {
  const dialog = part(form, "done");
  const pfx = format(form) === "pfx";
  const target = readPath(form, form.elements.file_name.value);
  $("[data-wizard-done-where]", dialog).textContent = pfx
    ? `Your browser has ${target.name}: the only copy.`
    : `${target.path} is among the exported files, and your browser has a copy.`;
  part(form, "folder").hidden = pfx;
  part(form, "folder").hash = target.place.value;
  dialog.addEventListener("close", () => leave(form), { once: true });
  dialog.showModal();
}

/** What went wrong with Finish itself: on the page, as a toast would lie behind the window. */
function tellFailure(form, words) {
  const failure = errorOf(form, words);
  failure.dataset.wizardFailure = "";
  current.get(form).append(failure);
}

/** The wizard closes: a dialog over its page, or a page of its own. Listed files are listed anew. */
function leave(form) {
  const opened = form.closest("dialog.window-dialog");
  const files = new URL(part(form, "folder").href).pathname;
  if (!opened) location.assign($("[data-window-close]", windowOf(form)).href);
  else if (location.pathname === files) location.reload();
  else opened.close();
}

// ---- start --------------------------------------------------------------------------------------

function begin(form) {
  begun.add(form);
  for (const name of ["back", "browse"]) part(form, name).hidden = false;
  part(form, "replace").hidden = true;
  part(form, "summary").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    current.get(form) === pagesOf(form).at(-1) ? finish(form) : next(form);
  });
  form.addEventListener("change", (event) => {
    if (event.target.name !== "key") return;
    const wanted = event.target.value === "yes" ? "pfx" : format(form) === "pfx" ? "der" : format(form);
    $(`input[name=format][value="${wanted}"]`, form).checked = true;
  });
  form.addEventListener("input", (event) => clearComplaint(event.target));
  const pages = pagesOf(form);
  show(form, pages.find((page) => $(".field-error", page)) ?? pages[0]);
}

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  const form = () => $("form[data-wizard]", windowOf(event.target.closest(".window") ?? event.target));
  let element;
  if ((element = at("[data-wizard-folder]")) && new URL(element.href).pathname === location.pathname) {
    event.preventDefault();
    element.closest("dialog").close();
  } else if (at("[data-wizard-next]")) next(form());
  else if (at("[data-wizard-back]")) back(form());
  else if (at("[data-wizard-browse]")) browse(form());
  else if ((element = at("[data-wizard-file]"))) {
    const box = $("[data-wizard-browser-name]", element.closest("dialog"));
    box.value = element.dataset.wizardFile;
    clearComplaint(box);
  }
});

document.addEventListener("dblclick", (event) => {
  const file = event.target.closest?.("[data-wizard-file]");
  if (file) choosePath($("form[data-wizard]", bodyOf(file)));
});

document.addEventListener("change", (event) => {
  if (event.target.name === "browse-place") listFiles($("form[data-wizard]", bodyOf(event.target)));
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-wizard-browser-name]")) clearComplaint(event.target);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-wizard-browser-form]")) return;
  event.preventDefault();
  choosePath($("form[data-wizard]", bodyOf(event.target)));
});

function start(root) {
  for (const form of $$("form[data-wizard]", root)) if (!begun.has(form)) begin(form);
}

start(document);
document.addEventListener("htmx:load", (event) => start(event.detail.elt));
