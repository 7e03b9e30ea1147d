/** Photos come in by picking, dropping or pasting; several at once wait in a queue. */

import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

/**
 * @param {{open: (files: File[]) => void, address: (text: string) => void}} actions
 * @param {HTMLElement} target what shows that a file may be dropped
 */
export function listenToFiles({ open, address }, target) {
  const picker = $("photo-file");
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => picker.click());
  }
  picker.addEventListener("change", () => {
    if (picker.files.length) open([...picker.files]);
    picker.value = "";
  });

  let depth = 0;
  const over = (step) => {
    depth = Math.max(0, depth + step);
    target.classList.toggle("dropping", depth > 0);
  };
  window.addEventListener("dragenter", () => over(1));
  window.addEventListener("dragleave", () => over(-1));
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(0);
    if (event.dataTransfer.files.length) open([...event.dataTransfer.files]);
  });
  window.addEventListener("paste", (event) => {
    const data = event.clipboardData;
    const files = [...(data?.files ?? [])].filter((each) => each.type.startsWith("image/"));
    const text = data?.getData("text/plain").trim() ?? "";
    if (files.length) open(files);
    else if (/^https?:\/\/\S+$/.test(text)) address(text);
  });
}

/** Photos that were opened together, one after the other. */
export class Queue {
  /** @param {(file: File, id: string) => Promise<string>} open opens the work that a file became, or the file; gives its id */
  constructor(open) {
    this.open = open;
    /** @type {{file: File, id: string}[]} */
    this.photos = [];
    this.at = 0;
    this.arrived = Promise.resolve();
  }

  /** @param {File[]} files */
  async start(files) {
    const photos = files.map((file) => ({ file, id: "" }));
    const [first] = photos;
    first.id = await this.open(first.file, "");
    this.photos = photos;
    this.at = 0;
    this.show();
  }

  /** The works of the photos in the row, as far as they were opened. @returns {string[]} */
  get works() {
    return this.photos.map((photo) => photo.id).filter(Boolean);
  }

  /** A file of the row has become a work. */
  became(file, id) {
    for (const photo of this.photos) if (photo.file === file) photo.id = id;
  }

  /** The photo before or the next one, from where the steps that are still under way end. */
  go(step) {
    const going = this.arrived.then(() => this.move(step));
    this.arrived = going.catch(() => {});
    return going;
  }

  async move(step) {
    const to = this.at + step;
    const photo = this.photos[to];
    if (!photo) return;
    photo.id = await this.open(photo.file, photo.id);
    this.at = to;
    this.show();
  }

  show() {
    const { at, photos } = this;
    $("queue").hidden = photos.length < 2;
    $("queue-place").textContent = t("queue.place", { n: at + 1, all: photos.length });
    $("queue-before").disabled = at === 0;
    $("queue-next").disabled = at === photos.length - 1;
  }
}
