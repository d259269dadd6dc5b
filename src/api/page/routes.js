// The way of an edge: from the side of one box to the side of another, through the gaps between the boxes on its way.

import { BOX } from "./places.js";

const HALF = { width: BOX.width / 2, height: BOX.height / 2 };
/** From the middle of a box to the middle of the gap beside it. */
const GAP = 42;
/** Nearer than this to the middle of a box, a way would touch it. */
const CLEAR = HALF.height + 6;
const PORT_STEP = 9;
const PORT_ROOM = HALF.height - 8;
const HEAD = 9;
const SAMPLES = 10;

/** Every edge with its curve: `start`, cubic `curves` of three points each, the `tip`, and points along it. */
export function routes(edges, spots) {
  const shown = [...edges.values()].filter((edge) => spots.has(edge.client) && spots.has(edge.server));
  const columns = columnsOf(spots);
  const ports = portsOf(shown, spots);
  return shown.map((edge) => ({ edge, ...route(edge, spots, columns, ports) }));
}

function columnsOf(spots) {
  const columns = new Map();
  for (const { x, y } of spots.values())
    columns
      .set(x, columns.get(x) ?? [])
      .get(x)
      .push(y);
  return [...columns].map(([x, ys]) => ({ x, ys: ys.sort((a, b) => a - b) })).sort((a, b) => a.x - b.x);
}

/** 1 where a call runs to the right, -1 to the left; within a column it leaves and arrives at the right. */
const heading = (from, to) => (to.x === from.x ? 0 : Math.sign(to.x - from.x));

/** Ends spread over the side of a box, in the order of where they lead. */
function portsOf(edges, spots) {
  const sides = new Map();
  const end = (edge, at, other, out) => {
    const side = heading(spots.get(at), spots.get(other)) < 0 ? "left" : "right";
    const key = `${side} ${at}`;
    sides.set(key, sides.get(key) ?? []);
    sides.get(key).push({ key: `${out} ${edge.id}`, y: spots.get(other).y, id: edge.id });
  };
  for (const edge of edges) {
    end(edge, edge.client, edge.server, "out");
    end(edge, edge.server, edge.client, "in");
  }
  const ports = new Map();
  for (const ends of sides.values()) {
    ends.sort((a, b) => a.y - b.y || (a.id < b.id ? -1 : 1));
    const step = Math.min(PORT_STEP, (2 * PORT_ROOM) / Math.max(1, ends.length - 1));
    ends.forEach((one, i) => ports.set(one.key, (i - (ends.length - 1) / 2) * step));
  }
  return ports;
}

function route(edge, spots, columns, ports) {
  const [from, to] = [spots.get(edge.client), spots.get(edge.server)];
  const way = heading(from, to);
  const arriving = way || -1;
  const start = [from.x + (way || 1) * HALF.width, from.y + ports.get(`out ${edge.id}`)];
  const tip = [to.x - arriving * HALF.width, to.y + ports.get(`in ${edge.id}`)];
  const neck = [tip[0] - arriving * HEAD, tip[1]];
  const curves = way ? across(start, neck, way, columns) : beside(start, neck, edge.client === edge.server);
  return { start, curves, tip, neck, ...sampled(start, curves) };
}

/** Within one column: out to the right and back. */
function beside(start, neck, own) {
  const out = start[0] + (own ? 46 : 40 + Math.min(60, Math.abs(neck[1] - start[1]) / 6));
  const spread = own ? 26 : 0;
  return [[[out, start[1] - spread], [out, neck[1] + spread], neck]];
}

function across(start, neck, way, columns) {
  const curves = [];
  let at = start;
  const go = (to) => {
    const bend = (to[0] - at[0]) / 2;
    curves.push([[at[0] + bend, at[1]], [to[0] - bend, to[1]], to]);
    at = to;
  };
  for (const [x, y] of detours(start, neck, way, columns)) {
    go([x - way * HALF.width, y]);
    at = [x + way * HALF.width, y];
    curves.push([[x, y], [x, y], at]);
  }
  go(neck);
  return curves;
}

/** Where the way must leave the straight line, because a box stands there. */
function detours(start, neck, way, columns) {
  const between = columns.filter(({ x }) => (x - way * HALF.width - start[0]) * way > 0 && (neck[0] - x - way * HALF.width) * way > 0);
  if (way < 0) between.reverse();
  const found = [];
  let at = start;
  for (const { x, ys } of between) {
    const y = at[1] + ((neck[1] - at[1]) * (x - at[0])) / (neck[0] - at[0]);
    const free = gap(ys, y);
    if (free === y) continue;
    at = [x, free];
    found.push(at);
  }
  return found;
}

/** The `y` nearest to a wished one at which no box of the column stands. */
function gap(ys, wished) {
  const free = (y) => ys.every((middle) => Math.abs(middle - y) >= CLEAR);
  if (free(wished)) return wished;
  const gaps = ys.flatMap((middle) => [middle - GAP, middle + GAP]).filter(free);
  return gaps.reduce((best, y) => (Math.abs(y - wished) < Math.abs(best - wished) ? y : best), gaps[0] ?? wished);
}

/** Points along the curves and what they take. */
function sampled(start, curves) {
  const points = [start];
  let from = start;
  for (const [a, b, to] of curves) {
    for (let i = 1; i <= SAMPLES; i += 1) {
      const t = i / SAMPLES;
      const u = 1 - t;
      points.push([0, 1].map((k) => u * u * u * from[k] + 3 * u * u * t * a[k] + 3 * u * t * t * b[k] + t * t * t * to[k]));
    }
    from = to;
  }
  const [xs, ys] = [0, 1].map((k) => points.map((point) => point[k]));
  return { points, area: { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) } };
}
