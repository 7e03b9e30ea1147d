/** Photos come in by picking, dropping or pasting; several at once wait in a queue. */

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
  /** @param {(file: File, id: string) => Promise<string>} open opens a file, or the work it became; gives the work's id
   * @param {(place: number, all: number) => void} show */
  constructor(open, show) {
    this.open = open;
    this.show = show;
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
    this.show(0, photos.length);
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
    this.show(to, this.photos.length);
  }
}
