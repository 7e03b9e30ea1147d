/**
 * Mouse, pen and fingers on the stage. One finger or a pen paints; two fingers move and zoom, and a second finger
 * that lands at once takes the first one's dab back. Once a pen was seen, fingers only move. Middle button, Alt or
 * Space drags. A mouse's wheel zooms; on a trackpad two fingers move the photo and a pinch zooms.
 */

const SECOND_FINGER_MS = 150;
const STILL = 10; // CSS pixels: a finger that has moved no farther has not painted yet
const HANDLE = 30; // CSS pixels from the divider in which it is grabbed
const TAP = 14; // CSS pixels beside a proposed thing that are a tap on it
const WHEEL_ZOOM = 0.0016;
const PINCH_ZOOM = 0.012;
const WHEEL_NOTCH = 120; // what a mouse wheel reports a notch, in multiples

/**
 * @param {import("./stage.js").Stage} stage @param {import("./tools.js").Tools} tools
 * @param {{spaceDown: boolean, usedPointer: () => void}} keys
 * @param {{endComparison: () => void, moveDivider: (share: number) => void}} actions
 */
export function listenToPointers(stage, tools, keys, actions) {
  const { canvas, view } = stage;
  const fingers = new Map();
  let penSeen = false;
  let dragging = null; // pointer id that moves the view or the divider
  let drawing = null; // pointer id of the stroke
  let pinch = null;
  let began = 0;
  let first = { x: 0, y: 0 }; // where a stroke began, and where it is
  let last = first;

  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  };

  const hover = (event) => {
    const shown = tools.painting && !stage.comparison && stage.session.photo && event.pointerType !== "touch";
    stage.cursor = shown ? { ...view.toPhoto(place(event)), radius: tools.radius } : null;
    stage.finger = event.pointerType === "touch" && tools.busy && !pinch ? place(event) : null;
    if (stage.finger && tools.painting) stage.cursor = { ...view.toPhoto(stage.finger), radius: tools.radius };
    stage.redraw();
  };

  const moves = (event) =>
    event.button === 1 ||
    event.altKey ||
    keys.spaceDown ||
    tools.tool === "hand" ||
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
      if (fingers.size === 2) secondFinger();
      if (fingers.size > 1) return;
    }
    if (onDivider(at) || moves(event)) {
      dragging = event.pointerId;
      stage.grabbed = onDivider(at) ? null : at;
    } else if (!tools.busy && actions.takeIdea(view.toPhoto(at), TAP / view.scale)) {
      // which marks it
    } else if (!tools.busy) {
      actions.endComparison();
      began = performance.now();
      first = last = at;
      drawing = event.pointerId;
      const erase = tools.erasing || event.buttons === 32 || (tools.tool === "select" && event.shiftKey);
      tools.start(view.toPhoto(at), erase);
    }
    hover(event);
    event.preventDefault();
  });

  function secondFinger() {
    const still = Math.hypot(last.x - first.x, last.y - first.y) < STILL;
    if (tools.busy && (still || performance.now() - began < SECOND_FINGER_MS)) tools.drop();
    else tools.end();
    dragging = null;
    stage.finger = stage.cursor = null;
    pinch = measure(fingers);
  }

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
      drag(at);
    } else if (tools.busy && !pinch && event.pointerId === drawing) {
      last = at;
      const all = event.getCoalescedEvents?.() ?? [];
      for (const each of all.length ? all : [event]) tools.move(view.toPhoto(place(each)));
    }
    hover(event);
  });

  function drag(at) {
    if (stage.grabbed) {
      view.pan(at.x - stage.grabbed.x, at.y - stage.grabbed.y);
      stage.grabbed = at;
      stage.redraw();
    } else if (stage.comparison) {
      actions.moveDivider(view.toPhoto(at).x / view.photo.width);
    }
  }

  const leave = (event, finish) => {
    fingers.delete(event.pointerId);
    if (dragging === event.pointerId) dragging = stage.grabbed = null;
    if (pinch) {
      if (fingers.size === 0) pinch = null;
    } else if (event.pointerId === drawing) {
      drawing = null;
      if (finish) tools.end();
      else tools.drop();
    }
    hover(event);
  };
  canvas.addEventListener("pointerup", (event) => leave(event, true));
  canvas.addEventListener("pointercancel", (event) => leave(event, false));
  canvas.addEventListener("pointerleave", () => {
    stage.cursor = stage.finger = null;
    stage.redraw();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!stage.session.photo) return;
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode === 1 ? 30 : 1;
      const { deltaX, deltaY } = event;
      if (event.ctrlKey) view.zoom(Math.exp(-deltaY * lines * (isNotch(event) ? WHEEL_ZOOM : PINCH_ZOOM)), x, y);
      else if (isNotch(event) && !event.shiftKey) view.zoom(Math.exp(-deltaY * lines * WHEEL_ZOOM), x, y);
      else if (event.shiftKey && !deltaX) view.pan(-deltaY * lines, 0);
      else view.pan(-deltaX, -deltaY);
      hover(event);
    },
    { passive: false },
  );
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());

  function onDivider(at) {
    return stage.comparison?.kind === "divider" && Math.abs(at.x - stage.dividerX) < HANDLE;
  }
}

/** Whether a wheel event is of a mouse's wheel: whole notches, up and down only. A trackpad tells single pixels. */
function isNotch(event) {
  if (event.deltaMode === 1) return true;
  const notches = Math.abs(event.wheelDeltaY ?? 0);
  return event.deltaX === 0 && notches >= WHEEL_NOTCH && notches % WHEEL_NOTCH === 0;
}

function measure(fingers) {
  const [a, b] = [...fingers.values()];
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
}
