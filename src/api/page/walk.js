// Going about the map by keyboard: arrows to the nearest node that way, with Shift along an edge, Enter to open.

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest of some nodes in a direction, straight ahead before aside. */
function nearest(from, ids, spots, [dx, dy]) {
  const here = spots.get(from);
  let best = null;
  let least = Infinity;
  for (const id of ids) {
    const spot = spots.get(id);
    if (!spot || id === from) continue;
    const ahead = (spot.x - here.x) * dx + (spot.y - here.y) * dy;
    const aside = Math.abs((spot.x - here.x) * dy) + Math.abs((spot.y - here.y) * dx);
    if (ahead <= 0) continue;
    const away = ahead + 2.5 * aside;
    if (away < least) [least, best] = [away, id];
  }
  return best;
}

/** With Shift: to the right whom it calls, to the left who calls it, up and down the others that the same one calls. */
function along(from, model, spots, [dx, dy]) {
  const { incoming, outgoing } = model.around(from);
  const servers = outgoing.map((edge) => edge.server);
  const clients = incoming.map((edge) => edge.client);
  if (dx > 0) return closest(from, servers, spots);
  if (dx < 0) return closest(from, clients, spots);
  const siblings = clients.flatMap((id) => model.around(id).outgoing.map((edge) => edge.server));
  return nearest(from, siblings, spots, [0, dy]);
}

function closest(from, ids, spots) {
  const here = spots.get(from);
  const away = (id) => Math.hypot(spots.get(id).x - here.x, spots.get(id).y - here.y);
  return ids.filter((id) => id !== from && spots.has(id)).sort((a, b) => away(a) - away(b))[0] ?? null;
}

/** Listens on the nodes' `svg`. `look` gives model and spots, `go` moves the focus, `open` opens. */
export function walk(svg, { look, go, open }) {
  svg.addEventListener("keydown", (event) => {
    const id = event.target.closest?.("[data-id]")?.getAttribute("data-id");
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    const way = WAYS[event.key];
    const { model, spots } = look();
    if (event.key === "Enter" || event.key === " ") open(id);
    else if (way) {
      const next = event.shiftKey ? along(id, model, spots, way) : nearest(id, spots.keys(), spots, way);
      if (next) go(next);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
