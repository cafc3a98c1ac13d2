// Help bubbles: the pointer opens one while it is there, a click or a key pins it.

import { $ } from "./dom.js";

let open = null;
let pinned = false;

function set(button, shown, pin = false) {
  if (shown && open && open !== button) set(open, false);
  const bubble = document.getElementById(button.getAttribute("aria-controls"));
  button.setAttribute("aria-expanded", String(shown));
  bubble?.classList.toggle("is-open", shown);
  open = shown ? button : null;
  pinned = shown && pin;
}

/** Close the open bubble; tells whether there was one. */
export function closeBubble() {
  if (!open) return false;
  set(open, false);
  return true;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-help]");
  if (button) set(button, !(open === button && pinned), true);
  else if (open && !event.target.closest(".bubble")) set(open, false);
});

document.addEventListener("pointerover", (event) => {
  const button = event.target.closest("[data-help]");
  if (button && event.pointerType === "mouse" && open !== button) set(button, true);
  else if (open && !pinned && !button && !event.target.closest(".bubble")) {
    // A pause, so that the pointer can travel from the button into the bubble.
    const last = open;
    setTimeout(() => {
      if (open === last && !pinned && !$(".bubble.is-open:hover, [data-help]:hover")) set(last, false);
    }, 250);
  }
});

document.addEventListener("htmx:afterSettle", () => { if (open && !open.isConnected) open = null; });
