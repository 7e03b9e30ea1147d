/**
 * Everything without a mouse. Shortcuts count anywhere on the page but where something is typed or chosen with the
 * same keys; arrows and Space move the brush and paint while the photo has the focus.
 */

const STEP = 4; // CSS pixels an arrow moves the cursor; ten times as far with Shift

/**
 * @param {import("./stage.js").Stage} stage @param {import("./tools.js").Tools} tools
 * @param {Record<string, (...given: any[]) => any>} actions what each key does, by the names used below
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
    stage.cursor = { ...cursor, radius: tools.painting ? tools.radius : 0 };
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

  /** With the keyboard's cursor, R marks one corner, then the other; with the mouse it chooses the tool. */
  function corner() {
    if (!state.active) return actions.tool("rectangle");
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
    if (tools.busy) return tools.drop();
    const ways = [actions.closeSheet, actions.cancel, actions.endComparison, actions.foldHint];
    if (!ways.some((way) => way())) document.activeElement?.blur();
  }

  const onPhoto = {
    ArrowLeft: (event) => go(-1, 0, event.shiftKey),
    ArrowRight: (event) => go(1, 0, event.shiftKey),
    ArrowUp: (event) => go(0, -1, event.shiftKey),
    ArrowDown: (event) => go(0, 1, event.shiftKey),
    Enter: () => actions.fill(),
    " ": (event) => {
      if (event.repeat) return;
      state.spaceDown = true;
      if (state.active && !tools.busy && tools.tool !== "hand") tools.start(cursor);
    },
  };
  const anywhere = {
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
    o: () => actions.tool("select"),
    h: () => actions.tool("hand"),
    m: () => actions.toggleMarks(),
    v: () => actions.again(),
    c: () => actions.before(true),
    Delete: () => actions.fill(),
    Backspace: () => actions.fill(),
    Escape: escape,
  };
  const always = { "?": () => actions.help(), PageUp: () => actions.photo(-1), PageDown: () => actions.photo(1) };
  const withControl = {
    z: (event) => (event.shiftKey ? actions.redo() : actions.undo()),
    y: () => actions.redo(),
    s: () => actions.download(),
    c: () => actions.copy(),
    o: () => actions.open(),
    Enter: () => actions.fill(),
  };

  window.addEventListener("keydown", (event) => {
    if (event.altKey || isTyped(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const keys = event.ctrlKey || event.metaKey ? withControl : { ...anywhere, ...always };
    const act = (event.target === canvas && !event.ctrlKey && !event.metaKey && onPhoto[key]) || keys[key];
    if (!act || (!stage.session.photo && !always[key] && key !== "o")) return;
    if (act(event) === false) return; // left to the browser
    event.preventDefault();
  });

  window.addEventListener("keyup", (event) => {
    if (event.key === " ") {
      const painted = state.spaceDown;
      state.spaceDown = false;
      if (painted && state.active && tools.busy && tools.tool !== "rectangle") tools.end();
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

  return state;
}

/** Where letters and arrows mean something already. */
function isTyped(element) {
  if (element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && ["text", "number", "search", "password"].includes(element.type);
}
