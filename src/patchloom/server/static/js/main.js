/** Puts the page together. */

import * as api from "./api.js";
import { Announcer } from "./announce.js";
import { HOLE } from "./cells.js";
import { Comparer } from "./compare.js";
import { expected } from "./estimate.js";
import { listenToFiles, Queue } from "./files.js";
import { Filler } from "./fill.js";
import { Hints } from "./hints.js";
import { Ideas } from "./ideas.js";
import { Keeper } from "./keeper.js";
import { listenToKeys } from "./keyboard.js";
import { loadMask } from "./masks.js";
import { Objects } from "./objects.js";
import { Others } from "./others.js";
import { listenToMarks, listenToSheet, showProgress, showSession } from "./panel.js";
import { listenToPointers } from "./pointer.js";
import { download, listenToMenu, stem } from "./result.js";
import { Saving } from "./saving.js";
import { Session } from "./session.js";
import { SettingsForm } from "./settings.js";
import { rectangle } from "./shapes.js";
import { Stage } from "./stage.js";
import { VersionStrip } from "./strips.js";
import { loadTexts, t } from "./texts.js";
import { Toolbar } from "./toolbar.js";
import { Tools } from "./tools.js";
import { Works } from "./works.js";

const $ = (id) => document.getElementById(id);
const ZOOM = 1.3;
const FIX_BRUSH = 18; // CSS pixels
const SMALL_SHARE = 0.02; // marks up to which "as soon as I lift the brush" fills
const AT_ONCE_MS = 350;

await loadTexts();
const announcer = new Announcer();
const session = new Session();
const stage = new Stage($("canvas"), session);
const hints = new Hints(session, stage);
const objects = new Objects(session, stage, announcer, hints);
const ideas = new Ideas(session, hints, announcer);
const tools = new Tools(session, stage, (points, erase) => objects.scribble(points, erase));
const toolbar = new Toolbar(tools, stage);
const comparer = new Comparer(session, stage);
const strip = new VersionStrip(session);

/** Runs what may fail, and tells the person if it does. */
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    announcer.fail(error);
    return null;
  }
}

const config = await api.config().catch((error) => {
  announcer.fail(error);
  return null;
});
if (/^(localhost$|127\.|\[::1\]$)/.test(location.hostname)) $("private").textContent = t("welcome.local");
document.body.classList.remove("loading");
if (config) start();

function start() {
  for (const id of ["photo-file", "mask-file", "others-file"]) $(id).accept = ["image/*", ...config.endings].join(",");
  const settings = new SettingsForm(config);
  const others = new Others(session, config.limits.references, announcer);
  const filler = new Filler(session, stage, settings, announcer);
  session.addEventListener("change", () => others.show());
  const keeper = new Keeper(session, {
    choices: () => ({ settings: settings.values(), growing: session.growing, brush: tools.size }),
    chosen: (choices) => restoreChoices(choices, settings),
    job: () => filler.job,
    row: () => queue.works,
  });
  const works = new Works(session, { config, filler, keeper, tools, announcer });
  const queue = new Queue((file, id) => works.open(file, id));
  works.changed = (file, id) => queue.became(file, id);
  const saving = new Saving(session, keeper, announcer, config.ending_of, attempt);
  const actions = { ...actionsOf({ filler, queue, saving }), closeSheet: listenToSheet() };
  const keys = listenToKeys(stage, tools, actions);
  listenToPointers(stage, tools, keys, actions);
  listenToFiles({ open: (files) => attempt(() => queue.start(files)), address: refuseAddress }, $("stage"));
  listenToMarks(session, {
    stage,
    loadMask: (file) => attempt(() => loadMask(file, session)),
    saveMask: () => attempt(async () => download(await session.maskFile(), `${stem(session)}.mask.png`)),
  });
  listenToMenu($("download-more"), $("download-menu"));
  listenToButtons(actions, { filler, queue });
  session.addEventListener("change", ({ detail }) => follow(detail, { filler, settings, keeper }));
  listenToFill(filler, keeper);
  settings.addEventListener("change", () => keeper.later());
  keeper.addEventListener("failed", ({ detail }) => announcer.fail(failure(detail.full ? "error.room" : "error.keep")));
  works.listen(attempt);
  addEventListener("unhandledrejection", ({ reason }) => announcer.fail(reason));
  addEventListener("beforeunload", (event) => {
    const unsaved = [...session.versions.values()].some((version) => !version.saved && !version.gone);
    if (keeper.failed && unsaved) event.preventDefault();
  });
  showSession(session, filler);
  attempt(() => works.takeUp());
}

/** What buttons and keys do. */
function actionsOf({ filler, queue, saving }) {
  const step = (go) => {
    if (tools.busy) tools.drop();
    else go();
  };
  const before = (shown) => {
    stage.showBefore = shown && session.current !== "";
    stage.redraw();
  };
  return {
    fill: () => {
      tools.end();
      comparer.end();
      if (session.cells?.any(HOLE)) session.during(hints.before(() => filler.start()));
      else filler.start();
    },
    again: () => filler.again(),
    startOver: () => filler.startOver(),
    cancel: () => filler.cancel(),
    undo: () => step(() => objects.drop() || session.undo()),
    redo: () => step(() => session.redo()),
    tool: (name) => {
      comparer.end();
      toolbar.choose(name);
      if (name === "select") objects.ready();
    },
    size: (factor) => toolbar.resize(factor),
    zoomIn: () => zoomBy(ZOOM),
    zoomOut: () => zoomBy(1 / ZOOM),
    fit: () => {
      stage.view.fit();
      stage.redraw();
    },
    actualSize: () => zoomBy(1 / stage.view.scale),
    toggleMarks: () => $("show-marks").click(),
    before,
    endComparison: () => comparer.end(),
    foldHint: () => hints.open && (hints.fold(true), true),
    takeIdea: (point, slack) => ideas.take(point, slack),
    moveDivider: (share) => comparer.move(share),
    download: () => saving.save(),
    copy: () => saving.copy(),
    open: () => $("photo-file").click(),
    help: () => $("help").showModal(),
    photo: (by) => attempt(() => queue.go(by)),
  };
}

function restoreChoices(choices, settings) {
  settings.restore(choices.settings);
  session.growing = choices.growing;
  $("growing").checked = choices.growing;
  if (choices.brush) toolbar.setSize(choices.brush);
}

/** The session has changed. */
function follow({ what, steps }, { filler, settings }) {
  if (what === "photo") {
    stage.reset();
    objects.reset();
    announcer.hide();
  }
  comparer.follow();
  strip.show();
  showSession(session, filler);
  showTimes(settings);
  stage.redraw();
  if (what === "marks" && steps.length && session.cells.any(HOLE)) afterStroke(filler);
}

let lifting = 0;
function afterStroke(filler) {
  clearTimeout(lifting);
  const small = session.summary.share <= SMALL_SHARE && session.layer === "hole" && tools.painting && !tools.erasing;
  if ($("at-once").checked && small) lifting = setTimeout(() => !tools.busy && filler.start(), AT_ONCE_MS);
  else if (tools.tool !== "select" && session.layer === "hole") hints.later();
}

function showTimes(settings) {
  const { width, height } = session.photo;
  const { share } = session.summary;
  settings.showTimes((name) => (share ? expected(name, (share * width * height) / 1e6) : 0));
}

function listenToFill(filler, keeper) {
  filler.addEventListener("progress", ({ detail }) => {
    showProgress(filler, detail);
    strip.follow(filler.run);
  });
  filler.addEventListener("job", () => {
    const focused = document.activeElement;
    if (filler.running) {
      announcer.clear();
      announcer.hide();
    }
    showSession(session, filler);
    if (focused !== document.body && focused.offsetParent === null) $(filler.running ? "cancel" : nextButton()).focus();
    keeper.later();
  });
  stage.canvas.addEventListener("preview", () => ($("refining").hidden = !filler.running));
}

function nextButton() {
  return $("fill").hidden ? "download" : "fill";
}

function zoomBy(factor) {
  stage.view.zoom(factor);
  stage.redraw();
}

function failure(key, values = {}) {
  return Object.assign(new Error(t(key, values)), { hint: t(`${key}.hint`, values) });
}

function refuseAddress() {
  announcer.fail(failure("error.url"));
}

function listenToButtons(actions, { filler, queue }) {
  const clicks = {
    undo: actions.undo,
    redo: actions.redo,
    fill: actions.fill,
    cancel: actions.cancel,
    again: actions.again,
    "again-tile": actions.again,
    fix: fixSpot,
    "start-over": actions.startOver,
    harmonise: () => filler.harmonise(),
    ideas: () => session.photo && attempt(() => session.during(ideas.look())),
    "zoom-in": actions.zoomIn,
    "zoom-out": actions.zoomOut,
    "zoom-fit": actions.fit,
    "zoom-actual": actions.actualSize,
    "mark-box": markBox,
    "help-open": actions.help,
    "queue-before": () => actions.photo(-1),
    "queue-next": () => actions.photo(1),
  };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
  for (const button of document.querySelectorAll("[data-sample]")) {
    button.addEventListener("click", () => attempt(async () => queue.start([await sample(button.dataset.sample)])));
  }
  for (const button of document.querySelectorAll("#toolbar [data-tool]")) {
    button.addEventListener("click", () => actions.tool(button.dataset.tool));
  }
}

async function sample(name) {
  const blob = await (await fetch(`static/samples/${name}`)).blob();
  return new File([blob], name, { type: "image/jpeg" });
}

function fixSpot() {
  comparer.end();
  toolbar.choose("brush");
  toolbar.setSize(FIX_BRUSH);
  announcer.note(t("say.fix"));
  $("canvas").focus({ preventScroll: true });
}

function markBox() {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number($(`box-${name}`).value));
  if (!session.photo || width <= 0 || height <= 0) return;
  session.mark((cells) => rectangle(cells, { x, y }, { x: x + width, y: y + height }, session.ink(false)));
  session.settled().then(() => announcer.say($("marked").textContent, true));
}
