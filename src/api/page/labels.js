// Words on the canvas: what edges say, and the names of frames.

import { MARGIN } from "./camera.js";
import { edgeWords, percent, problem, SIGNS, visible } from "./words.js";

/** Edges beyond which those without a problem say nothing, and are drawn faintly. */
export const MANY = 150;
/** Most edges that say something at once. */
const MOST = 400;
const RANK = { ok: 1, degraded: 2, failing: 3 };
const LABEL_PX = 11;
/** Parts of the way at which there may be room. */
const TRIES = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8];

/** The worse the greater. */
export const rank = (edge) => RANK[edge.health] ?? 0;

/** Whether two areas do. */
export const meet = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;

/** Names of namespaces, above their frames where letters would be too small within; as far to the left as is in view. */
export function captions({ context, colours, scale, font }, frames, view) {
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
    const text = visible(name).slice(0, 60);
    const most = area.right - context.measureText(text).width - 10;
    const left = Math.max(area.left + 10, Math.min(view.left + MARGIN / scale + 10 / scale, most));
    const spot = [text, left, area.top + (size > 16 ? -size / 4 : 19), area.right - left - 10];
    context.strokeText(...spot);
    context.fillText(...spot);
  }
}

/** The worst first, then the busiest, each where there is still room; a sign where colour alone would tell. */
export function labels(paper, shown, boxes, { choice, all }) {
  const { context, scale, colours, font } = paper;
  const size = Math.max(LABEL_PX, 10 / scale);
  // Too small for words: signs are enough.
  const brief = scale < 0.3 && !all;
  context.font = `${size}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.setLineDash([]);
  const taken = [...boxes];
  const told = all || (shown.length <= MANY && !brief) ? shown : shown.filter(({ edge }) => problem(edge));
  const order = [...told].sort((a, b) => rank(b.edge) - rank(a.edge) || b.edge.calls - a.edge.calls);
  for (const { edge, points } of order.slice(0, MOST)) {
    const lines = brief ? [] : labelLines(edge, choice);
    const colour = problem(edge) ? colours.line[rank(edge)] : colours.ink;
    const texts = lines.length > 1 ? [lines, lines.slice(-1)] : [lines];
    const said = lines.length > 0 && texts.some((text) => label(paper, text, points, { taken, size, colour }));
    // Not by colour alone, so on top of others if there is no other way.
    if (!said && problem(edge)) label(paper, [SIGNS[edge.health]], points, { taken, size, colour, insist: true });
  }
}

/** Where it first fits along the line, nowhere if it does not and need not; whether it is there. */
function label({ context, colours }, lines, points, { taken, size, colour, insist }) {
  const half = Math.max(...lines.map((line) => context.measureText(line).width)) / 2 + 3;
  const high = (size * 1.25 * lines.length) / 2 + 1;
  const at = (share) => points[Math.round((points.length - 1) * share)];
  const around = ([x, y]) => ({ left: x - half, right: x + half, top: y - high, bottom: y + high });
  const free = TRIES.find((share) => !taken.some((other) => meet(other, around(at(share)))));
  if (free === undefined && !insist) return false;
  const [x, y] = at(free ?? TRIES[0]);
  const area = around([x, y]);
  taken.push(area);
  context.globalAlpha = 0.86;
  context.fillStyle = colours.ground;
  context.fillRect(area.left, area.top, 2 * half, 2 * high);
  context.globalAlpha = 1;
  context.fillStyle = colour;
  lines.forEach((line, at) => context.fillText(line, x, y + (at - (lines.length - 1) / 2) * size * 1.25));
  return true;
}

/** What an edge says; one with a problem says so whatever was chosen. */
function labelLines(edge, choice) {
  const words = edgeWords(edge, choice);
  if (!problem(edge)) return words ? [words] : [];
  const sign = SIGNS[edge.health];
  if (choice === "none") return [sign];
  return choice === "failed" ? [`${sign} ${words}`] : [words, `${sign} ${percent(edge.failed_ratio)} failed`].filter(Boolean);
}
