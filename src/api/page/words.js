// Numbers and names as text for people, in the words of the daemon's own pictures. What is absent is a dash, never a 0.

import { el } from "./dom.js";

export const ABSENT = "–";

/** Two significant digits below 10, none after the point from there on. */
function short(value) {
  if (value === 0) return "0";
  if (value >= 9.95) return count(Math.round(value));
  if (value >= 0.995) return value.toFixed(1);
  if (value >= 0.0995) return value.toFixed(2);
  return value.toFixed(3);
}

const known = (value) => value !== null && value !== undefined;

const grouped = new Intl.NumberFormat("en-US");
/** `12,600`. */
export const count = (value) => (known(value) ? grouped.format(value) : ABSENT);
/** `42/s`, `9.5/s`. */
export const rate = (perSecond) => (known(perSecond) ? `${short(perSecond)}/s` : ABSENT);
/** `6.2%`, `0.10%`. */
export const percent = (ratio) => (known(ratio) ? `${short(ratio * 100)}%` : ABSENT);
/** `0.52 ms`, `120 ms`, `1.2 s`. */
export function ms(value) {
  if (!known(value)) return ABSENT;
  return value < 1000 ? `${short(value)} ms` : `${short(value / 1000)} s`;
}

/** `01:05:00`, in UTC as the daemon says it. */
export const clock = (time) => (time ? time.slice(11, 19) : ABSENT);
/** `2026-11-23 01:05:00 UTC`. */
export const moment = (time) => (time ? `${time.slice(0, 10)} ${time.slice(11, 19)} UTC` : ABSENT);
/** From when to when; the day is said once. */
export const period = (from, to) =>
  `${moment(from).slice(0, -4)} to ${from?.slice(0, 10) === to?.slice(0, 10) ? clock(to) : moment(to).slice(0, -4)} UTC`;
/** `1 node`, `2 nodes`. */
export const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

// Controls, direction overrides, invisible characters, line separators: none reaches the eye as it is.
const HOSTILE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]/g;
// More marks than any orthography piles on one letter.
const TOWER = /(\p{M}{2})\p{M}+/gu;

function sign(character) {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** A name with every hostile character made visible. */
export const visible = (name) => name.replace(HOSTILE, (c) => (c === "\ufffd" || c === "\ufffc" ? c : sign(c))).replace(TOWER, "$1");

/** A name in a place of its own, so that its direction is no business of its neighbours. */
export const name = (text, attributes = {}) => el("bdi", attributes, visible(text));

/** What a node is called: its name, and what tells it apart from others of that name. */
export function caption(node) {
  if (node.type === "external" && node.namespace) return `${node.namespace}/${node.name}`;
  const pairs = node.type === "service" ? Object.entries(node.dimensions ?? {}) : [];
  return pairs.length ? `${node.name} (${pairs.map(([key, value]) => `${key}=${value}`).join(", ")})` : node.name;
}

/** The health in words. */
export const health = (element) => element.health ?? (element.inferred === true ? "known only by name" : "no calls");

/** On edges, where colour alone would tell. */
export const SIGNS = { degraded: "▲", failing: "✕" };

export const problem = (element) => element.health === "failing" || element.health === "degraded";

/** Whether the called said anything of these calls; a database does not. */
export const reported = (edge) => edge.seen.both + edge.seen.server > 0;

/** The latencies of an edge by who measured them. Where the called said nothing, the API repeats the client's as the server's. */
export const measured = (edge) => ({ ...edge.latency, server: reported(edge) ? edge.latency.server : null });

/** What an edge says of itself: `choice` is `rate`, `failed`, `none`, or a side and a quantile as in `client.p95_ms`. */
export function edgeWords(edge, choice) {
  if (choice === "none") return "";
  if (choice === "rate") return known(edge.rate_per_s) ? rate(edge.rate_per_s) : "";
  // That nothing failed goes without saying.
  if (choice === "failed") return edge.failed > 0 ? `${percent(edge.failed_ratio)} failed` : "";
  const [side, quantile] = choice.split(".");
  const value = edge.latency[side]?.[quantile];
  const by = side === "server" && !reported(edge) ? "client" : side;
  return known(value) ? `${by} ${quantile.slice(0, -3)} ${ms(value)}` : "";
}
