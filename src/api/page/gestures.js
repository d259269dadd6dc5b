// Fingers, mouse, wheel and keys on the map. A press that moves is a drag; one that does not is a click, and is left to
// whatever is under it.

const DRAG_FROM = 4;
const STEP = 80;
const ZOOM_STEP = 1.25;

/** Lets the reader move `camera`; `click` gets what is neither a drag nor on a node, `hover` where the mouse is. */
export function gestures(stage, camera, { click, hover, fit }) {
  const held = new Map();
  let dragging = false;

  const spot = (event) => {
    const { left, top } = stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    held.set(event.pointerId, spot(event));
    dragging = held.size > 1;
  });

  stage.addEventListener("pointermove", (event) => {
    const from = held.get(event.pointerId);
    if (!from) return hover(...spot(event), event);
    const to = spot(event);
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]) > DRAG_FROM;
    if (!dragging && !far) return;
    if (!dragging) stage.setPointerCapture(event.pointerId);
    dragging = true;
    const other = [...held].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(other, from, to);
    else camera.pan(to[0] - from[0], to[1] - from[1]);
    held.set(event.pointerId, to);
  });

  function pinch(still, from, to) {
    const apart = ([left, top]) => Math.hypot(left - still[0], top - still[1]) || 1;
    camera.zoom(apart(to) / apart(from), ...still);
  }

  const released = (event) => {
    if (!held.delete(event.pointerId)) return;
    if (!dragging && event.type === "pointerup") click(...spot(event), event);
    if (!held.size) dragging = false;
  };
  stage.addEventListener("pointerup", released);
  stage.addEventListener("pointercancel", released);
  stage.addEventListener("pointerleave", (event) => hover(null, null, event));

  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      camera.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...spot(event));
    },
    { passive: false },
  );

  stage.addEventListener("keydown", (event) => {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const step = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] }[event.key];
    if (!plain) return;
    if (step && event.target === stage) camera.pan(...step);
    else if (event.key === "+" || event.key === "=") camera.zoom(ZOOM_STEP);
    else if (event.key === "-") camera.zoom(1 / ZOOM_STEP);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });

  for (const button of document.querySelectorAll("[data-zoom]")) {
    const acts = { in: () => camera.zoom(ZOOM_STEP), out: () => camera.zoom(1 / ZOOM_STEP), fit };
    button.addEventListener("click", () => acts[button.dataset.zoom]());
  }
}
