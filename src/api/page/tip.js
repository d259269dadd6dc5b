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

export const tip = {
  /** Tells about a node or an edge; nothing of nothing. */
  show(element, model) {
    box.hidden = !element;
    if (element) fill(box, ...(element.client ? ofEdge(element, model) : ofNode(element)));
  },

  /** Follows the mouse and stays in the view. */
  move(left, top, { width, height }) {
    const [wide, high] = [Math.min(340, width), 90];
    box.style.left = `${Math.max(4, Math.min(left + 14, width - wide))}px`;
    box.style.top = `${top + high > height ? top - high : top + 16}px`;
  },
};
