"""Phones, tablets and narrow windows: fingers, one bar at the bottom edge, nothing out of reach."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browser_page import (
    CHROMIUM,
    LANDSCAPE,
    PHONE,
    QUIET,
    TABLET,
    as_file,
    at,
    downloaded,
    drag,
    finish,
    load,
    marked_is,
    marks,
    photo,
    quick,
    settled,
    shot,
    started,
    still,
)
from PIL import Image
from playwright.sync_api import expect

Open = Callable[..., Any]
DEVICES = {"phone": PHONE, "landscape": LANDSCAPE, "tablet": TABLET}


def inside(page: Any, selector: str) -> bool:
    """Whether all of an element is in the window."""
    seen: bool = page.eval_on_selector(
        selector,
        """(element) => { const { left, top, right, bottom, width } = element.getBoundingClientRect();
        return width > 0 && left >= 0 && top >= 0 && right < innerWidth + 1 && bottom < innerHeight + 1; }""",
    )
    return seen


@pytest.mark.parametrize("name", DEVICES)
def test_what_comes_next_is_always_in_reach(open_page: Open, name: str) -> None:
    page = open_page(DEVICES[name])
    load(page, as_file(photo(400, 300)))
    drag(page, [(0.45, 0.5), (0.5, 0.5), (0.55, 0.5)])
    for needed in ("#fill", "#undo", "#toolbar", "#options"):
        assert inside(page, needed), needed
    assert page.locator("#canvas").bounding_box()["height"] > 0.45 * page.viewport_size["height"]
    page.click("#options")
    still(page)
    assert inside(page, "#presets")
    shot(page, f"{name}-sheet")
    page.keyboard.press("Escape")
    still(page)
    expect(page.locator("#presets")).to_be_hidden()
    quick(page)
    started(page)
    assert inside(page, "#cancel")
    finish(page)
    for needed in ("#download", "#again-tile", "#compare"):
        assert inside(page, needed), needed
    shot(page, f"{name}-result")
    page.click("#compare")
    assert inside(page, "#comparison")


def colours_at(page: Any, x: int, y: int) -> set[int]:
    """The red levels in twenty pixels about a place of the stage, which has nothing of the photo there."""
    found: list[int] = page.evaluate(
        """([x, y]) => { const canvas = document.getElementById("canvas");
        const by = canvas.width / canvas.clientWidth;
        const { data } = canvas.getContext("2d").getImageData((x - 10) * by, (y - 10) * by, 20 * by, 20 * by);
        return [...data.filter((_, i) => i % 4 === 0)]; }""",
        [x, y],
    )
    return set(found)


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
    marked_is(page, "Nothing is marked yet.")  # a pinch leaves no stroke
    still(page)
    assert page.evaluate(scale) != before, "but it zooms"
    page.tap("#zoom-fit")
    fingers.send("touchStart", (0.45, 0.5))
    for step in range(1, 6):
        fingers.send("touchMove", (0.45 + step * 0.02, 0.5))
    still(page)
    shot(page, "phone-magnifier")
    assert len(colours_at(page, 72, 72)) > 3, "what is under the finger shows in the corner"
    fingers.send("touchEnd")
    still(page)
    assert len(colours_at(page, 72, 72)) == 1, "and goes with the finger"
    marked_is(page, "1 area")
    shot(page, "phone-marked")
    quick(page)
    page.tap("#fill")
    finish(page)
    page.tap("#compare")
    shot(page, "phone-compare")
    name, data = downloaded(page)
    assert name == "IMG_1-edited.jpg"
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (400, 300))


def test_fingers_take_away_from_an_object(open_page: Open) -> None:
    """Two discs of one colour that touch: a scribble on one marks both, another one takes the other away."""
    page = open_page(PHONE)
    y, x = np.mgrid[0:300, 0:400]
    left, right = ((np.hypot(y - 150, x - middle) < 55) for middle in (140, 255))
    grain = np.random.default_rng(0).normal(0, 4, (300, 400, 3))
    picture = np.where((left | right | (np.hypot(y - 150, x - 198) < 20))[..., None], (200, 50, 40), (70, 130, 60))
    load(page, as_file(np.clip(picture + grain, 0, 255).astype(np.uint8)))
    fingers = Fingers(page)
    box = page.locator("#canvas").bounding_box()
    scale = box["width"] * 0.94 / 400

    def scribble(*points: tuple[float, float]) -> None:
        places = [
            (0.5 + (across - 200) * scale / box["width"], 0.5 + (down - 150) * scale / box["height"])
            for across, down in points
        ]
        fingers.send("touchStart", places[0])
        for place in places[1:]:
            fingers.send("touchMove", place)
        fingers.send("touchEnd")

    page.tap("[data-tool=select]")
    scribble((110, 150), (140, 150), (170, 160))
    settled(page)
    both = marks(page)
    assert both[left].mean() > 0.9 and both[right].mean() > 0.9
    page.tap("#take-away")
    shot(page, "phone-take-away")
    scribble((230, 120), (255, 150), (230, 180), (280, 170), (280, 130))
    settled(page)
    shot(page, "phone-taken-away")
    one = marks(page)
    assert one[left].mean() > 0.9 and one[right].mean() < 0.1
    page.tap("[data-tool=brush]")
    page.tap("[data-tool=select]")
    expect(page.locator("#take-away"), "another object begins by adding").not_to_be_checked()


@pytest.mark.parametrize("text", [100, 200], ids=["normal text", "text twice as large"])
def test_nothing_sticks_out_of_a_narrow_window(browser: Any, address: str, text: int) -> None:
    options = [*QUIET, f"--blink-settings=defaultFontSize={16 * text // 100}"]
    other = browser.browser_type.launch(executable_path=CHROMIUM, args=options)
    page = other.new_page()
    page.goto(address)
    page.wait_for_selector("body:not(.loading)")
    load(page, as_file(photo()))
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for width in (320, 390, 768, 1024):
        page.set_viewport_size({"width": width, "height": 700})
        still(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert page.evaluate("document.documentElement.scrollHeight") <= 700, "the panel scrolls, not the page"
        assert page.locator("#canvas").bounding_box()["height"] >= (200 if text == 100 else 120)
        shot(page, f"narrow-{width}-{text}")
    other.close()


def test_the_photo_stays_where_it_is_and_tools_stay_in_reach(open_page: Open) -> None:
    page = open_page(PHONE)
    load(page, as_file(photo(400, 300)))
    place = page.locator("#canvas").bounding_box()
    drag(page, [(0.4, 0.5), (0.5, 0.5)])
    assert page.locator("#canvas").bounding_box() == place
    quick(page)
    page.tap("#fill")
    finish(page)
    place = page.locator("#canvas").bounding_box()
    for tool in ("#size", "#fix"):
        assert inside(page, tool), tool
    drag(page, [(0.4, 0.55), (0.5, 0.55)])
    assert page.locator("#canvas").bounding_box() == place
    for tool in ("#size", "#fill"):
        assert inside(page, tool), tool


def test_the_brush_is_as_large_on_the_screen_however_near_the_photo_is(open_page: Open) -> None:
    page = open_page(PHONE)
    load(page, as_file(photo(400, 300)))
    drag(page, [(0.5, 0.5), (0.5, 0.5)])
    far = marks(page).sum()
    page.click("#undo")
    for _ in range(6):
        page.keyboard.press("+")
    drag(page, [(0.5, 0.5), (0.5, 0.5)])
    near = marks(page).sum()
    assert near < far / 8, f"{far} and {near} pixels"


def test_help_tells_gestures_where_there_are_no_keys(open_page: Open) -> None:
    page = open_page(PHONE)
    page.tap("#help-open")
    expect(page.locator(".gestures")).to_be_visible()
    expect(page.locator(".by-keys")).to_be_hidden()
    shot(page, "phone-help")
