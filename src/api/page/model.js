// The graph as the daemon last told it, by id; and what changed.

/** What a body says besides its elements. */
const HEAD = ["generated_at", "epoch", "window", "law", "hidden", "layout_epoch"];

export class Model {
  nodes = new Map();
  edges = new Map();
  head = null;
  /** Grows with each change. */
  version = 0;

  /** Takes a body whole. Returns what changed for whoever watches the same question; nothing when `anew`. */
  snapshot(body, anew) {
    const [nodes, edges] = [this.nodes, this.edges];
    this.nodes = byId(body.nodes);
    this.edges = byId(body.edges);
    this.#take(body);
    return anew ? [] : news(nodes, this.nodes, edges, this.edges);
  }

  /** Takes what moved since. */
  delta(body) {
    const [nodes, edges] = [new Map(this.nodes), new Map(this.edges)];
    for (const [map, changes] of [
      [this.nodes, body.nodes],
      [this.edges, body.edges],
    ]) {
      for (const element of changes.upsert) map.set(element.id, element);
      for (const id of changes.remove) map.delete(id);
    }
    this.#take(body);
    return news(nodes, this.nodes, edges, this.edges);
  }

  /** Forgets all elements. */
  clear() {
    this.nodes = new Map();
    this.edges = new Map();
    this.version += 1;
  }

  #take(body) {
    this.version += 1;
    this.head = Object.fromEntries(HEAD.map((key) => [key, body[key]]));
  }

  /** Edges into and out of a node. */
  around(id) {
    const edges = [...this.edges.values()];
    return { incoming: edges.filter((e) => e.server === id), outgoing: edges.filter((e) => e.client === id) };
  }

  /** Shares of the spans that are half of a call, and whoever met nobody; `null` before there were any. */
  halves() {
    const outcomes = this.head?.law.outcomes;
    if (!outcomes) return null;
    const lost = outcomes.unpaired_client + outcomes.unpaired_server + outcomes.late;
    const sum = outcomes.paired + outcomes.virtual + lost;
    return sum ? { sum, paired: outcomes.paired, virtual: outcomes.virtual, lost } : null;
  }
}

function byId(elements) {
  return new Map(elements.map((element) => [element.id, element]));
}

function news(nodesBefore, nodes, edgesBefore, edges) {
  const list = [];
  for (const [id, node] of nodes) {
    const before = nodesBefore.get(id);
    if (!before) list.push({ id, what: "appeared" });
    else if (before.health !== node.health && node.health) list.push({ id, what: `is ${node.health}` });
  }
  for (const id of nodesBefore.keys()) if (!nodes.has(id)) list.push({ id, what: "left" });
  for (const [id, edge] of edges) {
    if (!edgesBefore.has(id) && nodesBefore.has(edge.client) && nodesBefore.has(edge.server)) {
      list.push({ id: edge.server, what: "is called by another", by: edge.client });
    }
  }
  return list;
}
