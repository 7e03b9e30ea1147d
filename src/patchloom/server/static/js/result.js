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

/**
 * @param {import("./session.js").Session} session @param {Record<string, string>} endings of names, by
 * media type @param {string} type of the file; as the result is, if empty */
export async function resultFile(session, endings, type = "") {
  const { picture } = session;
  const blob = type && type !== picture.blob.type ? await converted(picture, type) : picture.blob;
  return new File([blob], `${stem(session)}.filled${endings[blob.type] ?? ".png"}`, { type: blob.type });
}

/** As the browser can write it: eight bits, without the photo's own metadata. */
async function converted(picture, type) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.bitmaps[0].width, picture.bitmaps[0].height];
  const context = canvas.getContext("2d");
  if (type === "image/jpeg") {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  context.drawImage(picture.bitmaps[0], 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY));
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
