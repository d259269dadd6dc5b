// Nodes as SVG elements that take focus: one tab stop for all, arrows between neighbours, Enter opens.

import { svg } from "./dom.js";
import { fitted, width } from "./fit.js";
import { outline, room, sign, stub } from "./shapes.js";
import { caption, health, ms, percent, rate, visible } from "./words.js";

/** From which scale on, how large name and figures are, so that they stay readable when the map gets smaller. */
const SIZES = [
  [0.85, 13, 10.5],
  [0.62, 16, 13],
  [0.48, 19, 16],
  [0.34, 23, 0],
  [0.24, 30, 0],
  [0.14, 46, 0],
  [0, 0, 0],
];
/** Letters larger than the box may reach into the gaps beside it, but not to the next one. */
const FAR = 40;
const FAR_ROOM = 240;
/** The most telling figures, as many as there is room for. */
function figures(node, size, wide) {
  const known = [
    node.calls ? rate(node.rate_per_s) : null,
    node.failed_ratio === null ? null : percent(node.failed_ratio),
    node.latency ? `p95 ${ms(node.latency.p95_ms)}` : null,
  ];
  const list = known.filter(Boolean);
  while (list.length && width(list.join(" · "), size, 400) > wide) list.pop();
  return list.join(" · ");
}

/** All that a node shows, in one sentence for those who listen. */
function sentence(node) {
  const parts = [
    visible(caption(node)),
    node.type,
    node.namespace && `in ${visible(node.namespace)}`,
    node.calls > 0 && `${rate(node.rate_per_s)} calls`,
    node.calls > 0 && `${percent(node.failed_ratio)} failed`,
    node.latency && `95th percentile ${ms(node.latency.p95_ms)}`,
    health(node),
    node.calls_from.unpaired > 0 && `${node.calls_from.unpaired} calls from callers not seen`,
  ];
  return parts.filter(Boolean).join(", ");
}

export class Nodes {
  #held = new Map();

  /** `open` gets the id of a node that was chosen, `enter` one that has the focus or the mouse, or `null`, `reach` one that a key led to. */
  constructor(world, hear) {
    this.world = world;
    this.hear = hear;
  }

  /** Shows these nodes, at these spots, as large as `scale` makes them. */
  show(nodes, spots, scale) {
    const size = SIZES.findIndex(([from]) => scale >= from);
    for (const [id, { group }] of this.#held) {
      if (spots.has(id)) continue;
      group.remove();
      this.#held.delete(id);
    }
    for (const [id, spot] of spots) this.#one(nodes.get(id), spot, size);
    if (!this.#held.has(this.current)) this.current = this.#first(spots);
    for (const [id, { group }] of this.#held) group.setAttribute("tabindex", id === this.current ? "0" : "-1");
  }

  #first(spots) {
    const order = [...spots].sort(([, a], [, b]) => a.x - b.x || a.y - b.y);
    return order[0]?.[0];
  }

  #one(node, { x, y }, size) {
    let held = this.#held.get(node.id);
    if (!held) this.#held.set(node.id, (held = { group: this.#group(node.id) }));
    held.group.setAttribute("transform", `translate(${x} ${y})`);
    if (held.node === node && held.size === size) return;
    Object.assign(held, { node, size });
    this.#fill(held.group, node, size);
  }

  #group(id) {
    const { open, enter, reach } = this.hear;
    const focused = () => {
      this.#roam(id);
      if (group.matches(":focus-visible")) reach(id);
      enter(id);
    };
    const group = svg("g", {
      role: "button",
      "data-id": id,
      click: () => open(id),
      focus: focused,
      blur: () => enter(null),
      pointerenter: () => enter(id),
      pointerleave: () => enter(null),
    });
    this.world.append(group);
    return group;
  }

  #fill(group, node, size) {
    const [, large, little] = SIZES[size];
    const wide = large > FAR ? FAR_ROOM : room(node.type);
    const below = little ? figures(node, little, wide) : "";
    const parts = [svg("path", { class: "outline", d: outline(node.type) })];
    if (large) {
      const [name, letters] = fitted(visible(caption(node)), large, wide);
      parts.push(svg("text", { class: large > FAR ? "name far" : "name", y: below ? -3 : letters / 3, "font-size": letters }, name));
    }
    if (below) parts.push(svg("text", { class: "figures", y: little + 4, "font-size": little }, below));
    if (node.calls_from.unpaired > 0) parts.push(...stub());
    group.setAttribute("class", `node ${node.health ?? "unknown"}${node.idle ? " idle" : ""}`);
    group.setAttribute("aria-label", sentence(node));
    group.replaceChildren(...parts, ...sign(node.health));
  }

  /** Marks the chosen one, and who stands out; `null` when nobody does. `found`: because it was looked for. */
  mark(chosen, lit, found) {
    for (const [id, { group }] of this.#held) {
      group.classList.toggle("chosen", id === chosen);
      group.classList.toggle("found", found && lit.has(id));
      group.classList.toggle("dim", lit !== null && !lit.has(id));
      if (id === chosen) group.setAttribute("aria-current", "true");
      else group.removeAttribute("aria-current");
    }
  }

  #roam(id) {
    this.#held.get(this.current)?.group.setAttribute("tabindex", "-1");
    this.current = id;
    this.#held.get(id)?.group.setAttribute("tabindex", "0");
  }

  focus(id) {
    if (!this.#held.has(id)) return;
    this.#roam(id);
    this.#held.get(id).group.focus({ preventScroll: true });
  }
}
