"""How quickly the page answers on a photo of 24 megapixels, in the system's Chromium.

    python benchmarks/page.py [--megapixels 24]

Prints milliseconds: the median and the longest frame while brushes of three sizes paint, what a stroke's end
costs, for how long a button's work holds the page up, and the same for a scribble on an object with the time
until its outline shows. Needs the development packages.
"""

import argparse
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

STROKE = (Path(__file__).parents[1] / "tests/e2e/stroke.js").read_text()
WORK = """async ({ act, watched }) => {
  let longest = 0;
  let last = performance.now();
  let running = true;
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (running) channel.port2.postMessage(0);
  };
  if (watched) channel.port2.postMessage(0); // which keeps the page from being idle, and so from writing files
  const began = performance.now();
  let settled = 0;
  new MutationObserver(() => (settled = performance.now() - began))
    .observe(document.getElementById("canvas"), { attributeFilter: ["aria-busy"] });
  if (act.startsWith("#")) document.querySelector(act).click();
  else scribble();
  await new Promise((done) => setTimeout(done, 2500));
  running = false;
  return { longest, settled };

  function scribble() {
    document.querySelector(`[data-tool=${act}]`).click();
    const canvas = document.getElementById("canvas");
    const { left, top, width, height } = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => {};
    for (const [kind, x] of [["down", 0.45], ["move", 0.5], ["move", 0.55], ["up", 0.55]]) {
      canvas.dispatchEvent(new PointerEvent(`pointer${kind}`, { pointerId: 1, buttons: 1, pointerType: "mouse",
        bubbles: true, clientX: left + width * x, clientY: top + height * 0.5 }));
    }
  }
}"""


def photograph(megapixels: float) -> bytes:
    """A JPEG of soft noise, three to two."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    small = np.random.default_rng(0).integers(0, 255, (height // 100, height * 3 // 200, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((height * 3 // 2, height)).save(file, "JPEG", quality=85)
    return file.getvalue()


def measure(page: Page, address: str, megapixels: float) -> None:
    page.goto(address)
    page.wait_for_selector("body:not(.loading)")
    page.set_input_files(
        "#photo-file", {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": photograph(megapixels)}
    )
    page.wait_for_selector("body.open")
    page.wait_for_timeout(2000)
    for size in (40, 70, 100):
        times = page.evaluate(STROKE, size)
        pixels = page.text_content("#size-value")
        print(f"brush of {pixels:>5} px: frame {times['median']:.0f}, longest {times['longest']:.0f}", end="")
        print(f", at the stroke's end {times['lifted']:.0f}")
        page.wait_for_timeout(1500)
    for act in ("#grow", "#invert", "#undo", "#invert", "#clear", "select"):
        longest = page.evaluate(WORK, {"act": act, "watched": True})["longest"]
        print(f"{act:8} holds the page up for {longest:.0f}")
    settled = page.evaluate(WORK, {"act": "select", "watched": False})["settled"]
    print(f"select   has its outline after {settled:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=24)
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = re.findall(r"http://\S+", next(line for line in server.stderr if "http://" in line))[0]
        with sync_playwright() as runner:
            browser = runner.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            measure(browser.new_page(viewport={"width": 1280, "height": 800}), address, chosen.megapixels)
            browser.close()
    finally:
        server.terminate()
        server.communicate(timeout=20)


if __name__ == "__main__":
    main()
