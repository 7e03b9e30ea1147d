/** Photos come in by picking, dropping or pasting a file. */

/** @param {(file: File) => void} open @param {HTMLElement} target what shows that a file may be dropped */
export function listenToFiles(open, target) {
  const picker = document.getElementById("photo-file");
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => picker.click());
  }
  picker.addEventListener("change", () => {
    if (picker.files.length) open(picker.files[0]);
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
    if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  });
  window.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
    if (file) open(file);
  });
}
