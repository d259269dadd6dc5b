// What the mouse is on, or what has the focus: it stands out, and a few words beside it tell of it.

import { BOX } from "./places.js";
import { tip } from "./tip.js";

/** Half of what a box and the sign at its corner take. */
const ROOM = [BOX.width / 2, BOX.height / 2 + 8];
/** What the mouse covers to each side, pixels. */
const MOUSE = 12;

const area = ([x, y], [across, down]) => ({ left: x - across, right: x + across, top: y - down, bottom: y + down });

export class Pointing {
  node = null;
  edge = null;
  #mouse = [0, 0];
  #frame = null;

  /** `map` has the camera, the edges and where the nodes are. */
  constructor(map) {
    this.map = map;
  }

  /** From now on at a node, an edge, or nothing. */
  at({ node, edge }) {
    if (this.node === node && this.edge === edge) return;
    Object.assign(this, { node, edge });
    this.tell();
    this.map.stage.classList.toggle("over", edge !== null);
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.map.light();
    });
  }

  /** Follows the mouse, `left` is `null` when it went away; nodes say themselves that it is on them. */
  move(left, top, event) {
    if (left === null) return this.at({ node: null, edge: null });
    if (event.target.closest?.(".node")) return;
    this.#mouse = [left, top];
    const { camera, edges } = this.map;
    const edge = event.pointerType === "touch" ? null : edges.at(...camera.toWorld(left, top));
    this.at({ node: null, edge: edge?.id ?? null });
    if (edge) this.tell();
  }

  /** Brings the words up to date, beside the box or the mouse. */
  tell() {
    const { model, spots, camera } = this.map;
    const spot = spots.get(this.node);
    const element = this.edge ? model?.edges.get(this.edge) : spot && model?.nodes.get(this.node);
    tip.show(element, model);
    if (this.edge) tip.stand(area(this.#mouse, [MOUSE, MOUSE]), camera, this.#way(element));
    else if (spot) tip.stand(area(camera.toView(spot.x, spot.y), ROOM.map((half) => half * camera.scale)), camera);
  }

  /** Points of an edge and of the boxes at its ends, in the view. */
  #way(edge) {
    if (!edge) return [];
    const ends = [edge.client, edge.server].map((id) => this.map.spots.get(id)).filter(Boolean);
    const boxes = ends.flatMap(({ x, y }) => [-1, 0, 1].flatMap((part) => [-20, 20].map((down) => [x + (part * BOX.width) / 2, y + down])));
    return [...this.map.edges.points(edge.id), ...boxes].map(([x, y]) => this.map.camera.toView(x, y));
  }
}
