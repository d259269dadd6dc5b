// The columns of both tables: what each shows of an element, and in which words.

import * as state from "./state.js";
import { caption, count, health, ms, name, percent, rate } from "./words.js";

const figure = (title, value, words) => ({ title, value, words, number: true });
const text = (title, value) => ({ title, value, words: (v) => name(v ?? "") });
const COMMON = [
  figure("rate", (e) => e.rate_per_s, rate),
  figure("calls", (e) => e.calls, count),
  figure("failed", (e) => e.failed, count),
  figure("failed %", (e) => e.failed_ratio, percent),
];
const latency = (title, side, key) => figure(title, (e) => e.latency?.[side]?.[key], ms);

/** Both tables: their word, their columns, and what choosing a row does. */
export const KINDS = {
  edges: {
    word: "Edges",
    open: (edge) => state.set({ edge: edge.id, node: null }),
    columns: [
      text("client", (e) => e.client),
      text("server", (e) => e.server),
      text("health", health),
      text("type", (e) => e.connection_type || "call"),
      ...COMMON,
      latency("client p50", "client", "p50_ms"),
      latency("client p95", "client", "p95_ms"),
      latency("client p99", "client", "p99_ms"),
      latency("server p95", "server", "p95_ms"),
      latency("gap p95", "gap", "p95_ms"),
      latency("queue p95", "queue", "p95_ms"),
    ],
  },
  nodes: {
    word: "Nodes",
    open: (node) => state.set({ node: node.id, edge: null }),
    columns: [
      text("name", caption),
      text("namespace", (n) => n.namespace),
      text("health", health),
      text("type", (n) => n.type),
      ...COMMON,
      figure("p50", (n) => n.latency?.p50_ms, ms),
      figure("p95", (n) => n.latency?.p95_ms, ms),
      figure("p99", (n) => n.latency?.p99_ms, ms),
      figure("callers not seen", (n) => n.calls_from.unpaired, count),
      text("versions", (n) => n.versions.join(", ")),
    ],
  },
};
