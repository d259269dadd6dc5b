// Where everything stands: the daemon says it, the same for everybody who looks. Here are only the frames around
// namespaces, and, if asked for, a tighter copy that drops what no shown node needs.

export const BOX = { width: 184, height: 52 };
const RANK_STEP = 336;
const ROW_STEP = 84;
const BLOCK_GAP = 44;
const FRAME_PAD = 14;
const FRAME_HEAD = 30;

/** Node ids with their middles; in a compact map no two columns or rows are further apart than neighbours are. */
export function places(nodes, compact) {
  const placed = [...nodes.values()].filter((node) => node.layout);
  const tight = (values, most) => (compact ? closer(values, most) : new Map(values.map((value) => [value, value])));
  const xs = tight(
    placed.map((node) => node.layout.x),
    RANK_STEP,
  );
  const ys = tight(
    placed.map((node) => node.layout.y),
    ROW_STEP + BLOCK_GAP,
  );
  return new Map(placed.map((node) => [node.id, { x: xs.get(node.layout.x), y: ys.get(node.layout.y) }]));
}

function closer(values, most) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const moved = new Map();
  let at = 0;
  sorted.forEach((value, i) => {
    if (i) at += Math.min(value - sorted[i - 1], most);
    moved.set(value, at);
  });
  return moved;
}

/** Namespaces with the area of their frame. */
export function frames(nodes, spots) {
  const found = new Map();
  for (const node of nodes.values()) {
    const spot = spots.get(node.id);
    if (!spot || !node.layout.frame) continue;
    const area = around(spot);
    area.left -= FRAME_PAD;
    area.right += FRAME_PAD;
    area.bottom += FRAME_PAD;
    area.top -= FRAME_HEAD;
    const frame = found.get(node.layout.frame);
    if (frame) Object.assign(frame.area, union(frame.area, area));
    else found.set(node.layout.frame, { name: node.namespace ?? "", area });
  }
  return [...found.values()];
}

const around = ({ x, y }) => ({ left: x - BOX.width / 2, right: x + BOX.width / 2, top: y - BOX.height / 2, bottom: y + BOX.height / 2 });

const union = (a, b) => ({
  left: Math.min(a.left, b.left),
  right: Math.max(a.right, b.right),
  top: Math.min(a.top, b.top),
  bottom: Math.max(a.bottom, b.bottom),
});

/** What all of it takes; `null` of nothing. */
export function bounds(spots, framed) {
  const areas = [...[...spots.values()].map(around), ...framed.map((frame) => frame.area)];
  return areas.length ? areas.reduce(union) : null;
}
