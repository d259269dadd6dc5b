// Everything about an edge, for the panel.

import { toNode } from "./choose.js";
import { el, grid } from "./dom.js";
import { counts, facts, latencies, names, past, pictures } from "./facts.js";
import { caption, count, health, measured, ms, percent, period, rate, reported } from "./words.js";

function exemplars(list) {
  if (!list?.length) return [];
  const row = (one) => [el("code", {}, one.trace_id), one.kind, ms(one.duration_ms), one.at.slice(11, 19)];
  return [el("h3", {}, "Traces to look at"), el("div", { class: "wide" }, grid(null, ["trace id", "", "took", "at"], list.map(row), [2]))];
}

/** How many failed, and who said so of them. */
function failed(edge) {
  const { both, client } = edge.seen;
  const told = [
    both + client > 0 && `${count(edge.client_failed)} as the client says`,
    reported(edge) && `${count(edge.server_failed)} as the server does`,
  ];
  if (!edge.failed) return `0 (${percent(edge.failed_ratio)})`;
  // What each side says is not weighted.
  const raw = edge.raw_failed === undefined ? "" : `${count(edge.raw_failed)} raw, `;
  return `${count(edge.failed)} (${percent(edge.failed_ratio)}): ${raw}${told.filter(Boolean).join(", ")}`;
}

/** Who measured the latencies, where it is not both. */
function measurer(edge) {
  if (!edge.calls || (reported(edge) && edge.latency.client)) return null;
  const words = reported(edge) ? "Measured by the called; the caller was not seen." : "Measured by the caller; the called does not report.";
  return el("p", { class: "quiet" }, words);
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
      ["failed", failed(edge)],
      ["protocols", counts(edge.protocols)],
      ["statuses", counts(edge.statuses)],
      ["destinations", names(edge.destinations, edge.destinations_more)],
      ["from", edge.first_seen && period(edge.first_seen, edge.last_seen)],
    ]),
    el("h3", {}, "Latency"),
    measurer(edge),
    latencies(measured(edge)),
    pictures(edge.histograms, measured(edge)),
    past(slots),
    exemplars(edge.exemplars),
  ];
}
