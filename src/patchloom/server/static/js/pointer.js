/**
 * Mouse, pen and fingers on the stage. One finger or a pen paints; two fingers move and zoom, and a second finger
 * that lands at once takes the first one's dab back. Once a pen was seen, fingers only move. Middle button, Alt or
 * Space drags; the wheel zooms.
 */

const SECOND_FINGER_MS = 150;

/**
 * @param {import("./stage.js").Stage} stage @param {import("./tools.js").Tools} tools
 * @param {{spaceDown: boolean, usedPointer: () => void}} keys
 */
export function listenToPointers(stage, tools, keys) {
  const { canvas, view } = stage;
  const fingers = new Map();
  let penSeen = false;
  let dragging = null; // pointer id that moves the view or the divider
  let pinch = null;
  let began = 0;

  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };

  const hover = (event) => {
    const painting = stage.divider === null && (tools.tool === "brush" || tools.tool === "eraser");
    const shown = painting && stage.session.photo && event.pointerType !== "touch";
    stage.cursor = shown ? { ...view.toPhoto(place(event)), radius: tools.size / 2 } : null;
    stage.redraw();
  };

  const moves = (event) =>
    event.button === 1 ||
    event.altKey ||
    keys.spaceDown ||
    tools.tool === "hand" ||
    stage.divider !== null ||
    stage.session.locked ||
    (penSeen && event.pointerType === "touch");

  canvas.addEventListener("pointerdown", (event) => {
    if (!stage.session.photo || event.button > 1) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    keys.usedPointer();
    penSeen ||= event.pointerType === "pen";
    const at = place(event);
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, at);
      if (fingers.size === 2) {
        if (tools.busy && performance.now() - began < SECOND_FINGER_MS) tools.drop();
        else tools.end();
        dragging = null;
        pinch = measure(fingers);
      }
      if (fingers.size > 1) return;
    }
    if (moves(event)) {
      dragging = event.pointerId;
      if (onDivider(at)) moveDivider(at);
      else stage.grabbed = at;
    } else if (!tools.busy) {
      began = performance.now();
      tools.start(view.toPhoto(at), tools.erasing || event.buttons === 32);
    }
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!stage.session.photo) return;
    const at = place(event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at);
    if (pinch && fingers.size === 2) {
      const now = measure(fingers);
      view.pan(now.x - pinch.x, now.y - pinch.y);
      view.zoom(now.distance / pinch.distance, now.x, now.y);
      pinch = now;
      stage.redraw();
    } else if (dragging === event.pointerId) {
      if (stage.grabbed) {
        view.pan(at.x - stage.grabbed.x, at.y - stage.grabbed.y);
        stage.grabbed = at;
        stage.redraw();
      } else {
        moveDivider(at);
      }
    } else if (tools.busy && !pinch) {
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) tools.move(view.toPhoto(place(each)));
    }
    hover(event);
  });

  const leave = (event, finish) => {
    fingers.delete(event.pointerId);
    if (dragging === event.pointerId) dragging = stage.grabbed = null;
    if (pinch) {
      if (fingers.size === 0) pinch = null;
    } else if (finish) {
      tools.end();
    } else {
      tools.drop();
    }
  };
  canvas.addEventListener("pointerup", (event) => leave(event, true));
  canvas.addEventListener("pointercancel", (event) => leave(event, false));
  canvas.addEventListener("pointerleave", () => {
    stage.cursor = null;
    stage.redraw();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!stage.session.photo) return;
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode === 1 ? 30 : 1;
      view.zoom(Math.exp(-event.deltaY * lines * 0.0016), x, y);
      hover(event);
    },
    { passive: false },
  );
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  function onDivider(at) {
    return stage.divider !== null && Math.abs(at.x - stage.divider * view.stage.width) < 32;
  }

  function moveDivider(at) {
    const share = Math.min(1, Math.max(0, at.x / view.stage.width));
    stage.canvas.dispatchEvent(new CustomEvent("divider", { detail: share }));
  }
}

function measure(fingers) {
  const [a, b] = [...fingers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
}
