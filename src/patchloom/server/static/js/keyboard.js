/**
 * Everything on the stage without a mouse. Letters count only while the canvas has the focus; Ctrl+Z and Enter's
 * like work everywhere but in text fields.
 */

const STEP = 4; // CSS pixels an arrow moves the cursor; ten times as far with Shift

/**
 * @param {import("./stage.js").Stage} stage @param {import("./tools.js").Tools} tools
 * @param {Record<string, () => void> & {before: (shown: boolean) => void, tool: (name: string) => void,
 *   size: (factor: number) => void}} actions
 */
export function listenToKeys(stage, tools, actions) {
  const { canvas, view } = stage;
  const state = { spaceDown: false, usedPointer, active: false };
  let cursor = { x: 0, y: 0 };
  let toolBefore = "";

  function usedPointer() {
    state.active = false;
  }

  function showCursor() {
    if (!state.active) {
      state.active = true;
      cursor = view.toPhoto({ x: view.stage.width / 2, y: view.stage.height / 2 });
    }
    view.reveal(cursor);
    stage.cursor = { ...cursor, radius: tools.tool === "rectangle" ? 0 : tools.size / 2 };
    stage.redraw();
  }

  function go(dx, dy, far) {
    const first = !state.active;
    showCursor();
    if (first) return;
    const step = Math.max(1, STEP / view.scale) * (far ? 10 : 1);
    const { width, height } = stage.session.photo;
    cursor = {
      x: Math.min(width, Math.max(0, cursor.x + dx * step)),
      y: Math.min(height, Math.max(0, cursor.y + dy * step)),
    };
    if (tools.busy) tools.move(cursor);
    showCursor();
  }

  /** R: one corner, then the other. */
  function corner() {
    showCursor();
    if (tools.busy && tools.tool === "rectangle") {
      tools.end();
      actions.tool(toolBefore);
    } else if (!tools.busy) {
      toolBefore = tools.tool;
      actions.tool("rectangle");
      tools.start(cursor);
    }
  }

  function escape() {
    if (tools.busy) tools.drop();
    else if (!actions.cancel()) canvas.blur();
  }

  const plain = {
    ArrowLeft: (event) => go(-1, 0, event.shiftKey),
    ArrowRight: (event) => go(1, 0, event.shiftKey),
    ArrowUp: (event) => go(0, -1, event.shiftKey),
    ArrowDown: (event) => go(0, 1, event.shiftKey),
    "[": () => actions.size(1 / 1.15),
    "]": () => actions.size(1.15),
    "+": () => actions.zoomIn(),
    "=": () => actions.zoomIn(),
    "-": () => actions.zoomOut(),
    0: () => actions.fit(),
    1: () => actions.actualSize(),
    r: corner,
    e: () => actions.tool(tools.tool === "eraser" ? "brush" : "eraser"),
    b: () => actions.tool("brush"),
    l: () => actions.tool("lasso"),
    h: () => actions.tool("hand"),
    m: () => actions.toggleMarks(),
    c: () => actions.before(true),
    Enter: () => actions.fill(),
    Escape: escape,
  };

  canvas.addEventListener("keydown", (event) => {
    if (!stage.session.photo || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      event.preventDefault();
      if (event.repeat) return;
      state.spaceDown = true;
      if (state.active && !tools.busy && tools.tool !== "hand") tools.start(cursor);
      return;
    }
    const act = plain[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });

  canvas.addEventListener("keyup", (event) => {
    if (event.key === " ") {
      state.spaceDown = false;
      if (state.active && tools.busy && tools.tool !== "rectangle") tools.end();
    }
    if (event.key.toLowerCase() === "c") actions.before(false);
  });

  canvas.addEventListener("blur", () => {
    state.spaceDown = false;
    tools.drop();
    actions.before(false);
    stage.cursor = null;
    stage.redraw();
  });

  window.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || isText(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "z" && event.shiftKey) actions.redo();
    else if (key === "z") actions.undo();
    else if (key === "y") actions.redo();
    else if (key === "enter") actions.fill();
    else return;
    event.preventDefault();
  });

  return state;
}

function isText(element) {
  return element instanceof HTMLInputElement && ["text", "number", "search"].includes(element.type);
}
