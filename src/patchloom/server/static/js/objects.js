/** Marks whole objects: from a scribble to the outline, to the shadow, and what may have been left out of a mark. */

import * as api from "./api.js";
import { aside } from "./aside.js";
import { HOLE } from "./cells.js";
import { t } from "./texts.js";

const MOST_PIXELS = 400_000; // of the picture in which outlines are looked for
const HINT_SIDE = 640; // longer side of the picture in which left-over parts are looked for
const HINT_AFTER_MS = 600;
const STROKE = 5; // width of a scribble, CSS pixels
const CLOSED = 0.12; // of a stroke's length: how near its end comes to its beginning if it is drawn round something
const CORE = 0.4; // size of the part of what is inside that is taken for the object beforehand
const OBJECT = 255;
const OTHER = 128;

export class Objects {
  /**
   * @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage
   * @param {import("./announce.js").Announcer} announcer
   */
  constructor(session, stage, announcer) {
    this.session = session;
    this.stage = stage;
    this.announcer = announcer;
    this.hints = 0;
    this.reset();
  }

  /** Another photo is open. */
  reset() {
    this.hints += 1;
    this.forget();
    this.stopper?.abort();
    this.stopper = new AbortController();
    this.waiting = 0; // scribbles whose object is still looked for
    this.looking = Promise.resolve();
  }

  /** Another object begins. */
  forget() {
    /** Scribbles on the object under way: a second one refines the first. */
    this.strokes = [];
    /** The step that marked it. @type {import("./cells.js").Change | null} */
    this.found = null;
  }

  /** Gives up what is being looked for. @returns {boolean} false if nothing was */
  drop() {
    const { found, strokes, waiting } = this;
    if (!waiting) return false;
    this.reset();
    Object.assign(this, { found, strokes });
    return true;
  }

  /** A scribble on an object, or with `erase` on what does not belong to it. */
  scribble(points, erase) {
    const stroke = { points, erase, width: STROKE / this.stage.view.scale };
    this.next(async (signal) => {
      if (!this.found || this.session.history.past.at(-1)?.change !== this.found) this.forget();
      if (erase && !this.strokes.length) return this.announcer.note(t("say.object-first"));
      const strokes = [...this.strokes, stroke];
      await this.find((canvas, scale) => draw(canvas, strokes, scale), signal);
      if (!signal.aborted) this.strokes = strokes;
    });
  }

  /** From what is marked to the outline of the object it lies on. */
  extend() {
    const { cells } = this.session;
    this.next(async (signal) => {
      this.forget();
      await this.find((canvas) => canvas.context.putImageData(picture(cells, canvas), 0, 0), signal);
    });
  }

  /** Looks for one after the other, so that what is drawn meanwhile refines what the one before has found. */
  next(look) {
    const { signal } = this.stopper;
    this.waiting += 1;
    this.looking = this.looking
      .then(() => (signal.aborted ? null : look(signal)))
      .catch((error) => signal.aborted || this.announcer.fail(error))
      .then(() => signal.aborted || (this.waiting -= 1));
    this.session.during(this.looking);
  }

  /** @param {(canvas: {context: CanvasRenderingContext2D, width: number, height: number}, scale: number) => void} paint
   * @param {AbortSignal} signal stops it */
  async find(paint, signal) {
    const { session } = this;
    const { photo } = session;
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (photo.width * photo.height)));
    const width = Math.max(1, Math.round(photo.width * scale));
    const height = Math.max(1, Math.round(photo.height * scale));
    const canvas = surface(width, height);
    paint(canvas, scale);
    this.announcer.say(t("say.finding"), true);
    const [image, file] = await Promise.all([small(session.picture, width, height), encodeMarks(canvas)]);
    const answer = await createImageBitmap(await api.select(image, file, signal));
    if (!signal.aborted) await this.show(answer, width, height);
  }

  async show(answer, width, height) {
    const { session, announcer } = this;
    const canvas = surface(width, height);
    canvas.context.drawImage(answer, 0, 0);
    const values = levels(canvas);
    const part = (low, high) => {
      const mask = values.map((value) => (value > low && value <= high ? 1 : 0));
      return { mask, across: width, down: height, ink: session.ink(false) };
    };
    const object = part(200, 255);
    const shadow = part(60, 200);
    if (!object.mask.includes(1)) return announcer.note(t("say.nothing-found"));
    await session.turn(async () => {
      if (this.found && session.history.past.at(-1)?.change === this.found) session.history.undo();
      this.found = await session.alter("mask", object);
    });
    announcer.clear();
    if (shadow.mask.includes(1)) {
      const act = () => session.turn(() => session.alter("mask", shadow));
      announcer.note(t("say.shadow"), { text: t("say.shadow.add"), act });
    }
  }

  /** After a stroke: whether a strong edge runs just outside the marks. */
  hint() {
    clearTimeout(this.timer);
    this.hints += 1;
    const number = this.hints;
    this.timer = setTimeout(() => this.look(number), HINT_AFTER_MS);
  }

  async look(number) {
    const { session, announcer } = this;
    const busy = () => session.filling || session.works.size > 0;
    if (!session.photo || busy() || !session.cells.any(HOLE)) return;
    const scale = Math.min(1, HINT_SIDE / Math.max(session.photo.width, session.photo.height));
    const width = Math.max(1, Math.round(session.photo.width * scale));
    const height = Math.max(1, Math.round(session.photo.height * scale));
    const seen = surface(width, height);
    seen.context.drawImage(session.picture.bitmaps.findLast((each) => each.width >= width) ?? session.picture.bitmaps[0], 0, 0, width, height);
    const marks = sampled(session.cells, width, height);
    const pixels = seen.context.getImageData(0, 0, width, height).data;
    const task = { pixels, marks, width, height, reach: Math.max(1, Math.round(session.growth * scale)) };
    const { left } = await aside("leftover", task, [pixels.buffer, marks.buffer]);
    if (left && number === this.hints && !busy()) {
      announcer.note(t("say.leftover"), { text: t("say.extend"), act: () => this.extend() });
    }
  }
}

function surface(width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return { canvas, context, width, height };
}

/** The red channel, a byte a pixel. */
function levels({ context, width, height }) {
  const { data } = context.getImageData(0, 0, width, height);
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = data[4 * i];
  return out;
}

/** Scribbles in the greys that the server reads; a first one that closes is drawn round the object. */
function draw({ context, width: across, height: down }, strokes, scale) {
  context.lineCap = context.lineJoin = "round";
  const closed = isClosed(strokes[0].points);
  context.fillStyle = grey(closed ? OTHER : 0); // on nothing, soft rims would have no level of their own
  context.fillRect(0, 0, across, down);
  if (closed) {
    const loop = strokes[0].points.map((point) => ({ x: point.x * scale, y: point.y * scale }));
    fillLoop(context, loop, 1, 0);
    fillLoop(context, loop, CORE, OBJECT);
    strokes = strokes.slice(1);
  }
  for (const { points, erase, width } of strokes) {
    context.strokeStyle = grey(erase ? OTHER : OBJECT);
    context.lineWidth = Math.max(2, width * scale);
    context.beginPath();
    points.forEach((point, index) => context[index ? "lineTo" : "moveTo"](point.x * scale, point.y * scale));
    const last = points[points.length - 1];
    context.lineTo(last.x * scale + 0.01, last.y * scale);
    context.stroke();
  }
}

function grey(level) {
  return `rgb(${level} ${level} ${level})`;
}

/** A stroke whose end comes back to its beginning. */
function isClosed(points) {
  const step = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  const length = points.slice(1).reduce((sum, point, index) => sum + step(points[index], point), 0);
  return points.length > 8 && step(points[0], points[points.length - 1]) < CLOSED * length;
}

/** The inside of a loop, scaled about its middle. */
function fillLoop(context, loop, size, level) {
  const middle = (name) => loop.reduce((sum, point) => sum + point[name], 0) / loop.length;
  const [x, y] = [middle("x"), middle("y")];
  context.fillStyle = grey(level);
  context.beginPath();
  loop.forEach((point, index) => {
    context[index ? "lineTo" : "moveTo"](x + (point.x - x) * size, y + (point.y - y) * size);
  });
  context.fill();
}

/** What is marked, in another size, 0 or 1 a pixel. */
function sampled(cells, width, height) {
  const marks = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * cells.height) / height) * cells.width;
    for (let x = 0; x < width; x++) {
      if (cells.data[row + Math.floor(((x + 0.5) * cells.width) / width)] & HOLE) marks[y * width + x] = 1;
    }
  }
  return marks;
}

function picture(cells, { width, height }) {
  return greys(sampled(cells, width, height).map((mark) => (mark ? OBJECT : 0)), width, height);
}

/** @param {Uint8Array} levels @returns {ImageData} */
function greys(levels, width, height) {
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < levels.length; i++) pixels[i] = 0xff000000 | (levels[i] * 0x010101);
  return image;
}

/** A grey PNG is what the server takes; strokes have soft rims, which say nothing. */
function encodeMarks(canvas) {
  const plain = (level) => (level > 250 ? OBJECT : level > 120 && level < 136 ? OTHER : 0);
  const marks = levels(canvas).map(plain);
  canvas.context.putImageData(greys(marks, canvas.width, canvas.height), 0, 0);
  return new Promise((resolve) => canvas.canvas.toBlob(resolve, "image/png"));
}

async function small(picture, width, height) {
  const canvas = surface(width, height);
  const bitmap = picture.bitmaps.findLast((each) => each.width >= width) ?? picture.bitmaps[0];
  canvas.context.imageSmoothingQuality = "high";
  canvas.context.drawImage(bitmap, 0, 0, width, height);
  return new Promise((resolve) => canvas.canvas.toBlob(resolve, "image/png"));
}
