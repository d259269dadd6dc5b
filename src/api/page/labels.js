// Words on the canvas: what edges say, and the names of frames.

import { edgeWords, percent, problem, visible } from "./words.js";

/** Edges beyond which those without a problem say nothing, and are drawn faintly. */
export const MANY = 150;
/** Most edges that say something at once. */
const MOST = 400;
const RANK = { ok: 1, degraded: 2, failing: 3 };
const LABEL_PX = 11;

/** The worse the greater. */
export const rank = (edge) => RANK[edge.health] ?? 0;

/** Whether two areas do. */
export const meet = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;

/** Names of namespaces, above their frames where letters would be too small within. */
export function captions({ context, colours, scale, font }, frames) {
  const size = Math.max(12, 11 / scale);
  context.font = `600 ${size}px ${font}`;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.lineWidth = size / 4;
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = colours.ground;
  context.fillStyle = colours.quiet;
  for (const { name, area } of frames) {
    const spot = [visible(name).slice(0, 60), area.left + 10, area.top + (size > 16 ? -size / 4 : 19), area.right - area.left - 20];
    context.strokeText(...spot);
    context.fillText(...spot);
  }
}

/** The worst first, then the busiest, each where there is still room; a sign where colour alone would tell. */
export function labels(paper, shown, boxes, { choice, all }) {
  const { context, scale, colours, font } = paper;
  const size = Math.max(LABEL_PX, 10 / scale);
  if (scale < 0.3 && !all) return;
  context.font = `${size}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.setLineDash([]);
  const taken = [...boxes];
  const told = all || shown.length <= MANY ? shown : shown.filter(({ edge }) => problem(edge));
  const order = [...told].sort((a, b) => rank(b.edge) - rank(a.edge) || b.edge.calls - a.edge.calls);
  for (const { edge, points } of order.slice(0, MOST)) {
    const lines = labelLines(edge, choice);
    if (lines.length) label(paper, lines, points, { taken, size, colour: problem(edge) ? colours.line[rank(edge)] : colours.ink });
  }
}

function label({ context, colours }, lines, points, { taken, size, colour }) {
  const half = Math.max(...lines.map((line) => context.measureText(line).width)) / 2 + 3;
  const high = (size * 1.25 * lines.length) / 2 + 1;
  for (const share of [0.5, 0.38, 0.62, 0.26, 0.74]) {
    const [x, y] = points[Math.round((points.length - 1) * share)];
    const area = { left: x - half, right: x + half, top: y - high, bottom: y + high };
    if (taken.some((other) => meet(other, area))) continue;
    taken.push(area);
    context.globalAlpha = 0.86;
    context.fillStyle = colours.ground;
    context.fillRect(area.left, area.top, 2 * half, 2 * high);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    lines.forEach((line, at) => context.fillText(line, x, y + (at - (lines.length - 1) / 2) * size * 1.25));
    return;
  }
}

/** What an edge says; one with a problem says so whatever was chosen. */
function labelLines(edge, choice) {
  const words = edgeWords(edge, choice);
  if (!problem(edge)) return words ? [words] : [];
  const sign = edge.health === "failing" ? "✕" : "▲";
  if (choice === "none") return [sign];
  return choice === "failed" ? [`${sign} ${words}`] : [words, `${sign} ${percent(edge.failed_ratio)} failed`].filter(Boolean);
}
