// What folds out over the page folds in again: by Escape, and by a press elsewhere.

import { by } from "./dom.js";

const [exports, legend] = [by("export"), by("legend")];

document.addEventListener("pointerdown", ({ target }) => {
  if (!exports.contains(target)) exports.open = false;
});

/** Folds in what is open, the legend only if the focus is in it; whether something was. */
export function shut() {
  const inside = (menu) => menu.contains(document.activeElement);
  const open = [exports, legend].find((menu) => menu.open && (menu === exports || inside(menu)));
  if (!open) return false;
  if (inside(open)) open.querySelector("summary").focus();
  open.open = false;
  return true;
}
