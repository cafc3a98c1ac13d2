// The certificate dialog: the list of fields with the chosen one in full, and the tree of the path with its status.
// Without this file all fields stand below each other, and the places of the path are links.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const begun = new WeakSet();

const moves = (key, here, last) => ({ ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: last, PageDown: here + 8, PageUp: here - 8 })[key];
const clamped = (number, last) => Math.max(0, Math.min(last, number));

// ---- fields -------------------------------------------------------------------------------------

const linesOf = (list) => $$("[role=option]:not([hidden])", list);

function chooseLine(line) {
  const list = line.closest("[data-details-list]");
  for (const other of $$("[role=option]", list)) other.setAttribute("aria-selected", String(other === line));
  list.setAttribute("aria-activedescendant", line.id);
  line.scrollIntoView({ block: "nearest" });
  for (const text of $$("[data-details-text]", list.closest("[data-details]"))) text.hidden = text.dataset.detailsText !== line.dataset.text;
}

function filterLines(select) {
  const list = $("[data-details-list]", select.closest("[data-details]"));
  const wanted = select.value;
  for (const line of $$("[role=option]", list)) {
    line.hidden = wanted === "critical" ? !("critical" in line.dataset) : Boolean(wanted) && line.dataset.group !== wanted;
  }
  const shown = linesOf(list);
  chooseLine(shown.find((line) => line.getAttribute("aria-selected") === "true") ?? shown[0]);
}

function lineKey(event, list) {
  const lines = linesOf(list);
  const to = moves(event.key, lines.findIndex((line) => line.getAttribute("aria-selected") === "true"), lines.length - 1);
  if (to === undefined) return;
  event.preventDefault();
  chooseLine(lines[clamped(to, lines.length - 1)]);
}

// ---- path ---------------------------------------------------------------------------------------

const nodesOf = (tree) => $$("[role=treeitem]", tree);

function chooseNode(node, focus = true) {
  const path = node.closest("[data-path]");
  for (const other of nodesOf(path)) {
    other.setAttribute("aria-selected", String(other === node));
    other.tabIndex = other === node ? 0 : -1;
  }
  $("[data-path-status]", path).textContent = node.dataset.status;
  $("[data-path-status]", path).classList.toggle("is-broken", node.classList.contains("is-broken"));
  const button = $("[data-path-view]", path);
  button.setAttribute("aria-disabled", String(!node.dataset.view));
  if (node.dataset.view) {
    button.href = node.dataset.view;
    button.setAttribute("data-window", "");
  } else {
    button.removeAttribute("href");
    button.removeAttribute("data-window");
  }
  if (focus) node.focus();
}

function openNode(node) {
  chooseNode(node);
  if (node.dataset.view) $("[data-path-view]", node.closest("[data-path]")).click();
}

function nodeKey(event, node) {
  if (event.key === "Enter") {
    event.preventDefault();
    openNode(node);
    return;
  }
  const nodes = nodesOf(node.closest("[data-path-tree]"));
  // Each place has one child, so left and right are up and down.
  const key = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp" }[event.key] ?? event.key;
  const to = moves(key, nodes.indexOf(node), nodes.length - 1);
  if (to === undefined) return;
  event.preventDefault();
  chooseNode(nodes[clamped(to, nodes.length - 1)]);
}

// ---- start --------------------------------------------------------------------------------------

function start(root) {
  for (const part of [...(root.matches?.("[data-details], [data-path]") ? [root] : []), ...$$("[data-details], [data-path]", root)]) {
    if (begun.has(part)) continue;
    begun.add(part);
    for (const one of $$("[data-with-script]", part)) one.hidden = false;
    const select = $("[data-details-filter]", part);
    if (select) filterLines(select);
    const node = $("[role=treeitem][aria-selected=true]", part);
    if (node) chooseNode(node, false);
  }
}

document.addEventListener("click", (event) => {
  const line = event.target.closest("[data-details-list] [role=option]");
  if (line) chooseLine(line);
  const node = event.target.closest("[data-path-tree] [role=treeitem]");
  if (node) chooseNode(node);
});

document.addEventListener("dblclick", (event) => {
  const node = event.target.closest("[data-path-tree] [role=treeitem]");
  if (node) openNode(node);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-details-filter]")) filterLines(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const list = event.target.closest?.("[data-details-list]");
  if (list) lineKey(event, list);
  const node = event.target.closest?.("[data-path-tree] [role=treeitem]");
  if (node) nodeKey(event, node);
  // A link that looks like a button answers the space bar, too.
  if (event.key === " " && event.target.matches?.("a[role=button][href]")) {
    event.preventDefault();
    event.target.click();
  }
});

document.addEventListener("htmx:load", (event) => start(event.detail.elt));
start(document.body);
