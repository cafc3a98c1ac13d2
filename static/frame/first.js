// Before anything is drawn: the menu of a resource stays as narrow as it was left. No module, or it would come too late.
try {
  document.documentElement.classList.toggle("menu-collapsed", localStorage.getItem("gatewright.menu-collapsed") === "1");
} catch { /* private mode: the menu is wide */ }
