"""The page in a real browser, as people use it: mouse, fingers, keys."""

import io
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
from browser_page import (
    CHROMIUM,
    DESKTOP,
    PHONE,
    QUIET,
    as_file,
    at,
    downloaded,
    drag,
    fill,
    load,
    marks,
    photo,
    shot,
)
from PIL import Image

Open = Callable[..., Any]
ACROSS = [(0.45, 0.5), (0.5, 0.52), (0.55, 0.5)]


def marked(page: Any) -> str:
    text: str = page.text_content("#marked")
    return text


def test_from_a_photo_to_a_download_of_the_same_kind(open_page: Open) -> None:
    page = open_page()
    shot(page, "desktop-empty")
    before = photo()
    load(page, as_file(before))
    assert "160 × 120" in page.text_content("#file-info")
    assert page.is_disabled("#fill")
    drag(page, ACROSS)
    assert marked(page).startswith("1 area marked")
    shot(page, "desktop-marked")
    hole = marks(page)
    assert hole.shape == (120, 160) and 0.001 < hole.mean() < 0.1
    page.evaluate(
        """() => { window.seen = []; new MutationObserver(() => seen.push(document.getElementById("progress-text")
        .textContent)).observe(document.getElementById("progress-text"), {childList: true}); }"""
    )
    fill(page)
    assert any(re.search(r"Level \d of \d", text) for text in page.evaluate("seen"))
    name, data = downloaded(page)
    assert name == "holiday.filled.png"
    with Image.open(io.BytesIO(data)) as image:
        after = np.asarray(image)
    assert after.shape == before.shape
    assert (after[~hole] == before[~hole]).all()
    assert (after[hole] != before[hole]).any()

    page.click("#compare")
    shot(page, "desktop-compare")
    page.fill("#divider", "20")
    page.click("#compare")
    page.click("#undo")
    assert marked(page).startswith("1 area") and page.is_disabled("#download")
    page.click("#redo")
    assert downloaded(page)[1] == data
    first = downloaded(page)[1]
    page.click("#again")
    page.wait_for_selector("#run", state="visible")
    page.wait_for_selector("#run", state="hidden")
    assert page.input_value("#setting-seed") == "1"
    assert downloaded(page)[1] != first


def test_holding_c_shows_the_photo_as_it_was(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, ACROSS)
    fill(page)
    page.focus("#canvas")
    look = "() => document.getElementById('canvas').toDataURL()"
    settle = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    page.evaluate(settle)
    after = page.evaluate(look)
    page.keyboard.down("c")
    page.evaluate(settle)
    before = page.evaluate(look)
    page.keyboard.up("c")
    page.evaluate(settle)
    assert before != after
    assert page.evaluate(look) == after


def test_painting_again_fills_the_union_from_the_photo(open_page: Open) -> None:
    page = open_page()
    before = photo()
    load(page, as_file(before))
    drag(page, [(0.35, 0.4), (0.4, 0.4)])
    first = marks(page)
    fill(page)
    drag(page, [(0.6, 0.6), (0.65, 0.6)])
    both = marks(page)
    assert (both & first).sum() == first.sum() < both.sum()
    page.click("#fill")
    page.wait_for_selector("#run", state="visible")
    page.wait_for_selector("#run", state="hidden")
    with Image.open(io.BytesIO(downloaded(page)[1])) as image:
        after = np.asarray(image)
    assert (after[~both] == before[~both]).all()
    assert (after[first] != before[first]).any() and (after[both & ~first] != before[both & ~first]).any()


def test_cancel_answers_at_once_and_keeps_the_marks(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(700, 500)))
    drag(page, [(0.3, 0.3), (0.7, 0.6), (0.4, 0.7)])
    page.check("input[name=preset][value=best]")
    page.click("#fill")
    page.wait_for_function("() => document.getElementById('progress').value > 0")
    drag(page, [(0.1, 0.1), (0.2, 0.2)])  # moves the photo: what is being filled stays as it was sent
    began = time.monotonic()
    page.click("#cancel")
    page.wait_for_selector("#run", state="hidden")
    assert time.monotonic() - began < 2.5
    assert marked(page).startswith("1 area")
    assert "Stopped" in page.text_content("#status")
    assert page.is_enabled("#fill")


def test_tools_draw_what_they_promise(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    page.click("[data-tool=rectangle]")
    drag(page, [(0.3, 0.3), (0.6, 0.6)])
    box = marks(page)
    rows, columns = np.flatnonzero(box.any(1)), np.flatnonzero(box.any(0))
    assert box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all(), "a box is full"
    page.click("[data-tool=eraser]")
    drag(page, [(0.2, 0.45), (0.7, 0.45)])
    assert marks(page).sum() < box.sum()
    assert marked(page).startswith("2 areas")
    page.keyboard.press("Control+z")
    assert (marks(page) == box).all()
    page.keyboard.press("Control+Shift+z")
    assert marked(page).startswith("2 areas")
    page.click("#undo")
    page.click("#invert")
    assert (marks(page) == ~box).all()
    page.click("#undo")
    page.click("#grow")
    grown = marks(page)
    assert (grown & box).sum() == box.sum() < grown.sum()
    page.click("#shrink")
    assert (marks(page) & ~grown).sum() == 0
    page.click("#clear")
    assert marked(page) == "Nothing is marked yet."
    page.click("[data-tool=lasso]")
    drag(page, [(0.4, 0.3), (0.6, 0.3), (0.5, 0.6)])
    assert 0 < marks(page).mean() < 0.2
    page.click("#clear")
    page.set_input_files("#mask-file", as_file((box * 255).astype(np.uint8), "mask.png"))
    page.wait_for_function("() => document.getElementById('marked').textContent.startsWith('1 area')")
    assert (marks(page) == box).all(), "a mask that was saved comes back as it was"
    for name, value in {"x": 10, "y": 20, "width": 30, "height": 5}.items():
        page.fill(f"#box-{name}", str(value))
    page.click("#clear")
    page.click("#mark-box")
    expected = np.zeros_like(box)
    expected[20:25, 10:40] = True
    assert (marks(page) == expected).all()


def test_shapes_agree_with_their_definitions(open_page: Open) -> None:
    page = open_page()
    drawn = page.evaluate(
        """async () => {
          const { Cells, HOLE } = await import("./static/js/cells.js");
          const { capsule, polygon, grow } = await import("./static/js/shapes.js");
          const ink = { set: HOLE, clear: 0 };
          const all = {};
          for (const [name, draw] of Object.entries({
            capsule: (c) => capsule(c, { x: 12.3, y: 20.8 }, { x: 50.1, y: 41.4 }, 7.3, ink),
            dot: (c) => capsule(c, { x: 0.5, y: 63.5 }, { x: 0.5, y: 63.5 }, 9, ink),
            polygon: (c) => polygon(c, [{ x: 5.2, y: 5.1 }, { x: 60.4, y: 20.7 }, { x: 20.9, y: 58.3 }], ink),
            grown: (c) => { c.span(30, 20, 23, HOLE, 0); c.span(40, 40, 41, HOLE, 0); c.refresh(c.clip({ left: 0,
              top: 0, right: 64, bottom: 64 })); grow(c, HOLE, 5); },
          })) {
            const cells = new Cells(64, 64);
            cells.begin();
            draw(cells);
            const change = cells.end();
            all[name] = [...cells.data];
            if (name !== "grown") { cells.swap(change); if (cells.count(HOLE)) throw new Error("undo"); }
          }
          return all;
        }"""
    )
    shapes = {name: np.reshape(cells, (64, 64)) > 0 for name, cells in drawn.items()}
    y, x = np.mgrid[0:64, 0:64] + 0.5
    a, b = np.array([12.3, 20.8]), np.array([50.1, 41.4])
    along = np.clip(((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / ((b - a) ** 2).sum(), 0, 1)
    distance = np.hypot(x - a[0] - along * (b - a)[0], y - a[1] - along * (b - a)[1])
    assert (shapes["capsule"] == (distance <= 7.3)).all()
    assert (shapes["dot"] == (np.hypot(x - 0.5, y - 63.5) <= 9)).all()
    corners = np.array([[5.2, 5.1], [60.4, 20.7], [20.9, 58.3]])
    sides = [
        (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0])
        for p, q in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    assert (shapes["polygon"] == np.all([side > 0 for side in sides], axis=0)).all()
    seeds = np.zeros((64, 64), bool)
    seeds[30, 20:23] = seeds[40, 40] = True
    near = np.min([np.hypot(x - 0.5 - c, y - 0.5 - r) for r, c in zip(*np.nonzero(seeds), strict=True)], axis=0)
    assert (shapes["grown"] == (near <= 5)).all()


def test_source_areas_are_sent(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, ACROSS)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    page.check("input[name=layer][value=avoid]")
    drag(page, [(0.2, 0.2), (0.3, 0.8)])
    page.check("input[name=layer][value=take]")
    drag(page, [(0.5, 0.7), (0.8, 0.75)])
    assert page.is_visible("#source-note")
    assert marked(page).startswith("1 area")
    shot(page, "desktop-source")
    page.evaluate(
        """() => { const send = window.fetch; window.parts = []; window.fetch = (path, options) => {
          if (options?.body) parts.push(...options.body.keys()); return send(path, options); }; }"""
    )
    fill(page)
    sent = ["settings", "mask_mode", "first_frame", "allow_cmyk", "image", "mask", "source"]
    assert page.evaluate("parts") == sent


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_photos_are_dropped_and_pasted(open_page: Open, way: str) -> None:
    page = open_page()
    page.evaluate(
        """([way, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "x.png", { type: "image/png" }));
          window.dispatchEvent(way === "drop"
            ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: transfer }));
        }""",
        [way, list(as_file(photo(40, 30))["buffer"])],
    )
    page.wait_for_selector("body.open")
    assert "40 × 30" in page.text_content("#file-info")


def test_a_16_bit_tiff_is_shown_and_comes_back_as_one(open_page: Open) -> None:
    page = open_page()
    before = photo(96, 80).astype(np.uint16) * 257 + 3
    file = io.BytesIO()
    tifffile.imwrite(file, before, photometric="rgb")
    load(page, {"name": "scan.tif", "mimeType": "image/tiff", "buffer": file.getvalue()})
    assert "96 × 80" in page.text_content("#file-info")
    drag(page, ACROSS)
    hole = marks(page)
    fill(page)
    name, data = downloaded(page)
    after = tifffile.imread(io.BytesIO(data))
    assert name == "scan.filled.tif"
    assert after.dtype == np.uint16
    assert (after[~hole] == before[~hole]).all() and (after[hole] != before[hole]).any()


def test_work_survives_a_reload(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, ACROSS)
    hole = marks(page)
    fill(page)
    page.wait_for_timeout(1200)
    page.reload()
    page.wait_for_selector("body.open")
    page.wait_for_function("() => !document.getElementById('download').disabled")
    assert (marks(page) == hole).all()


def test_a_running_fill_is_taken_up_after_a_reload(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(500, 400)))
    drag(page, [(0.3, 0.3), (0.7, 0.6)])
    page.check("input[name=preset][value=best]")
    page.click("#fill")
    page.wait_for_function("() => document.getElementById('progress').value > 0")
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_selector("#run", state="visible")
    page.click("#cancel")
    page.wait_for_selector("#run", state="hidden")


def test_errors_take_the_focus_and_say_what_to_do(open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        """() => (window.fetch = async () => new Response(JSON.stringify({ title: "Too many jobs are waiting.",
          detail: "Try again in a moment." }), { status: 429 }))"""
    )
    load(page, as_file(photo()))
    drag(page, ACROSS)
    page.click("#fill")
    page.wait_for_selector("#alert", state="visible")
    assert page.evaluate("document.activeElement.id") == "alert"
    assert "Try again" in page.text_content("#alert")
    assert marked(page).startswith("1 area")


def test_without_a_mouse(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    page.focus("body")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "canvas":
            break
    assert page.evaluate("document.activeElement.id") == "canvas"
    page.keyboard.press("ArrowLeft")  # shows the cursor in the middle
    page.keyboard.press("r")
    for key in ["Shift+ArrowRight", "Shift+ArrowDown"]:
        page.keyboard.press(key)
    page.keyboard.press("r")
    assert marked(page).startswith("1 area")
    label = page.get_attribute("#canvas", "aria-label")
    assert re.fullmatch(r"Photo 160 by 120, 1 hole, \d+\.\d percent marked", label)
    page.keyboard.down(" ")
    for _ in range(6):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.up(" ")
    before = marks(page).sum()
    page.focus("#canvas")
    page.keyboard.press("e")
    assert page.get_attribute("[data-tool=eraser]", "aria-pressed") == "true"
    page.keyboard.down(" ")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.up(" ")
    assert marks(page).sum() < before
    page.focus("input[name=preset]:checked")
    page.keyboard.press("ArrowUp")
    assert page.is_checked("input[value=fast]")
    page.focus("#canvas")
    page.keyboard.press("Enter")
    page.wait_for_selector("#after-fill:not([hidden])")
    page.focus("#download")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "holiday.filled.png"
    page.focus("#canvas")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") != "canvas", "no trap"


class Fingers:
    """Raw touches, as the phone sends them."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.session = page.context.new_cdp_session(page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        places = [at(self.page, *point) for point in points]
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_on_a_phone(open_page: Open) -> None:
    page = open_page(PHONE)
    shot(page, "phone-empty")
    load(page, as_file(photo(400, 300), "IMG_1.jpg", "JPEG", quality=95))
    fingers = Fingers(page)
    scale = "async () => document.getElementById('canvas').toDataURL().length"
    before = page.evaluate(scale)
    fingers.send("touchStart", (0.4, 0.5))
    fingers.send("touchStart", (0.4, 0.5), (0.6, 0.5))
    for step in range(1, 8):
        fingers.send("touchMove", (0.4 - step * 0.03, 0.5), (0.6 + step * 0.03, 0.5))
    fingers.send("touchEnd")
    assert marked(page) == "Nothing is marked yet.", "a pinch leaves no stroke"
    page.wait_for_timeout(100)
    assert page.evaluate(scale) != before, "but it zooms"
    page.tap("#zoom-fit")
    fingers.send("touchStart", (0.45, 0.5))
    for step in range(1, 6):
        fingers.send("touchMove", (0.45 + step * 0.02, 0.5))
    fingers.send("touchEnd")
    assert marked(page).startswith("1 area")
    shot(page, "phone-marked")
    page.tap("input[value=fast]")
    page.tap("#fill")
    page.wait_for_selector("#after-fill:not([hidden])", timeout=40_000)
    page.tap("#compare")
    shot(page, "phone-compare")
    name, data = downloaded(page)
    assert name == "IMG_1.filled.jpg"
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (400, 300))


PAINT = """async () => {
  const canvas = document.getElementById("canvas");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (kind, x, y) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 1, buttons: 1,
    pointerType: "mouse", bubbles: true, clientX: left + width * x, clientY: top + height * y }));
  const times = [];
  send("pointerdown", 0.4, 0.45);
  for (let step = 0; step < 24; step++) {
    const began = performance.now();
    send("pointermove", 0.4 + step * 0.008, 0.45 + step * 0.004);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - began);
  }
  send("pointerup", 0.6, 0.55);
  return times.sort((a, b) => a - b)[12];
}"""


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_24_megapixels_paint_as_quickly_as_small_photos(open_page: Open, device: dict[str, Any]) -> None:
    page = open_page(device)
    load(page, as_file(photo(600, 400)))
    small = page.evaluate(PAINT)
    load(page, as_file(np.kron(photo(60, 40), np.ones((100, 100, 1), np.uint8)), "big.jpg", "JPEG", quality=80))
    assert page.get_attribute("#canvas", "aria-label").startswith("Photo 6000 by 4000")
    page.wait_for_timeout(300)
    large = page.evaluate(PAINT)
    assert marked(page).startswith("1 area")
    assert large < 3 * small + 30, f"a frame takes {large:.0f} ms, on a small photo {small:.0f} ms"


def test_masks_are_written_without_a_compressor_too(open_page: Open) -> None:
    page = open_page()
    files = page.evaluate(
        """async () => {
          const { encodeMask } = await import("./static/js/png.js");
          const cells = Uint8Array.from({ length: 301 * 250 }, (_, i) => (i * 7919) % 13 < 4 ? 1 : 0);
          const read = async (blob) => [...new Uint8Array(await blob.arrayBuffer())];
          const packed = await read(await encodeMask(cells, 301, 250, (value) => value === 1));
          delete window.CompressionStream;
          return [packed, await read(await encodeMask(cells, 301, 250, (value) => value === 1))];
        }"""
    )
    expected = ((np.arange(301 * 250, dtype=np.int64) * 7919) % 13 < 4).reshape(250, 301)
    for data in files:
        with Image.open(io.BytesIO(bytes(data))) as image:
            assert image.mode == "1"
            assert (np.asarray(image) == expected).all()


@pytest.mark.parametrize("text", [100, 200], ids=["normal text", "text twice as large"])
def test_nothing_sticks_out_of_a_narrow_window(browser: Any, address: str, text: int) -> None:
    options = [*QUIET, f"--blink-settings=defaultFontSize={16 * text // 100}"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=options)
    page = other.new_page()
    page.goto(address)
    load(page, as_file(photo()))
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for width in (320, 390, 768, 1024):
        page.set_viewport_size({"width": width, "height": 700})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert page.locator("#canvas").bounding_box()["height"] >= 200
        shot(page, f"narrow-{width}-{text}")
    other.close()
