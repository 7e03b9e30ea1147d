/** Shows how marks, results and a running fill stand; and what can be done to the marks. */

import { HOLE } from "./cells.js";
import { chooseLanguage, currentLanguage, languages, number, percent, t } from "./texts.js";

const $ = (id) => document.getElementById(id);
const REACH = 500; // the photo's longer side per pixel that Grow and Shrink go

/** What can be done to the marks. @param {import("./session.js").Session} session */
export function listenToMarks(session, { loadMask, saveMask, stage }) {
  for (const choice of document.querySelectorAll("input[name=layer]")) {
    choice.addEventListener("change", () => (session.layer = choice.value));
  }
  const reach = () => Math.max(1, Math.round(Math.max(session.cells.width, session.cells.height) / REACH));
  $("clear").addEventListener("click", () => session.clear());
  $("invert").addEventListener("click", () => session.invert());
  $("grow").addEventListener("click", () => session.cells && session.grow(reach()));
  $("shrink").addEventListener("click", () => session.cells && session.grow(-reach()));
  $("mask-load").addEventListener("click", () => $("mask-file").click());
  $("mask-save").addEventListener("click", saveMask);
  $("mask-file").addEventListener("change", () => {
    if ($("mask-file").files.length) loadMask($("mask-file").files[0]);
    $("mask-file").value = "";
  });
  $("colour").addEventListener("change", () => {
    stage.overlay.colour = $("colour").value;
    stage.redraw();
  });
  $("show-marks").addEventListener("change", () => {
    stage.showMarks = $("show-marks").checked;
    stage.redraw();
  });
  $("growing").addEventListener("change", () => {
    session.growing = $("growing").checked;
    session.changed();
  });
}

/** The options: a panel beside the photo, or on small screens a sheet that is called up. @returns {() => boolean} closes
 * the sheet; false if it was not open */
export function listenToSheet() {
  const show = (shown) => {
    document.body.classList.toggle("sheet", shown);
    $("options").setAttribute("aria-expanded", String(shown));
    if (shown) $("sheet-close").focus();
    else $("options").focus();
  };
  $("options").addEventListener("click", () => show(!document.body.classList.contains("sheet")));
  $("sheet-close").addEventListener("click", () => show(false));
  const close = () => {
    const open = document.body.classList.contains("sheet");
    if (open) show(false);
    return open;
  };
  $("canvas").addEventListener("pointerdown", close);
  for (const [name, own] of languages()) $("language").append(new Option(own, name, false, name === currentLanguage()));
  $("language").addEventListener("change", () => chooseLanguage($("language").value));
  return close;
}

/** Shows how marks and results stand. @param {import("./session.js").Session} session */
export function showSession(session, filler) {
  const open = session.photo !== null;
  document.body.classList.toggle("open", open);
  $("canvas").setAttribute("aria-busy", String(session.works.size > 0));
  $("welcome").hidden = open;
  const untouched = open && !session.history.past.length && !session.versions.size && !session.cells.any(HOLE);
  $("guide").hidden = !untouched || filler.running;
  $("undo").disabled = !session.history.canUndo && !session.works.size;
  $("redo").disabled = !session.history.future.length;
  if (!open) return $("canvas").setAttribute("aria-label", t("canvas.none"));
  const { share, areas, done, limited } = session.summary;
  const { width, height } = session.photo;
  const result = session.versions.has(session.current);
  $("file-info").textContent = `${session.name} · ${number(width)} × ${number(height)}`;
  $("marked").textContent = areas
    ? t("marks.count", { n: areas, share: percent(share) })
    : t(result ? "marks.more" : "marks.none");
  $("canvas").setAttribute("aria-label", t("canvas.label", { width, height, n: areas, share: percent(share) }));
  $("growing-text").textContent = t("marks.growing", { n: session.growth || grownBy(session) });
  $("source-note").hidden = !limited;
  $("start-over").disabled = filler.running || !done;
  $("harmonise").disabled = filler.running || !areas;
  showAction(session, filler, result);
}

/** The one thing to do next is the button that stands out. */
function showAction(session, filler, result) {
  const marked = session.cells.any(HOLE) && filler.given;
  $("run").hidden = !filler.running;
  $("after-fill").hidden = !result || filler.running;
  $("fix").hidden = $("again").hidden = marked;
  $("again-tile").disabled = marked || filler.running;
  $("download").classList.toggle("primary", !marked);
  $("download-more").classList.toggle("primary", !marked);
  $("fill").hidden = !marked && (result || filler.running);
  $("fill").disabled = !marked || Boolean(filler.run?.next);
  $("fill-text").textContent = t(filler.running ? "fill.next" : "fill");
  document.body.dataset.state = filler.running ? "running" : result ? (marked ? "more" : "result") : "ready";
}

/** What growth would be if it were on. */
function grownBy(session) {
  const { growing } = session;
  session.growing = true;
  const pixels = session.growth;
  session.growing = growing;
  return pixels;
}

/** How far a fill is. @param {import("./fill.js").Filler} filler */
export function showProgress(filler, { fraction, text }) {
  if (fraction || !filler.running) $("progress").value = fraction;
  else $("progress").removeAttribute("value");
  if ($("progress-text").textContent !== text) $("progress-text").textContent = text;
  $("cancel").disabled = filler.stopping;
  if (!filler.running) $("refining").hidden = true;
}
