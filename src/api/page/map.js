// The map: camera, edges, nodes and what the mouse is on, held together.

import { Camera, SMALL } from "./camera.js";
import { by } from "./dom.js";
import { Edges } from "./edges.js";
import { most } from "./first.js";
import { gestures } from "./gestures.js";
import { Nodes } from "./nodes.js";
import { bounds, frames, places } from "./places.js";
import { Pointing } from "./pointing.js";
import { routes } from "./routes.js";
import * as state from "./state.js";
import { walk } from "./walk.js";

export class ServiceMap {
  spots = new Map();
  model = null;
  #area = null;
  #shown = "";
  #found = null;

  /** `entered` hears when a node was opened by keyboard. */
  constructor({ entered }) {
    this.stage = by("stage");
    this.edges = new Edges(by("edges"));
    const open = (node) => state.set({ node, edge: null });
    const enter = (node) => this.pointing.at({ node, edge: null });
    this.nodes = new Nodes(by("world"), { open, enter, reach: (id) => this.reveal(id) });
    this.camera = new Camera(this.stage, by("plane"), { draw: () => this.#draw(), rested: () => this.#remember() });
    this.pointing = new Pointing(this);
    const fit = () => this.fit();
    gestures(this.stage, this.camera, { click: (...at) => this.#click(...at), hover: (...at) => this.pointing.move(...at), fit });
    walk(by("nodes"), {
      look: () => ({ model: this.model, spots: this.spots }),
      go: (id) => this.go(id),
      open: (id) => [open(id), entered()],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.edges.theme();
      this.#draw();
    });
  }

  /** Shows a model. */
  show(model) {
    this.model = model;
    const shown = `${model.version} ${state.get("compact")}`;
    if (shown !== this.#shown) this.#arrange(model);
    this.#shown = shown;
    if (this.#looked()) this.#draw();
  }

  #arrange(model) {
    this.spots = places(model.nodes, Boolean(state.get("compact")));
    const framed = frames(model.nodes, this.spots);
    this.#area = bounds(this.spots, framed);
    this.edges.take(routes(model.edges, this.spots), framed, this.spots);
  }

  /** The first time, looks where the address says, else at everything; whether there is still something to draw. */
  #looked() {
    if (this.begun || !this.#area) return true;
    this.camera.measure();
    if (!this.camera.width) return true;
    this.begun = true;
    const [x, y, scale] = (state.get("camera") ?? "").split(",").map(Number);
    if (scale > 0 && Number.isFinite(x + y)) this.camera.look(x, y, scale);
    else this.camera.begin(this.#area, (wide, high) => most(this.model, this.spots, this.#area, wide, high));
    return false;
  }

  /** Shows everything. */
  fit(keep = false) {
    if (this.#area) this.camera.fit(this.#area, keep);
  }

  /** Moves focus and view to a node. */
  go(id) {
    this.reveal(id);
    this.nodes.focus(id);
  }

  /** The same, with the node in the middle: whoever looked for it does not know where it is. */
  find(id) {
    this.#centre(id);
    this.nodes.focus(id);
  }

  /** Brings a node into view where nothing was looked at yet: where nobody could read it, larger and in the middle. */
  open(id) {
    if (this.camera.scale < SMALL) this.#centre(id);
    else this.reveal(id);
  }

  /** Takes the focus back from the panel to the node it was about, or to the map. */
  back(node) {
    if (this.spots.has(node)) this.go(node);
    else this.stage.focus();
  }

  /** Brings the chosen node out from under a panel that covers it. */
  reveal(id) {
    const spot = this.#spot(id);
    if (spot) this.camera.reveal(spot.x, spot.y, this.#covered());
  }

  #centre(id) {
    const spot = this.#spot(id);
    if (spot) this.camera.centre(spot.x, spot.y, this.#covered());
  }

  /** Where a node is, once the map is as large as the panel beside it leaves it; nothing while the map is not shown. */
  #spot(id) {
    this.camera.resized();
    return this.stage.clientWidth ? this.spots.get(id) : null;
  }

  /** How many pixels a panel covers below. */
  #covered() {
    const panel = by("panel");
    return panel.hidden || panel.offsetTop === 0 ? 0 : this.camera.height - panel.offsetTop;
  }

  /** Lets some nodes stand out as found; `null` ends it. */
  mark(ids) {
    this.#found = ids;
    this.light();
  }

  #remember() {
    const { x, y, scale } = this.camera;
    state.set({ camera: `${x},${y},${scale}` }, true);
  }

  #draw() {
    if (!this.model || !this.camera.width) return;
    const { x, y, scale, width, height } = this.camera;
    by("world").setAttribute("transform", `translate(${width / 2 - x * scale} ${height / 2 - y * scale}) scale(${scale})`);
    this.nodes.show(this.model.nodes, this.spots, scale);
    this.light();
    this.pointing.tell();
  }

  /** Draws the edges, and lets stand out what is chosen, pointed at or found. */
  light() {
    if (!this.model) return;
    const { nodes, edges } = this.#standing();
    this.nodes.mark(state.get("node"), nodes, this.#found !== null);
    this.edges.draw(this.camera, { label: state.get("label"), lit: edges });
  }

  #standing() {
    const edge = this.model.edges.get(this.pointing.edge ?? state.get("edge"));
    const node = this.pointing.node ?? state.get("node");
    if (this.#found) return { nodes: this.#found, edges: (e) => this.#found.has(e.client) && this.#found.has(e.server) };
    if (edge && !this.pointing.node) return { nodes: new Set([edge.client, edge.server]), edges: (e) => e.id === edge.id };
    if (!node || !this.spots.has(node)) return { nodes: null, edges: null };
    const { incoming, outgoing } = this.model.around(node);
    const near = new Set([node, ...incoming.map((e) => e.client), ...outgoing.map((e) => e.server)]);
    return { nodes: near, edges: (e) => e.client === node || e.server === node };
  }

  #click(left, top, event) {
    if (event.target.closest?.(".node")) return;
    const edge = this.edges.at(...this.camera.toWorld(left, top));
    if (edge) state.set({ edge: edge.id, node: null });
    else if (state.get("node") || state.get("edge")) state.set({ edge: null, node: null });
  }
}
