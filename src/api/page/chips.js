// What narrows the view, each with a button that takes it away.

import { by, el, fill } from "./dom.js";
import * as state from "./state.js";
import { name, visible } from "./words.js";

/** Filters shown as chips, in these words. */
const CHIPS = {
  focus: "around",
  exclude: "without",
  namespace: "in",
  service: "only",
  type: "type",
  min_calls: "calls ≥",
  min_rate_per_s: "rate/s ≥",
  top: "top",
  health: "health",
};

/** Brings the chips up to date. */
export function chips() {
  const one = (key, value) =>
    el(
      "span",
      { class: "chip" },
      `${CHIPS[key]} `,
      name(value),
      key === "focus" && hops(),
      el(
        "button",
        {
          type: "button",
          "aria-label": `Remove ${CHIPS[key]} ${visible(value)}`,
          click: () => state.set({ [key]: state.all(key).filter((v) => v !== value) }),
        },
        "×",
      ),
    );
  const list = Object.keys(CHIPS).flatMap((key) => state.all(key).map((value) => one(key, value)));
  if (by("chips").contains(document.activeElement) && document.activeElement.type === "number") return;
  by("chips").hidden = !list.length;
  fill(by("chips"), list, list.length > 1 && el("button", { type: "button", class: "link", click: state.clear }, "Clear all"));
}

/** How many hops are shown around the focus. */
function hops() {
  const input = (key, word) =>
    el(
      "label",
      {},
      word,
      el("input", { type: "number", min: 0, max: 10, value: state.get(key), change: ({ target }) => state.set({ [key]: target.value }) }),
    );
  return [input("up", " callers "), input("down", " called ")];
}
