// Everything above the map that changes the state: filters, views, search, pause, and the chips that say what narrows
// the view.

import { by, el, fill } from "./dom.js";
import * as state from "./state.js";
import { caption, clock, count, name, visible } from "./words.js";

const form = document.querySelector("#tools form");
const find = by("find");

/** Filters shown as chips, in these words. */
const CHIPS = { focus: "around", exclude: "without", namespace: "in", service: "only", type: "type", min_calls: "calls ≥", min_rate_per_s: "rate/s ≥", top: "top", health: "health" };

/** Connects all of it. `go` opens the node of a search, `found` gets what matches while typing. */
export function controls({ model, go, found }) {
  if (matchMedia("(max-width: 760px)").matches) by("tools").open = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    const { name: key, type, checked, value } = target;
    state.set({ [key]: type === "checkbox" ? (checked ? value : null) : value.trim(), ...(key === "group_by" ? { camera: null, node: null, edge: null } : {}) });
  });
  for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => state.set({ view: button.dataset.view }));
  by("pause").addEventListener("click", () => state.set({ at: state.get("at") ? null : model.head?.window.end ?? null }));
  search(model, go, found);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest?.("input, select, textarea")) return;
    event.preventDefault();
    find.focus();
  });
}

function search(model, go, found) {
  const hits = () => {
    const wanted = find.value.trim().toLowerCase();
    const nodes = [...model.nodes.values()];
    return wanted ? nodes.filter((node) => `${node.id}\n${visible(caption(node))}`.toLowerCase().includes(wanted)) : null;
  };
  find.addEventListener("input", () => {
    const list = hits();
    found(list && new Set(list.map((node) => node.id)));
  });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    find.value = "";
    found(null);
    find.blur();
  });
  by("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const list = hits() ?? [];
    const exact = list.find((node) => node.id === find.value.trim());
    const [hit] = exact ? [exact] : list.sort((a, b) => b.calls - a.calls);
    if (!hit) return;
    find.value = "";
    found(null);
    go(hit.id);
  });
}

/** Shows the state in the controls, and the names there are. */
export function showControls(model) {
  for (const { name: key, type, value, options } of form.elements) {
    const control = form.elements.namedItem(key);
    if (!key || control === document.activeElement && type !== "checkbox" && type !== "select-one") continue;
    if (type === "checkbox") control.checked = state.all(key).includes(value);
    else {
      const wanted = state.all(key).join(" ") || state.get(key) || "";
      if (options && ![...options].some((option) => option.value === wanted)) control.append(el("option", {}, wanted));
      control.value = wanted;
    }
  }
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === state.get("view")));
  by("pause").textContent = state.get("at") ? "▶ Resume" : "❚❚ Pause";
  const ids = [...model.nodes.keys()].sort();
  const list = by("names");
  if (list.dataset.ids !== String(ids.length) || list.lastChild?.value !== ids.at(-1)) {
    list.dataset.ids = String(ids.length);
    fill(list, ids.slice(0, 2000).map((id) => el("option", { value: id })));
  }
  chips();
}

function chips() {
  const one = (key, value) => el("span", { class: "chip" }, `${CHIPS[key]} `, name(value), key === "focus" && hops(),
    el("button", { type: "button", "aria-label": `Remove ${CHIPS[key]} ${visible(value)}`, click: () => state.set({ [key]: state.all(key).filter((v) => v !== value) }) }, "×"));
  const list = Object.keys(CHIPS).flatMap((key) => state.all(key).map((value) => one(key, value)));
  if (by("chips").contains(document.activeElement) && document.activeElement.type === "number") return;
  by("chips").hidden = !list.length;
  fill(by("chips"), list, list.length > 1 && el("button", { type: "button", class: "link", click: state.clear }, "Clear all"));
}

/** How many hops are shown around the focus. */
function hops() {
  const input = (key, word) => el("label", {}, word, el("input", { type: "number", min: 0, max: 10, value: state.get(key), change: ({ target }) => state.set({ [key]: target.value }) }));
  return [input("up", " callers "), input("down", " called ")];
}

const LIVE = {
  live: () => "● live",
  asking: () => "● asking every 5 s",
  waiting: () => "○ waiting",
  paused: () => "❚❚ paused",
  reconnecting: (at) => (at ? `↻ reconnecting, as of ${clock(new Date(at).toISOString())}` : "↻ connecting"),
  stale: (at) => `▲ stale since ${clock(new Date(at).toISOString())}`,
};

/** Says how fresh the view is; `at` is when the daemon was last heard, by this machine's clock. */
export function showLive(mode, at) {
  const live = by("live");
  const end = mode === "paused" && state.get("at") ? ` at ${clock(state.get("at"))}` : "";
  const text = LIVE[mode](at) + end;
  if (live.textContent === text) return;
  live.textContent = text;
  live.className = mode;
}

/** Tells those who listen what changed; at most a few things at once. */
export function tell(news, model) {
  if (!news.length) return;
  const words = news.slice(0, 3).map(({ id, what, by: who }) => `${visible(model.nodes.get(id)?.name ?? id)} ${what}${who ? `: ${visible(model.nodes.get(who)?.name ?? who)}` : ""}`);
  const rest = news.length - words.length;
  const toast = el("p", {}, words.join("; "), rest > 0 ? `; and ${count(rest)} more changes` : "");
  by("news").replaceChildren(toast);
}
