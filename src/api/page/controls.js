// Everything above the map that changes the state: filters, views, search, pause.

import { chips } from "./chips.js";
import { by, el, fill } from "./dom.js";
import { search } from "./search.js";
import * as state from "./state.js";

const form = document.querySelector("#tools form");

/** Connects all of it. `hear` is told of searches. */
export function controls({ model, ...hear }) {
  if (matchMedia("(max-width: 760px)").matches) by("tools").open = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    const { name: key, type, checked, value } = target;
    if (state.LISTS.includes(key)) return add(target);
    state.set({
      [key]: type === "checkbox" ? (checked ? value : null) : value.trim(),
      ...(key === "group_by" ? { camera: null, node: null, edge: null } : {}),
    });
  });
  for (const button of document.querySelectorAll("[data-view]"))
    button.addEventListener("click", () => state.set({ view: button.dataset.view }));
  by("pause").addEventListener("click", () => state.set({ at: state.get("at") ? null : (model.head?.window.end ?? null) }));
  search(model, hear);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest?.("input, select, textarea")) return;
    event.preventDefault();
    by("find").focus();
  });
}

/** One more of a filter that may come several times; the chips show those there are. */
function add(field) {
  const { name: key, value } = field;
  field.value = "";
  if (value.trim()) state.set({ [key]: [...new Set([...state.all(key), value.trim()])] });
}

/** Offers to group by what services are split by. */
function offerDimensions(model) {
  const select = form.elements.namedItem("group_by");
  const offered = new Set([...select.options].map((option) => option.value));
  const keys = new Set([...model.nodes.values()].flatMap((node) => Object.keys(node.dimensions ?? {})));
  for (const key of keys) if (!offered.has(key)) select.append(el("option", {}, key));
}

/** Shows the state in the controls, and the names there are. */
export function showControls(model) {
  offerDimensions(model);
  for (const { name: key, type, value, options } of form.elements) {
    const control = form.elements.namedItem(key);
    if (!key || state.LISTS.includes(key) || (control === document.activeElement && type !== "checkbox" && type !== "select-one")) continue;
    if (type === "checkbox") control.checked = state.all(key).includes(value);
    else {
      const wanted = state.all(key).join(" ") || state.get(key) || "";
      if (options && ![...options].some((option) => option.value === wanted)) control.append(el("option", {}, wanted));
      control.value = wanted;
    }
  }
  for (const button of document.querySelectorAll("[data-view]"))
    button.setAttribute("aria-pressed", String(button.dataset.view === state.get("view")));
  by("pause").textContent = state.get("at") ? "▶ Resume" : "❚❚ Pause";
  const ids = [...model.nodes.keys()].sort();
  const list = by("names");
  if (list.dataset.ids !== String(ids.length) || list.lastChild?.value !== ids.at(-1)) {
    list.dataset.ids = String(ids.length);
    fill(
      list,
      ids.slice(0, 2000).map((id) => el("option", { value: id })),
    );
  }
  chips();
}
