// Everything about a node, for the panel.

import { toEdge, toNode } from "./choose.js";
import { el, grid, link } from "./dom.js";
import { facts, latencies, names, past, pictures } from "./facts.js";
import { groupedNamespace, hiding } from "./globs.js";
import { small } from "./shapes.js";
import * as state from "./state.js";
import { caption, count, health, name, percent, period, rate } from "./words.js";

function actions(node) {
  const focused = state.all("focus").includes(node.id);
  const inside = groupedNamespace(node);
  const hide = () => state.set({ exclude: [...new Set([...state.all("exclude"), ...hiding(node)])], node: null });
  return el(
    "div",
    { class: "actions" },
    !focused && el("button", { type: "button", "data-key": "focus", click: () => state.set({ focus: node.id }) }, "Focus on it"),
    el("button", { type: "button", "data-key": "hide", click: hide }, "Hide it"),
    inside &&
      el(
        "button",
        {
          type: "button",
          "data-key": "inside",
          click: () => state.set({ namespace: inside, group_by: null, node: null, camera: null }),
        },
        "Look inside",
      ),
  );
}

function neighbours(title, edges, end, known) {
  if (!edges.length) return [];
  const row = (edge) => {
    const other = known.get(edge[end]);
    return [
      toNode(edge[end], other ? caption(other) : edge[end]),
      toEdge(edge.id, rate(edge.rate_per_s)),
      percent(edge.failed_ratio),
      health(edge),
    ];
  };
  const busiest = [...edges].sort((a, b) => b.calls - a.calls);
  return [el("h3", {}, `${title} (${edges.length})`), grid(null, ["", "rate", "failed", ""], busiest.map(row), [1, 2])];
}

function callers(from) {
  return [
    from.edges > 0 && `${count(from.edges)} from callers that were seen`,
    from.no_caller > 0 && `${count(from.no_caller)} without a caller`,
    from.unpaired > 0 && [
      `${count(from.unpaired)} from callers that were `,
      link("not seen", () => state.set({ view: "unseen" }), { "data-key": "unseen" }),
    ],
  ]
    .filter(Boolean)
    .map((line) => el("div", {}, line));
}

/** The figures of a node, from its own spans; of one that has none, those of the calls to it. */
function figures(node, incoming) {
  const line = (calls, failed, perSecond, ratio) => [
    ["rate", rate(perSecond)],
    ["calls", count(calls)],
    ["failed", `${count(failed)} (${percent(ratio)})`],
  ];
  if (node.inferred !== true) {
    return [...line(node.calls, node.failed, node.rate_per_s, node.failed_ratio), ["calls come", callers(node.calls_from)]];
  }
  const sum = (field) => incoming.reduce((total, edge) => total + (edge[field] ?? 0), 0);
  const [calls, failed] = [sum("calls"), sum("failed")];
  return calls ? [...line(calls, failed, sum("rate_per_s"), failed / calls), ["figures", "as its callers tell"]] : [];
}

/** The body of `/api/v1/node` as elements. */
export function aboutNode({ node, incoming, outgoing, neighbours: around, history: slots }) {
  const known = new Map([...around, node].map((one) => [one.id, one]));
  return [
    el("h2", {}, small(node.type, node.health), name(caption(node))),
    el("p", { class: `health ${node.health ?? "unknown"}` }, `${node.type}, ${health(node)}`),
    actions(node),
    facts([
      ...figures(node, incoming),
      ["namespace", node.namespace && name(node.namespace)],
      ["id", name(node.id)],
      ["versions", names(node.versions, node.versions_more)],
      ["instances", names(node.instances, node.instances_more)],
      ["seen", node.first_seen && period(node.first_seen, node.last_seen)],
    ]),
    el("h3", {}, "Latency"),
    latencies({ server: node.latency }),
    pictures(node.histograms, { server: node.latency }),
    past(slots),
    neighbours("Called by", incoming, "client", known),
    neighbours("Calls", outgoing, "server", known),
  ];
}
