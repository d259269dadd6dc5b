// What the mouse is on, in a few words beside it.

import { by, el, fill } from "./dom.js";
import { caption, clock, count, health, measured, ms, name, percent, rate } from "./words.js";

const box = by("tip");

function ofNode(node) {
  const { latency, calls_from: from } = node;
  return [
    el("b", {}, name(caption(node))),
    ` ${node.type}, ${health(node)}`,
    node.calls > 0 && [el("br"), `${rate(node.rate_per_s)} · ${percent(node.failed_ratio)} failed`],
    latency && ` · p95 ${ms(latency.p95_ms)}`,
    from.unpaired > 0 && [el("br"), `${count(from.unpaired)} calls from callers that were not seen`],
  ].flat();
}

function ofEdge(edge, model) {
  const end = (id) => name(model.nodes.get(id) ? caption(model.nodes.get(id)) : id);
  const latencies = measured(edge);
  const sides = ["client", "server", "gap", "queue"].filter((side) => latencies[side]);
  return [
    el("b", {}, end(edge.client), " → ", end(edge.server)),
    edge.connection_type && ` ${edge.connection_type}`,
    el("br"),
    `${rate(edge.rate_per_s)} · ${percent(edge.failed_ratio)} failed · ${health(edge)}`,
    el("br"),
    sides.map((side) => `${side} p95 ${ms(latencies[side].p95_ms)}`).join(" · ") || "no latency was seen",
    edge.idle && ` · idle since ${clock(edge.last_seen)}`,
  ];
}

/** Kept free around what is told about, and at the rim of the view; pixels. */
const GAP = 8;
const RIM = 4;

export const tip = {
  /** Tells about a node or an edge; nothing of nothing. */
  show(element, model) {
    box.hidden = !element;
    if (element) fill(box, ...(element.client ? ofEdge(element, model) : ofNode(element)));
  },

  /**
   * Stands beside an area, within the view: where it covers the fewest of the points to `spare`, and of equal places
   * below rather than above, to the right or to the left. Over the area only if it must.
   */
  stand({ left, top, right, bottom }, view, spare = []) {
    const { offsetWidth: wide, offsetHeight: high } = box;
    const within = (at, size, most) => Math.max(RIM, Math.min(at, most - size - RIM));
    const fits = ([x, y]) => x === within(x, wide, view.width) && y === within(y, high, view.height);
    const covered = ([x, y]) => spare.filter(([px, py]) => px > x && px < x + wide && py > y && py < y + high).length;
    const [x, y] = [within(left, wide, view.width), within(top, high, view.height)];
    const [below, above] = [bottom + GAP, top - GAP - high];
    const [after, before] = [right + GAP, left - GAP - wide];
    const aside = within(right - wide, wide, view.width);
    const spots = [[x, below], [aside, below], [x, above], [aside, above], [after, y], [before, y]];
    const best = spots.filter(fits).reduce((a, b) => (a && covered(a) <= covered(b) ? a : b), null);
    const [across, down] = best ?? [x, within(below, high, view.height)];
    box.style.left = `${across}px`;
    box.style.top = `${down}px`;
  },
};
