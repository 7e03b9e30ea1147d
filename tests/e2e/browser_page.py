"""What the tests in a browser share: devices, pictures, and the hands that paint."""

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


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


def load(page: Any, file: dict[str, Any]) -> None:
    """Opens a photo and waits until it is shown."""
    page.set_input_files("#photo-file", file)
    page.wait_for_selector("body.open")
    page.wait_for_function("() => document.getElementById('status').textContent.startsWith('Paint')")


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


def marks(page: Any) -> np.ndarray:
    """The mask the page would send, (H, W) bool."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    with page.expect_download() as download:
        page.click("#mask-save")
    with Image.open(download.value.path()) as image:
        return np.asarray(image.convert("L")) > 127


def fill(page: Any, preset: str = "fast", seconds: float = 60) -> None:
    """Presses Fill and waits for the result. Without a texture network, since the page is what is tested."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.check(f"input[name=preset][value={preset}]")
    page.fill("#setting-texture", "none")
    page.click("#fill")
    page.wait_for_selector("#after-fill:not([hidden])", timeout=seconds * 1000)


def downloaded(page: Any) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.click("#download")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
