// Finding a service by its name: matches stand out while it is typed, Enter opens the busiest.

import { by } from "./dom.js";
import { caption, visible } from "./words.js";

const find = by("find");

/** Connects the field. `go` opens the node that was meant, `found` gets what matches, `null` when nothing is sought, `missed` what nobody is called. */
export function search(model, { go, found, missed }) {
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
    if (!hit) return find.value.trim() && missed(find.value.trim());
    find.value = "";
    found(null);
    go(hit.id);
  });
}
