/** What becomes of a result: a download in its own or another format, the clipboard, another program. */

import { t } from "./texts.js";

const JPEG_QUALITY = 0.95;

/** Hands a file to the person: a normal download. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {import("./session.js").Session} session @returns {string} the photo's name without its ending */
export function stem(session) {
  return session.name.replace(/\.[^.]*$/, "") || "photo";
}

/** @param {string} name of the photo @returns {string} of its result */
export function named(name, blob, endings) {
  return `${name.replace(/\.[^.]*$/, "") || "photo"}-edited${endings[blob.type] ?? ".png"}`;
}

/**
 * @param {import("./session.js").Session} session @param {Record<string, string>} endings of names, by
 * media type @param {{type?: string, side?: number, quality?: number, anew?: boolean}} how as the result is, but for what
 * is told; anew: also where that would change nothing */
export async function resultFile(session, endings, { type = "", side, quality, anew = false } = {}) {
  const { picture, name } = session;
  const other = anew || (type && type !== picture.blob.type);
  const blob = other ? await converted(picture, type, { side, quality }) : picture.blob;
  return new File([blob], named(name, blob, endings), { type: blob.type });
}

/** As the browser can write it: eight bits, without the photo's own metadata. */
async function converted(picture, type, { side = Infinity, quality = JPEG_QUALITY } = {}) {
  const whole = picture.bitmaps[0];
  const scale = Math.min(1, side / Math.max(whole.width, whole.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [whole.width, whole.height].map((each) => Math.max(1, Math.round(each * scale)));
  const context = canvas.getContext("2d");
  if (type === "image/jpeg") {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  const source = picture.bitmaps.findLast((each) => each.width >= canvas.width) ?? whole;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

/** Puts the result on the clipboard. Throws where the browser does not let pages do that. */
export async function copy(session) {
  try {
    const file = converted(session.picture, "image/png");
    await navigator.clipboard.write([new ClipboardItem({ "image/png": file })]);
  } catch {
    throw Object.assign(new Error(t("error.copy")), { hint: t("error.copy.hint") });
  }
}

/** Whether the browser lets this page put pictures on the clipboard: not on plain HTTP from another machine. */
export function canCopy() {
  return Boolean(navigator.clipboard?.write) && typeof ClipboardItem !== "undefined";
}

/** Whether the system has something to share pictures with. */
export function canShare() {
  return Boolean(navigator.canShare?.({ files: [new File([], "photo.png", { type: "image/png" })] }));
}

/** A button that opens a menu. @param {HTMLElement} button @param {HTMLElement} menu */
export function listenToMenu(button, menu) {
  const show = (shown) => {
    menu.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (shown) menu.querySelector("button:not([hidden])").focus();
  };
  button.addEventListener("click", () => show(menu.hidden));
  menu.addEventListener("click", () => show(false));
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !menu.contains(event.target) && !button.contains(event.target)) show(false);
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.querySelectorAll("button:not([hidden])")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
    else if (event.key === "Escape") {
      show(false);
      button.focus();
    } else if (event.key === "Tab") show(false);
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  });
}
