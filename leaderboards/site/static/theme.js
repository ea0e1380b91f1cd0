// Loaded before the page is drawn, so that a dark page never flashes white.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Without storage the choice of the system holds.
}
