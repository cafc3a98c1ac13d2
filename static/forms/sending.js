// A form is sent once, with a word about it.

const sending = new Set();
const waits = [];
const posts = (form) => form.method === "post" || form.hasAttribute("hx-post");

export const isSending = (form) => sending.has(form);

// How long it takes already, beside a button that says how long it may; the toast is what is read out.
function count(button) {
  const most = Number(button.dataset.seconds);
  const line = document.createElement("span");
  line.className = "waiting";
  line.setAttribute("aria-hidden", "true");
  const begin = Date.now();
  const tell = () => { line.textContent = `Asking … ${Math.floor((Date.now() - begin) / 1000)} of at most ${most} s`; };
  tell();
  button.after(line);
  waits.push({ line, button, clock: setInterval(tell, 500) });
  button.setAttribute("aria-disabled", "true");
}

function stopCounting() {
  for (const { line, button, clock } of waits.splice(0)) {
    clearInterval(clock);
    line.remove();
    button.removeAttribute("aria-disabled");
  }
}

function progress(form, button) {
  form.setAttribute("aria-busy", "true");
  if (button?.dataset.seconds) count(button);
  const title = button?.dataset.progress ?? form.dataset.progress;
  if (title) form.dispatchEvent(new CustomEvent("toast", { bubbles: true, detail: { level: "progress", title } }));
}

function release(form) {
  sending.delete(form);
  stopCounting();
  form.removeAttribute("aria-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !posts(form) || form.hasAttribute("hx-post") || form.method === "dialog") return;
  if (sending.has(form)) return event.preventDefault();
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

addEventListener("pageshow", (event) => { if (event.persisted) [...sending].forEach(release); });
