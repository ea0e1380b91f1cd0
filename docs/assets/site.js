// What the theme makes after a page is loaded: each bar of buttons beside code is named, and what scrolls can be reached
// with the keyboard.
"use strict";
let planned = false;
const mend = () => {
  planned = false;
  document.querySelectorAll("nav.md-code__nav").forEach((bar, i) => {
    bar.ariaLabel = `Code ${i + 1}`;
  });
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) box.tabIndex = 0;
};
const soon = () => {
  if (!planned) requestAnimationFrame(mend);
  planned = true;
};
new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
