// Where to look first, where not everything can be read at once: at the part that has most to tell.

import { BOX } from "./places.js";
import { problem } from "./words.js";

/** Kept free around boxes, for the names of frames and what arrives; pixels of the layout. */
const RIM = 24;

/** What there is to see at each node: itself, its calls, and most of all what is wrong. */
function weights(model) {
  const found = new Map();
  for (const node of model.nodes.values()) found.set(node.id, 1 + Math.log10(1 + node.calls) / 4 + (problem(node) ? 3 : 0));
  for (const edge of model.edges.values()) {
    if (problem(edge)) for (const id of [edge.client, edge.server]) found.set(id, found.get(id) + 1);
  }
  return found;
}

/** The middle of the part of `area`, so wide and so high, with most to see; of equal ones the first from the left. */
export function most(model, spots, area, wide, high) {
  const weight = weights(model);
  const [across, down] = [wide / 2 - BOX.width / 2 - RIM, high / 2 - BOX.height / 2 - RIM];
  const middles = (key, low, top, size) => {
    if (top - low <= size) return [(low + top) / 2];
    const inside = [...spots.values()].map((spot) => Math.max(low + size / 2, Math.min(spot[key], top - size / 2)));
    return [...new Set(inside)].sort((a, b) => a - b);
  };
  const ys = middles("y", area.top, area.bottom, high);
  let [best, greatest] = [[area.left, area.top], -1];
  for (const x of middles("x", area.left - RIM, area.right + RIM, wide)) {
    const column = [...spots].filter(([, spot]) => Math.abs(spot.x - x) <= across);
    for (const y of ys) {
      const seen = column.reduce((sum, [id, spot]) => sum + (Math.abs(spot.y - y) <= down ? weight.get(id) : 0), 0);
      if (seen > greatest) [best, greatest] = [[x, y], seen];
    }
  }
  return best;
}
