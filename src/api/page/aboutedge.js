// Everything about an edge, for the panel.

import { toNode } from "./choose.js";
import { el, grid } from "./dom.js";
import { counts, facts, latencies, names, past, pictures } from "./facts.js";
import { caption, count, health, ms, percent, period, rate } from "./words.js";

function exemplars(list) {
  if (!list?.length) return [];
  const row = (one) => [el("code", {}, one.trace_id), one.kind, ms(one.duration_ms), one.at.slice(11, 19)];
  return [el("h3", {}, "Traces to look at"), el("div", { class: "wide" }, grid(null, ["trace id", "", "took", "at"], list.map(row), [2]))];
}

/** The body of `/api/v1/edge` as elements. */
export function aboutEdge({ edge, client, server, history: slots }) {
  const end = (node, id) => toNode(id, node ? caption(node) : id);
  const seen = [
    [edge.seen.both, "seen from both sides"],
    [edge.seen.client, "from the client only"],
    [edge.seen.server, "from the server only"],
  ];
  return [
    el("h2", { class: "pair" }, end(client, edge.client), el("span", {}, " → "), end(server, edge.server)),
    el("p", { class: `health ${edge.health ?? "unknown"}` }, `${edge.connection_type || "call"}, ${health(edge)}`),
    facts([
      ["rate", rate(edge.rate_per_s)],
      ["calls", count(edge.calls)],
      ["raw calls", edge.raw_calls === undefined ? null : count(edge.raw_calls)],
      ["seen", seen.filter(([calls]) => calls > 0).map(([calls, how]) => el("div", {}, `${count(calls)} ${how}`))],
      ["inferred", edge.inferred > 0 && `${count(edge.inferred)} by the name of the called`],
      [
        "failed",
        `${count(edge.failed)} (${percent(edge.failed_ratio)}): ${count(edge.client_failed)} as the client says, ${count(edge.server_failed)} as the server does`,
      ],
      ["protocols", counts(edge.protocols)],
      ["statuses", counts(edge.statuses)],
      ["destinations", names(edge.destinations, edge.destinations_more)],
      ["from", edge.first_seen && period(edge.first_seen, edge.last_seen)],
    ]),
    el("h3", {}, "Latency"),
    latencies(edge.latency),
    pictures(edge.histograms, edge.latency),
    past(slots),
    exemplars(edge.exemplars),
  ];
}
