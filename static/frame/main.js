// The frame in motion. Pages work without any of it. Everything is driven by data attributes; nothing here knows a page.

// Menus first: one that closes gives the focus back before a dialog takes it.
import "./row_menus.js";
import "./resource_menu.js";
import "./flyouts.js";
import "./bubbles.js";
import "./dialogs.js";
import "./toasts.js";
import "./tables.js";
import "./keys.js";
import "./swaps.js";
import "./focus.js";
