// What the panel says about a node and about an edge: every figure that the daemon has, the side that measured it named.

import { histogram, history } from "./charts.js";
import { toEdge, toNode } from "./choose.js";
import { el, grid, link } from "./dom.js";
import { small } from "./shapes.js";
import * as state from "./state.js";
import { ABSENT, caption, count, health, moment, ms, name, percent, rate } from "./words.js";

const SIDES = {
  client: "client: as the caller waited", server: "server: as the called worked", gap: "gap: client − server of one call, network and queueing", queue: "queue: from sent to taken up",
};

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return el("dl", {}, shown.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

/** Names, one after the other. */
function names(list, more) {
  if (!list.length) return null;
  return [...list.map((text, at) => [at > 0 && ", ", name(text)]), more && " and more"];
}

/** Latencies, a column for each side that measured some. */
function latencies(sides) {
  const seen = Object.entries(sides).filter(([, latency]) => latency);
  if (!seen.length) return el("p", { class: "quiet" }, "No latency was seen.");
  const head = ["", ...seen.map(([side]) => el("abbr", { title: SIDES[side] }, side))];
  const row = (key) => [key.slice(0, -3).replace("_", "."), ...seen.map(([, latency]) => ms(latency[key]))];
  return grid(null, head, Object.keys(seen[0][1]).map(row), seen.map((_, at) => at + 1));
}

function pictures(histograms, sides) {
  const seen = Object.entries(histograms ?? {}).filter(([, data]) => data?.count);
  return seen.map(([side, data]) => el("figure", {}, el("figcaption", {}, SIDES[side], ` (${count(data.count)})`), histogram(data, sides[side], side)));
}

function past(slots) {
  const picture = history(slots);
  return picture && [el("h3", {}, "Over the window"), picture];
}

function counts(map) {
  const list = Object.entries(map).sort(([, a], [, b]) => b - a);
  return list.length ? list.map(([key, calls]) => el("div", {}, name(key), ` ${count(calls)}`)) : null;
}

function actions(node) {
  const focused = state.all("focus").includes(node.id);
  const inside = node.type === "namespace" && node.namespace;
  return el("div", { class: "actions" },
    !focused && el("button", { type: "button", "data-key": "focus", click: () => state.set({ focus: node.id }) }, "Focus on it"),
    el("button", { type: "button", "data-key": "hide", click: () => state.set({ exclude: [...state.all("exclude"), node.id], node: null }) }, "Hide it"),
    inside && el("button", { type: "button", "data-key": "inside", click: () => state.set({ namespace: node.namespace, group_by: null, node: null, camera: null }) }, "Look inside"));
}

function neighbours(title, edges, end, known) {
  if (!edges.length) return [];
  const row = (edge) => {
    const other = known.get(edge[end]);
    return [toNode(edge[end], other ? caption(other) : edge[end]), toEdge(edge.id, rate(edge.rate_per_s)), percent(edge.failed_ratio), health(edge)];
  };
  const busiest = [...edges].sort((a, b) => b.calls - a.calls);
  return [el("h3", {}, `${title} (${edges.length})`), grid(null, ["", "rate", "failed", ""], busiest.map(row), [1, 2])];
}

function callers(from) {
  return [from.edges > 0 && `${count(from.edges)} from callers on the map`, from.no_caller > 0 && `${count(from.no_caller)} without a caller`,
    from.unpaired > 0 && [`${count(from.unpaired)} from callers that were `, link("not seen", () => state.set({ view: "unseen" }), { "data-key": "unseen" })],
  ].filter(Boolean).map((line) => el("div", {}, line));
}

export function nodeDetails({ node, incoming, outgoing, neighbours: around, history: slots }) {
  const known = new Map([...around, node].map((one) => [one.id, one]));
  return [
    el("h2", {}, small(node.type, node.health), name(caption(node))),
    el("p", { class: `health ${node.health ?? "unknown"}` }, `${node.type}${node.inferred ? ", known only by name" : ""}, ${health(node)}`),
    actions(node),
    facts([["rate", rate(node.rate_per_s)], ["calls", count(node.calls)], ["failed", `${count(node.failed)} (${percent(node.failed_ratio)})`], ["calls come", callers(node.calls_from)],
      ["namespace", node.namespace && name(node.namespace)], ["id", name(node.id)], ["versions", names(node.versions, node.versions_more)], ["instances", names(node.instances, node.instances_more)],
      ["seen", `${moment(node.first_seen)} to ${moment(node.last_seen)}`]]),
    el("h3", {}, "Latency"), latencies({ server: node.latency }), pictures(node.histograms, { server: node.latency }),
    past(slots),
    neighbours("Called by", incoming, "client", known), neighbours("Calls", outgoing, "server", known),
  ];
}

function exemplars(list) {
  if (!list?.length) return [];
  const row = (one) => [el("code", {}, one.trace_id), one.kind, ms(one.duration_ms), one.at.slice(11, 19)];
  return [el("h3", {}, "Traces to look at"), el("div", { class: "wide" }, grid(null, ["trace id", "", "took", "at"], list.map(row), [2]))];
}

export function edgeDetails({ edge, client, server, history: slots }) {
  const end = (node, id) => toNode(id, node ? caption(node) : id);
  const seen = [[edge.seen.both, "seen from both sides"], [edge.seen.client, "from the client only"], [edge.seen.server, "from the server only"]];
  return [
    el("h2", { class: "pair" }, end(client, edge.client), el("span", {}, " → "), end(server, edge.server)),
    el("p", { class: `health ${edge.health ?? "unknown"}` }, `${edge.connection_type || "call"}, ${health(edge)}`),
    facts([["rate", rate(edge.rate_per_s)], ["calls", count(edge.calls)], ["raw calls", edge.raw_calls === undefined ? null : count(edge.raw_calls)],
      ["seen", seen.filter(([calls]) => calls > 0).map(([calls, how]) => el("div", {}, `${count(calls)} ${how}`))],
      ["inferred", edge.inferred > 0 && `${count(edge.inferred)} by the name of the called`],
      ["failed", `${count(edge.failed)} (${percent(edge.failed_ratio)}): ${count(edge.client_failed)} as the client says, ${count(edge.server_failed)} as the server does`],
      ["protocols", counts(edge.protocols)], ["statuses", counts(edge.statuses)], ["destinations", names(edge.destinations, edge.destinations_more)],
      ["seen from", `${moment(edge.first_seen)} to ${moment(edge.last_seen) || ABSENT}`]]),
    el("h3", {}, "Latency"), latencies(edge.latency), pictures(edge.histograms, edge.latency),
    past(slots), exemplars(edge.exemplars),
  ];
}
