"""What the tests in a browser share: devices, pictures, and the hands that paint."""

import io
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import expect
from scipy import ndimage

expect.set_options(timeout=30_000)

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "runs" / "e2e"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
TABLET = {"viewport": {"width": 820, "height": 1100}, "has_touch": True}
LANDSCAPE = {
    "viewport": {"width": 844, "height": 390},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


ACROSS = [(0.45, 0.5), (0.5, 0.52), (0.55, 0.5)]
"""Where a brush goes, in parts of the canvas."""

STROKE = Path(__file__).with_name("stroke.js").read_text()

SLOW_WORK = """() => {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (...given) { setTimeout(() => postMessage.apply(this, given), 700); };
  const { fetch } = window;
  window.fetch = async (...given) => {
    await new Promise((done) => setTimeout(done, 700));
    return fetch(...given);
  };
}"""
"""What is worked out beside the page takes as long as on a slow machine with a large photo."""

COUNT_FILLS = """
addEventListener("DOMContentLoaded", () => {
  const run = document.getElementById("run");
  window.fillsBegun = 0;
  const count = () => (window.fillsBegun += run.hidden ? 0 : 1);
  new MutationObserver(count).observe(run, { attributeFilter: ["hidden"] });
});
"""
"""Run in every page: whoever only looks now and then misses a fill of a tenth of a second."""


def shot(page: Any, name: str) -> None:
    """Keeps a screenshot to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def photo(width: int = 160, height: int = 120) -> np.ndarray:
    """Soft stripes and grain, (height, width, 3) uint8."""
    rows, columns = np.mgrid[0:height, 0:width]
    stripes = 90 + 50 * np.sin(columns / 5) + 40 * np.cos(rows / 9)
    grain = np.random.default_rng(3).normal(0, 6, (height, width))
    tint = np.array([1.0, 0.9, 0.75])
    return np.clip((stripes + grain)[..., None] * tint, 0, 255).astype(np.uint8)


def as_file(array: np.ndarray, name: str = "holiday.png", form: str = "PNG", **options: Any) -> dict[str, Any]:
    """What Playwright's file inputs take."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return {"name": name, "mimeType": f"image/{form.lower()}", "buffer": file.getvalue()}


def load(page: Any, *files: dict[str, Any]) -> None:
    """Opens one or several photos and waits until the first is shown; with all options in sight."""
    before = page.text_content("#file-info")
    page.set_input_files("#photo-file", list(files))
    page.wait_for_function("(old) => document.getElementById('file-info').textContent !== old", arg=before)
    page.eval_on_selector("#more", "(more) => (more.open = true)")


def click(page: Any, selector: str) -> None:
    """Presses a button wherever it is: on small screens many lie in a sheet."""
    page.eval_on_selector(selector, "(button) => button.click()")


def at(page: Any, x: float, y: float) -> tuple[float, float]:
    """The place on the screen of a point given as shares of the shown canvas."""
    box = page.locator("#canvas").bounding_box()
    return box["x"] + box["width"] * x, box["y"] + box["height"] * y


def drag(page: Any, points: list[tuple[float, float]]) -> None:
    """Draws with the mouse through points of the canvas."""
    page.mouse.move(*at(page, *points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*at(page, *point), steps=4)
    page.mouse.up()


def settled(page: Any) -> None:
    """Waits until all that was asked of the marks is done."""
    page.wait_for_selector("#canvas[aria-busy=false]")


def marked_is(page: Any, text: str) -> None:
    """What the page says of the marks begins so, once all that was asked of them is done."""
    settled(page)
    expect(page.locator("#marked")).to_have_text(re.compile("^" + re.escape(text)))


def still(page: Any) -> None:
    """Waits until what was asked of the page is drawn and nothing moves any more."""
    page.evaluate(
        """async () => {
          for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
          const moves = document.getAnimations().filter((each) => each instanceof CSSTransition);
          await Promise.allSettled(moves.map((each) => each.finished));
        }"""
    )


def marks(page: Any) -> np.ndarray:
    """The mask as it was painted, (H, W) bool."""
    with page.expect_download() as download:
        click(page, "#mask-save")
    with Image.open(download.value.path()) as image:
        return np.asarray(image.convert("L")) > 127


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """With all that lies within so many pixels."""
    return np.asarray(ndimage.distance_transform_edt(~mask) <= pixels)


def quick(page: Any) -> None:
    """Chooses the quickest fill, without a texture network, since the page is what is tested."""
    click(page, "input[name=preset][value=fast]")
    page.eval_on_selector("#setting-texture", "(field) => (field.value = 'none')")


def fill(page: Any, seconds: float = 150) -> None:
    """Presses the button and waits for the result."""
    quick(page)
    click(page, "#fill")
    finish(page, seconds)


def started(page: Any) -> None:
    """Presses the button and waits until the fill has begun."""
    page.click("#fill")
    page.wait_for_function(
        """() => {
          if (document.getElementById("hint-no").offsetParent) document.getElementById("hint-no").click();
          return !document.getElementById("run").hidden;
        }"""
    )


def finish(page: Any, seconds: float = 150) -> None:
    """Waits until a fill that was started, or will be soon, is over, however short it is. Where the page asks
    first whether something was left out, nothing was."""
    page.wait_for_function(
        """() => {
          if (document.getElementById("hint-no").offsetParent) document.getElementById("hint-no").click();
          const over = window.fillsBegun > (window.fillsFinished ?? 0) && document.getElementById("run").hidden;
          if (over) window.fillsFinished = window.fillsBegun;
          return over;
        }""",
        timeout=seconds * 1000,
    )


def result(page: Any) -> np.ndarray:
    """The pixels of the download."""
    with Image.open(io.BytesIO(downloaded(page)[1])) as image:
        return np.asarray(image)


def kept(page: Any) -> None:
    """Waits until what was done is kept in the browser."""
    page.wait_for_selector("body:not(.keeping)")


def reload(page: Any) -> None:
    kept(page)
    page.reload()
    page.wait_for_selector("body.open:not(.loading)")
    page.eval_on_selector("#more", "(more) => (more.open = true)")


def downloaded(page: Any) -> tuple[str, bytes]:
    with page.expect_download() as download:
        click(page, "#download")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
