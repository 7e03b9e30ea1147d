/** Puts the page together. */

import * as api from "./api.js";
import { Announcer } from "./announce.js";
import { listenToFiles } from "./files.js";
import { Filler } from "./fill.js";
import { keep, kept, runs, unrun } from "./keep.js";
import { listenToKeys } from "./keyboard.js";
import { download, loadMask } from "./masks.js";
import { Toolbar, listenToMarks, showProgress, showSession } from "./panel.js";
import { Picture } from "./picture.js";
import { listenToPointers } from "./pointer.js";
import { Session } from "./session.js";
import { SettingsForm } from "./settings.js";
import { rectangle } from "./shapes.js";
import { Stage } from "./stage.js";
import { Tools } from "./tools.js";

const $ = (id) => document.getElementById(id);
const KEEP_AFTER_MS = 800;
const ZOOM = 1.3;

const announcer = new Announcer();
const session = new Session();
const stage = new Stage($("canvas"), session);
const tools = new Tools(session, stage);
const toolbar = new Toolbar(tools, stage);

/** Runs what may fail, and tells the person if it does. */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    announcer.say("");
    announcer.fail(error);
  }
}

const config = await api.config().catch((error) => {
  announcer.fail(error);
  return null;
});
if (config) start(config);

function start({ limits }) {
  for (const id of ["photo-file", "mask-file"]) $(id).accept = ["image/*", ...config.endings].join(",");
  const settings = new SettingsForm(config);
  const filler = new Filler(session, stage, settings, announcer);

  const openPhoto = (file) =>
    attempt(async () => {
      if (filler.running) await filler.cancel();
      if (file.size > limits.request_bytes) throw tooLarge(`${Math.round(file.size / 2 ** 20)} MB`, limits);
      announcer.dismiss();
      announcer.say("Opening …");
      const picture = await Picture.open(file);
      if (picture.width * picture.height > limits.pixels) {
        throw tooLarge(`${picture.width} by ${picture.height} pixels`, limits);
      }
      session.open(picture, file.name || "photo", String(performance.timeOrigin + performance.now()));
      keep("photo", { id: session.id, name: session.name, blob: file });
      filler.last = null;
      announcer.say("Paint over what should go, then press Fill.", true);
      $("canvas").focus();
      await picture.makeCopies();
      stage.redraw();
    });

  const fill = () => {
    tools.end();
    filler.start($("from-photo").checked);
  };
  const step = (go) => {
    if (tools.busy) tools.drop();
    else if (!filler.running) go();
  };
  const actions = {
    fill,
    undo: () => step(() => session.history.undo()),
    redo: () => step(() => session.history.redo()),
    cancel: () => {
      if (!filler.running) return false;
      filler.cancel();
      return true;
    },
    tool: (name) => toolbar.choose(name),
    size: (factor) => toolbar.resize(factor),
    zoomIn: () => zoomBy(ZOOM),
    zoomOut: () => zoomBy(1 / ZOOM),
    fit: () => {
      stage.view.fit();
      stage.redraw();
    },
    actualSize: () => zoomBy(1 / stage.view.scale),
    toggleMarks: () => $("show-marks").click(),
    before: (shown) => {
      stage.showBefore = shown && session.current >= 0;
      stage.redraw();
    },
  };

  const keys = listenToKeys(stage, tools, actions);
  listenToPointers(stage, tools, keys);
  listenToFiles(openPhoto, $("stage"));
  listenToMarks(session, {
    stage,
    loadMask: (file) => attempt(() => loadMask(file, session)),
    saveMask: () => attempt(async () => download(await session.maskFile(true), `${stem()}.mask.png`)),
  });
  listenToButtons(actions, filler);
  listenToComparison(actions);

  let keeping = 0;
  session.addEventListener("change", ({ detail }) => {
    if (detail === "photo") {
      stage.reset();
      toolbar.setSize(Math.max(session.photo.width, session.photo.height) / 28);
    }
    if (detail === "result" || session.current < 0) setDivider(null);
    if (detail === "result") keepResult();
    showSession(session, filler);
    stage.redraw();
    clearTimeout(keeping);
    keeping = setTimeout(() => keepMarks(filler), KEEP_AFTER_MS);
  });
  filler.addEventListener("progress", ({ detail }) => {
    showProgress(filler, detail);
    showSession(session, filler);
  });
  filler.addEventListener("job", () => keepMarks(filler));
  showSession(session, filler);
  attempt(() => restore(filler));
}

function tooLarge(what, limits) {
  const error = new Error(`The photo is too large: ${what}.`);
  const most = `${Math.round(limits.request_bytes / 2 ** 20)} MB and ${Math.round(limits.pixels / 1e6)} megapixels`;
  return Object.assign(error, { hint: `This server takes up to ${most}.` });
}

function zoomBy(factor) {
  stage.view.zoom(factor);
  stage.redraw();
}

function stem() {
  return session.name.replace(/\.[^.]*$/, "") || "photo";
}

function resultFile() {
  const { blob } = session.picture;
  return new File([blob], `${stem()}.filled${config.ending_of[blob.type] ?? ".png"}`, { type: blob.type });
}

function listenToButtons(actions, filler) {
  const clicks = {
    undo: actions.undo,
    redo: actions.redo,
    fill: actions.fill,
    cancel: actions.cancel,
    "zoom-in": actions.zoomIn,
    "zoom-out": actions.zoomOut,
    "zoom-fit": actions.fit,
    "zoom-actual": actions.actualSize,
    again: () => filler.again(),
    download: () => download(resultFile(), resultFile().name),
    share: () => attempt(() => navigator.share({ files: [resultFile()] })),
    "mark-box": markBox,
  };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
  const sharing = navigator.canShare?.({ files: [new File([], "photo.png", { type: "image/png" })] });
  $("share").hidden = !(sharing && matchMedia("(pointer: coarse)").matches);
}

function markBox() {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number($(`box-${name}`).value));
  if (!session.photo || width <= 0 || height <= 0) return;
  session.mark((cells) => rectangle(cells, { x, y }, { x: x + width, y: y + height }, session.ink(false)));
  announcer.say($("marked").textContent, true);
}

function setDivider(share) {
  stage.divider = share;
  stage.canvas.classList.toggle("comparing", share !== null);
  $("compare").setAttribute("aria-pressed", String(share !== null));
  $("divider-row").hidden = share === null;
  if (share !== null) $("divider").value = share * 100;
  stage.redraw();
}

function listenToComparison(actions) {
  $("compare").addEventListener("click", () => setDivider(stage.divider === null ? 0.5 : null));
  $("divider").addEventListener("input", () => setDivider($("divider").value / 100));
  stage.canvas.addEventListener("divider", ({ detail }) => setDivider(detail));
  const button = $("before");
  const show = () => actions.before(true);
  const hide = () => actions.before(false);
  button.addEventListener("pointerdown", show);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur", "keyup"]) button.addEventListener(name, hide);
  button.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") show();
  });
}

/** Keeps what changes often; photo and results, which are large, only when they are new. */
function keepMarks(filler) {
  if (!session.photo) return;
  const result = session.rounds[session.current]?.id ?? "";
  keep("work", { photo: session.id, marks: runs(session.cells.data), result, job: filler.id });
}

function keepResult() {
  const { id, seed, picture } = session.rounds[session.current];
  keep("result", { id, seed, blob: picture.blob });
}

async function restore(filler) {
  const [photo, work, result] = await Promise.all(["photo", "work", "result"].map(kept));
  if (!photo || session.photo) return;
  const picture = await Picture.open(photo.blob);
  session.open(picture, photo.name, photo.id);
  if (work?.photo === photo.id) {
    unrun(work.marks, session.cells.data);
    session.cells.refresh({ left: 0, top: 0, right: picture.width, bottom: picture.height });
    if (result && work.result === result.id) {
      session.rounds.push({ ...result, picture: await Picture.open(result.blob) });
      session.current = 0;
    }
  }
  session.changed();
  announcer.say("Your work from before is back.", true);
  await picture.makeCopies();
  if (work?.job) await filler.resume(work.job);
}
