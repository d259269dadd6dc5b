// Holds the parts together: the state says what to ask, the feed brings it, every part shows it.

import { controls, showControls } from "./controls.js";
import { by } from "./dom.js";
import { showEmpty } from "./empty.js";
import { showExports } from "./exports.js";
import { Feed } from "./feed.js";
import { legend } from "./legend.js";
import { ServiceMap } from "./map.js";
import { shut } from "./menus.js";
import { Model } from "./model.js";
import { say, showLive, tell } from "./news.js";
import { Panel } from "./panel.js";
import * as state from "./state.js";
import { showStrip } from "./strip.js";
import { Table } from "./table.js";
import { Unseen } from "./unseen.js";
import { visible } from "./words.js";

const model = new Model();
const [table, panel, unseen] = [new Table(), new Panel(), new Unseen()];
const map = new ServiceMap({ entered: () => panel.focus() });
let problem = null;
/** The next snapshot answers another question than the last body did. */
let anew = true;
/** The view was narrowed or widened: the reader wants to see what that left. */
let refit = false;

const feed = new Feed({
  snapshot: (body) => heard(model.snapshot(body, anew)),
  delta: (body) => heard(model.delta(body)),
  problem: (found) => {
    // Passes: what is shown stays, and says how old it is.
    if (found.status === 503 && model.nodes.size) return;
    problem = found;
    model.clear();
    show();
  },
  status: showLive,
});

function heard(news) {
  problem = null;
  show();
  if (refit) map.fit(true);
  else if (anew && !state.get("camera")) map.open(state.get("node"));
  anew = refit = false;
  tell(news, model);
}

function show(fresh = false) {
  const view = state.get("view");
  for (const key of ["map", "table", "unseen"]) by(key).hidden = key !== view;
  map.show(model);
  table.show(model);
  showControls(model);
  showStrip(model);
  showExports();
  showEmpty(model, problem);
  unseen.show(model);
  panel.show(fresh);
}

function ask() {
  anew = true;
  feed.open(state.query({ include: "layout" }));
}

state.watch((changed) => {
  const chosen = changed("node", "edge");
  if (state.asksAnew(changed)) {
    refit = !changed("at") || state.filtered() || changed("group_by");
    ask();
  }
  show(chosen);
  if ((chosen || changed("view")) && state.get("node")) map.reveal(state.get("node"));
  if (changed("compact")) map.fit(true);
});

controls({
  model,
  go: (id) => {
    state.set({ node: id, edge: null });
    map.find(id);
  },
  found: (ids) => map.mark(ids),
  missed: (name) => say(`Nothing shown is called “${visible(name)}”`),
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target.closest?.("input") || shut()) return;
  const [view, node, edge] = ["view", "node", "edge"].map(state.get);
  // From the panel the focus goes back to where it came from; a focus elsewhere stays.
  const inside = panel.focused();
  panel.close();
  if (inside && view === "table") table.back(node ?? edge);
  else if (view === "map" && (inside || node)) map.back(node);
});

// A page that nobody looks at leaves its place to others.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) feed.close();
  else if (!state.get("at")) ask();
});

legend();
show();
ask();
