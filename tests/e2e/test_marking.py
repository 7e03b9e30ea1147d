"""Marking as people do it: whole objects, a rim that is not forgotten, wheels, trackpads and brushes that show."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browser_page import (
    SLOW_WORK,
    as_file,
    at,
    click,
    drag,
    finish,
    grown,
    load,
    marked_is,
    marks,
    photo,
    quick,
    result,
    settled,
    shot,
    still,
)
from playwright.sync_api import expect
from scipy import ndimage

Open = Callable[..., Any]


def ball() -> tuple[np.ndarray, np.ndarray]:
    """A red ball on grass, with what it covers."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:240, 0:320]
    covered = np.hypot(y - 120, x - 160) < 46
    colour = np.where(covered[..., None], (200, 50, 40), (70, 130, 60))
    grain = ndimage.gaussian_filter(random.normal(0, 30, (240, 320, 3)), (1, 1, 0))
    return np.clip(colour + grain, 0, 255).astype(np.uint8), covered


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float((one & two).sum() / (one | two).sum())


def test_a_scribble_marks_the_whole_object(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    load(page, as_file(picture))
    page.click("[data-tool=select]")
    drag(page, [(0.45, 0.47), (0.55, 0.53)])
    marked_is(page, "1 area")
    assert overlap(marks(page), covered) > 0.93
    shot(page, "desktop-object")
    drag(page, [(0.46, 0.55), (0.54, 0.55)])  # a second scribble refines the same object
    settled(page)
    assert overlap(marks(page), covered) > 0.93
    page.click("#undo")
    assert not marks(page).any(), "one object is one step"


def test_nothing_drawn_while_marks_are_worked_out_is_lost(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(500, 400)))
    drag(page, [(0.3, 0.4), (0.4, 0.4)])
    first = marks(page)
    drag(page, [(0.6, 0.6), (0.7, 0.6)])
    second = marks(page) & ~first
    page.click("#undo")
    page.evaluate(SLOW_WORK)
    page.click("#grow")
    page.wait_for_selector("#canvas[aria-busy=true]")
    drag(page, [(0.6, 0.6), (0.7, 0.6)])
    page.click("#invert")
    page.click("#invert")
    settled(page)
    assert (marks(page) == grown(first, 1) | second).all()
    for left in (~(grown(first, 1) | second), grown(first, 1) | second, grown(first, 1), first):
        page.click("#undo")
        assert (marks(page) == left).all(), "each is a step, in the order in which it was asked for"


@pytest.mark.parametrize("key", ["h", "l", "r", "o"])
def test_a_stroke_ends_as_it_began_whatever_tool_is_chosen_meanwhile(open_page: Open, key: str) -> None:
    page = open_page()
    load(page, as_file(photo(300, 240)))
    drag(page, [(0.4, 0.7), (0.6, 0.7)])
    stroke = marks(page)
    page.click("#undo")
    page.evaluate(SLOW_WORK)
    for busy in (False, True):
        if busy:
            page.click("#grow")  # which finds nothing to grow
        page.mouse.move(*at(page, 0.4, 0.7))
        page.mouse.down()
        page.mouse.move(*at(page, 0.6, 0.7), steps=4)
        page.keyboard.press(key)
        page.mouse.up()
        settled(page)
        assert (marks(page) == stroke).all()
        page.click("#undo")
        page.click("[data-tool=brush]")


POINTER = """([kind, id, type, x, y]) => {
  const canvas = document.getElementById("canvas");
  canvas.setPointerCapture = () => {};
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const place = { clientX: left + width * x, clientY: top + height * y };
  const buttons = kind === "pointerup" ? 0 : 1;
  const about = { pointerId: id, pointerType: type, button: 0, buttons, bubbles: true, cancelable: true };
  canvas.dispatchEvent(new PointerEvent(kind, { ...about, ...place }));
}"""


def test_a_resting_palm_does_not_end_the_pens_stroke(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(300, 240)))

    def stroke(*palm: tuple[Any, ...]) -> np.ndarray:
        events = [("pointerdown", 1, "pen", 0.4, 0.5), ("pointermove", 1, "pen", 0.5, 0.5), *palm]
        for event in [*events, ("pointermove", 1, "pen", 0.6, 0.5), ("pointerup", 1, "pen", 0.6, 0.5)]:
            page.evaluate(POINTER, event)
        return marks(page)

    alone = stroke()
    page.click("#undo")
    palm = stroke(("pointerdown", 7, "touch", 0.8, 0.8), ("pointerup", 7, "touch", 0.8, 0.8))
    assert alone.any() and (palm == alone).all()


def test_two_scribbles_in_a_row_are_one_object_and_a_fill_waits_for_it(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    load(page, as_file(picture))
    drag(page, [(0.1, 0.1), (0.15, 0.1)])
    page.evaluate(SLOW_WORK)
    page.click("[data-tool=select]")
    drag(page, [(0.45, 0.47), (0.5, 0.5)])
    drag(page, [(0.5, 0.5), (0.55, 0.53)])
    expect(page.locator("#canvas")).to_have_attribute("aria-busy", "true")
    quick(page)
    page.click("#fill")
    finish(page)
    changed = (result(page) != picture).any(axis=-1)
    assert changed[covered].mean() > 0.9
    assert changed[:60, :80].any()
    page.click("#undo")
    page.click("#undo")
    settled(page)
    assert not marks(page)[covered].any(), "both scribbles were one step"


def test_undo_gives_up_an_object_that_is_being_looked_for(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    load(page, as_file(picture))
    drag(page, [(0.1, 0.1), (0.15, 0.1)])
    stroke = marks(page)
    page.evaluate(SLOW_WORK)
    page.click("[data-tool=select]")
    drag(page, [(0.45, 0.47), (0.5, 0.5)])
    page.click("#undo")
    settled(page)
    assert (marks(page) == stroke).all()
    drag(page, [(0.45, 0.47), (0.55, 0.53)])
    settled(page)
    assert overlap(marks(page) & ~stroke, covered) > 0.9


def test_a_fill_stands_on_what_queued_undos_leave(open_page: Open) -> None:
    page = open_page()
    before = photo(300, 240)
    load(page, as_file(before))
    quick(page)
    drag(page, [(0.6, 0.7), (0.65, 0.7)])
    other = marks(page)
    page.click("#fill")
    finish(page)
    drag(page, [(0.3, 0.3), (0.35, 0.3)])
    hole = marks(page)
    page.evaluate(SLOW_WORK)
    page.click("#grow")
    for _ in range(3):  # growing, the stroke, the fill
        page.click("#undo")
    page.click("#redo")
    page.click("#undo")
    page.click("#fill")
    finish(page)
    changed = (result(page) != before).any(axis=-1)
    assert changed[other].any() and not changed[hole & ~grown(other, 12)].any()
    expect(page.locator(".version"), "it is no version of what was undone").to_have_count(1)


def test_a_mask_file_takes_its_turn(open_page: Open) -> None:
    """A TIFF, which the server has to show: what comes after waits for it."""
    page = open_page()
    load(page, as_file(photo(300, 240)))
    drag(page, [(0.2, 0.2), (0.3, 0.2)])
    stroke = marks(page)
    mask = np.zeros((240, 300), bool)
    mask[100:140, 100:160] = True
    page.evaluate(SLOW_WORK)
    page.set_input_files("#mask-file", as_file((mask * 255).astype(np.uint8), "mask.tif", "TIFF"))
    page.click("#invert")
    settled(page)
    assert (marks(page) == ~(mask | stroke)).all()


def test_a_mask_file_of_class_ids_marks_every_object(open_page: Open) -> None:
    """They are nearly black: the server reads a mask here as it does with a fill."""
    page = open_page()
    load(page, as_file(photo(300, 240)))
    ids = np.zeros((240, 300), np.uint8)
    ids[100:140, 100:160], ids[20:50, 200:240] = 1, 7
    page.set_input_files("#mask-file", as_file(ids, "mask.png"))
    settled(page)
    assert (marks(page) == (ids > 0)).all()


def test_a_fill_that_waits_for_an_object_is_cancelled_at_once(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(ball()[0]))
    drag(page, [(0.1, 0.1), (0.15, 0.1)])
    page.evaluate("() => { window.fetch = () => new Promise(() => {}); }")
    page.click("[data-tool=select]")
    drag(page, [(0.45, 0.47), (0.5, 0.5)])
    page.click("#fill")
    page.wait_for_selector("#run", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#run", state="hidden", timeout=1000)
    expect(page.locator("#fill")).to_be_enabled()


def test_a_line_round_an_object_marks_it(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    load(page, as_file(picture))
    page.click("[data-tool=select]")
    drag(page, [(0.5 + 0.21 * np.cos(t), 0.5 + 0.3 * np.sin(t)) for t in np.linspace(0, 6.2, 14)])
    marked_is(page, "1 area")
    assert overlap(marks(page), covered) > 0.93


def test_what_was_left_of_an_object_is_seen_and_asked_before_it_counts(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    part = covered & (np.arange(320) < 180)
    load(page, as_file(picture))
    page.set_input_files("#mask-file", as_file((part * 255).astype(np.uint8), "mask.png"))
    page.wait_for_selector("#hint-yes", state="visible")
    shot(page, "desktop-leftover")
    assert (marks(page) == part).all(), "it is only proposed"
    page.keyboard.press("Escape")
    page.click("#hint-again")
    page.click("#hint-close")
    page.click("#hint-again")
    page.click("#hint-yes")
    settled(page)
    assert overlap(marks(page), covered) > 0.93
    page.click("#undo")
    assert (marks(page) == part).all()
    quick(page)
    page.click("#fill")  # at once
    page.wait_for_selector("#hint-no", state="visible")
    expect(page.locator("#run")).to_be_hidden()
    page.click("#hint-yes")
    finish(page)
    assert (result(page) != picture).any(axis=-1)[covered].mean() > 0.9


def test_nothing_is_asked_where_nothing_is_left(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    load(page, as_file(picture))
    whole = grown(covered, 6)
    page.set_input_files("#mask-file", as_file((whole * 255).astype(np.uint8), "mask.png"))
    quick(page)
    page.click("#fill")
    finish(page)
    expect(page.locator("#download")).to_be_visible()


def test_marks_grow_by_themselves_unless_told_not_to(open_page: Open) -> None:
    page = open_page()
    before = photo(520, 400)
    load(page, as_file(before))
    expect(page.locator("#growing-text")).to_contain_text("2 px")
    drag(page, [(0.45, 0.5), (0.55, 0.5)])
    hole = marks(page)
    quick(page)
    page.click("#fill")
    finish(page)
    changed = (result(page) != before).any(axis=-1)
    assert (changed & ~hole).any() and not (changed & ~grown(hole, 2)).any()
    page.click("#undo")
    page.click("#growing")
    page.click("#fill")
    finish(page)
    assert not ((result(page) != before).any(axis=-1) & ~hole).any()


def test_small_marks_can_be_filled_at_the_strokes_end(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(400, 300)))
    quick(page)
    page.click("#at-once")
    drag(page, [(0.5, 0.5), (0.51, 0.5)])
    finish(page)
    expect(page.locator("#download")).to_be_visible()


SCALE = """() => { const label = document.getElementById("canvas"); window.before = label.toDataURL(); }"""


@pytest.mark.parametrize(
    ("event", "does"),
    [
        ({"deltaY": -100, "wheelDeltaY": 120}, "zoom"),
        ({"deltaY": -3, "ctrlKey": True, "wheelDeltaY": 9}, "zoom"),
        ({"deltaY": 14, "deltaX": 3, "wheelDeltaY": -42}, "pan"),
    ],
    ids=["a mouse's wheel", "a pinch", "two fingers"],
)
def test_wheel_and_trackpad_do_what_people_expect(open_page: Open, event: dict[str, Any], does: str) -> None:
    page = open_page()
    scales = page.evaluate(
        """async (event) => {
          const { View } = await import("./static/js/view.js");
          const { listenToPointers } = await import("./static/js/pointer.js");
          const canvas = document.createElement("canvas");
          document.body.append(canvas);
          const view = new View();
          view.photo = { width: 1000, height: 800 };
          view.resize(500, 400);
          const stage = { canvas, view, session: { photo: {} }, redraw() {}, comparison: null };
          listenToPointers(stage, { painting: true, size: 10 }, { usedPointer() {} }, {});
          const seen = [view.scale, view.x];
          for (let step = 0; step < 30; step++) {
            const sent = new WheelEvent("wheel", { deltaMode: 0, cancelable: true, ...event });
            Object.defineProperty(sent, "wheelDeltaY", { value: event.wheelDeltaY });
            canvas.dispatchEvent(sent);
          }
          canvas.remove();
          return [...seen, view.scale, view.x];
        }""",
        event,
    )
    factor = scales[2] / scales[0]
    if does == "pan":
        assert factor == pytest.approx(1) and scales[3] != scales[1]
    else:
        assert factor > 2.5, f"thirty events zoom {factor:.2f} times"


def test_the_brush_shows_while_its_size_is_chosen(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(400, 300)))
    look = "() => document.getElementById('canvas').toDataURL()"
    still(page)
    before = page.evaluate(look)
    page.eval_on_selector("#size", "(slider) => { slider.value = 90; slider.dispatchEvent(new Event('input')); }")
    still(page)
    assert page.evaluate(look) != before
    page.eval_on_selector("#size", "(slider) => slider.dispatchEvent(new Event('change'))")
    still(page)
    assert page.evaluate(look) == before


def test_transparency_shows_squares(open_page: Open) -> None:
    page = open_page()
    clear = np.zeros((60, 80, 4), np.uint8)
    load(page, as_file(clear))
    still(page)
    colours = page.evaluate(
        """() => { const canvas = document.getElementById("canvas"); const { width, height } = canvas;
        const data = canvas.getContext("2d").getImageData(width / 2 - 20, height / 2 - 20, 40, 40).data;
        return [...new Set(data.filter((_, i) => i % 4 === 0))]; }"""
    )
    assert {255, 204} <= set(colours)


def test_opaque_photos_have_no_line_of_squares_at_their_edges(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(np.zeros((61, 83, 3), np.uint8)))
    lightest, ground = page.evaluate(
        """async () => {
          const canvas = document.getElementById("canvas");
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const levels = data.filter((_, i) => i % 4 === 0);
          return [levels.reduce((most, each) => Math.max(most, each)), levels[0]];
        }"""
    )
    assert lightest <= ground, "nothing is lighter than the black photo and the grey about it"


def test_shadows_are_offered(open_page: Open) -> None:
    page = open_page()
    picture, covered = ball()
    y, x = np.mgrid[0:240, 0:320]
    cast = (((y - 170) / 16) ** 2 + ((x - 200) / 58) ** 2 < 1) & ~covered
    picture[cast] = (picture[cast] * 0.5).astype(np.uint8)
    load(page, as_file(picture))
    page.click("[data-tool=select]")
    drag(page, [(0.44, 0.45), (0.55, 0.5)])
    page.wait_for_selector("#hint-yes", state="visible")
    alone = marks(page)
    shot(page, "desktop-shadow")
    click(page, "#hint-yes")
    both = marks(page)
    assert ((both & ~alone) & cast).sum() > 0.6 * (cast & ~alone).sum()


def test_small_things_that_could_go_are_marked_by_a_tap(open_page: Open) -> None:
    page = open_page()
    y, x = np.mgrid[0:240, 0:320]
    birds = [np.hypot(y - 60, x - middle) < 3 for middle in (80, 240)]
    sky = np.where((birds[0] | birds[1])[..., None], (40, 40, 50), (150, 180, 220))
    grain = np.random.default_rng(0).normal(0, 3, (240, 320, 3))
    load(page, as_file(np.clip(sky + grain, 0, 255).astype(np.uint8)))
    page.click("#ideas")
    page.wait_for_selector("#hint-yes", state="visible")
    expect(page.locator("#hint-text")).to_have_text("2 small things. Tap those that should go.")
    box = page.locator("#canvas").bounding_box()
    scale = min((box["width"] - 32) / 320, (box["height"] - 32) / 240)
    tap = (0.5 - 80 * scale / box["width"], 0.5 - 60 * scale / box["height"])
    drag(page, [tap, tap])
    settled(page)
    assert marks(page)[birds[0]].all() and not marks(page)[birds[1]].any()
    shot(page, "desktop-ideas")
    page.click("#hint-yes")
    settled(page)
    both = marks(page)
    assert both[birds[0] | birds[1]].all() and both.mean() < 0.01
