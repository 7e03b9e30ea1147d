"""Nothing is lost: not by a reload, not by another tab, not by another photo."""

from collections.abc import Callable
from typing import Any

import numpy as np
from browser_page import (
    ACROSS,
    DESKTOP,
    SLOW_WORK,
    as_file,
    at,
    click,
    downloaded,
    drag,
    fill,
    finish,
    grown,
    kept,
    load,
    marks,
    photo,
    quick,
    reload,
    result,
    settled,
    shot,
    started,
)
from playwright.sync_api import expect

Open = Callable[..., Any]


def test_a_reload_keeps_everything(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, ACROSS)
    first = marks(page)
    fill(page)
    click(page, "#again")
    finish(page)
    second = downloaded(page)[1]
    drag(page, [(0.6, 0.6), (0.65, 0.6)])
    new = marks(page)
    click(page, "#growing")
    reload(page)
    assert (marks(page) == new).all()
    assert downloaded(page)[1] == second
    expect(page.locator(".version")).to_have_count(2)
    expect(page.locator("input[name=preset][value=fast]")).to_be_checked()
    expect(page.locator("#growing")).not_to_be_checked()
    page.click("#undo")  # the stroke
    page.click("#again")
    finish(page)
    expect(page.locator(".version")).to_have_count(3)
    assert downloaded(page)[1] not in (second,)
    for _ in range(3):
        page.click("#undo")  # three versions of one fill
    assert (marks(page) == first).all()
    expect(page.locator("#download")).to_be_hidden()
    reload(page)
    expect(page.locator("#download"), "what was undone stays undone").to_be_hidden()
    assert (marks(page) == first).all(), "what was undone stays undone"
    page.click("#redo")
    page.click("#redo")
    assert downloaded(page)[1] == second


def test_what_is_quick_to_keep_does_not_wait_for_large_files(open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        """() => { const { arrayBuffer } = Blob.prototype;
          Blob.prototype.arrayBuffer = async function () {
            if (this.size > 10_000) await new Promise((done) => setTimeout(done, 1500));
            return arrayBuffer.call(this);
          }; }"""
    )
    load(page, as_file(photo()))
    drag(page, ACROSS)
    painted = marks(page)
    reload(page)
    assert (marks(page) == painted).all()
    drag(page, [(0.2, 0.2), (0.3, 0.2)])
    reload(page)
    assert marks(page).sum() > painted.sum()


def test_what_could_not_be_kept_is_kept_with_the_next_change(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, [(0.3, 0.3), (0.4, 0.3)])
    first = marks(page)
    kept(page)
    page.evaluate(
        """() => { const { transaction } = IDBDatabase.prototype; let fails = 1;
          IDBDatabase.prototype.transaction = function (...given) {
            if (fails-- > 0) throw new Error("full");
            return transaction.apply(this, given);
          }; }"""
    )
    drag(page, [(0.5, 0.5), (0.6, 0.5)])
    second = marks(page)
    expect(page.locator("#alert-message")).to_have_text("Your work cannot be kept in this browser.")
    drag(page, [(0.3, 0.7), (0.4, 0.7)])
    third = marks(page)
    reload(page)
    for left in (third, second, first):
        assert (marks(page) == left).all()
        page.click("#undo")
    assert not marks(page).any()


def test_a_stroke_under_way_stays_with_its_photo(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(), "one.png"))
    page.mouse.move(*at(page, 0.4, 0.5))
    page.mouse.down()
    page.mouse.move(*at(page, 0.5, 0.5), steps=4)
    load(page, as_file(photo(170), "two.png"))
    page.mouse.move(*at(page, 0.6, 0.5), steps=4)
    page.mouse.up()
    assert not marks(page).any()
    page.locator("#panel .recent-work > button").first.click()
    expect(page.locator("#file-info")).to_contain_text("one.png")
    assert marks(page).any()


def test_another_photo_waits_for_marks_that_are_worked_out(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(), "one.png"))
    drag(page, ACROSS)
    painted = marks(page)
    page.evaluate(SLOW_WORK)
    page.click("#grow")
    page.click("#invert")
    load(page, as_file(photo(170), "two.png"))
    assert not marks(page).any()
    page.locator("#panel .recent-work > button").first.click()
    expect(page.locator("#file-info")).to_contain_text("one.png")
    assert (marks(page) == ~grown(painted, 1)).all()


def test_a_running_fill_is_taken_up_after_a_reload(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(500, 400)))
    drag(page, [(0.3, 0.3), (0.7, 0.6)])
    click(page, "input[name=preset][value=best]")
    started(page)
    page.wait_for_function("() => document.getElementById('progress').value > 0")
    kept(page)
    page.reload()
    page.wait_for_selector("#run", state="visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#run", state="hidden")


def test_tabs_do_not_touch_each_other(open_page: Open) -> None:
    one = open_page()
    load(one, as_file(photo(), "one.png"))
    drag(one, ACROSS)
    mine = marks(one)
    kept(one)
    two = open_page(DESKTOP, beside=one)
    expect(two.locator("#welcome"), "a new tab begins with nothing").to_be_visible()
    expect(two.locator(".try.recent"), "what is open in another tab is not offered").to_be_hidden()
    load(two, as_file(photo(200, 150), "two.png"))
    drag(two, [(0.3, 0.3), (0.4, 0.4)])
    fill(two)
    filled = downloaded(two)[1]
    reload(one)
    expect(one.locator("#file-info")).to_contain_text("one.png")
    assert (marks(one) == mine).all()
    fill(one)
    reload(two)
    expect(two.locator("#file-info")).to_contain_text("two.png")
    assert downloaded(two)[1] == filled


def test_a_copied_tab_does_not_take_the_work_over(open_page: Open) -> None:
    one = open_page()
    load(one, as_file(photo(), "one.png"))
    kept(one)
    two = open_page(DESKTOP, beside=one)
    work = one.evaluate("Object.entries(sessionStorage)")
    two.evaluate("(all) => all.forEach(([key, value]) => sessionStorage.setItem(key, value))", work)
    two.reload()
    two.wait_for_selector("body:not(.loading)")
    expect(two.locator("#welcome")).to_be_visible()


def test_another_photo_keeps_the_one_before(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(), "first.png"))
    drag(page, ACROSS)
    fill(page)
    before = result(page)
    drag(page, [(0.6, 0.6), (0.65, 0.6)])
    painted = marks(page)
    load(page, as_file(photo(80, 60), "second.png"))
    page.wait_for_selector(".part.recent .recent-work img", state="visible")
    kept(page)
    other = open_page(DESKTOP, beside=page)
    other.wait_for_selector(".try.recent", state="visible")
    shot(other, "desktop-recent")
    expect(other.locator(".try.recent .recent-work")).to_have_count(1)
    other.click(".try.recent .recent-work > button")
    other.wait_for_selector("body.open")
    expect(other.locator("#file-info")).to_contain_text("first.png")
    assert (result(other) == before).all() and (marks(other) == painted).all()
    last = open_page(DESKTOP, beside=page)
    other.close()
    last.reload()
    last.wait_for_selector(".try.recent", state="visible")
    last.click(".try.recent [data-forget]")
    last.wait_for_selector(".try.recent", state="hidden")
    last.click("#note-action")
    last.wait_for_selector(".try.recent", state="visible")
    last.hover(".try.recent .recent-work")
    last.click(".try.recent .remove")
    last.wait_for_selector(".try.recent", state="hidden")
    expect(page.locator("#file-info"), "only what is open nowhere is forgotten").to_contain_text("second.png")


def test_several_photos_wait_in_a_queue(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(), "a.png"), as_file(photo(120, 90), "b.png"), as_file(photo(90, 120), "c.png"))
    page.wait_for_selector("#queue", state="visible")
    expect(page.locator("#queue-place")).to_have_text("1 of 3")
    drag(page, ACROSS)
    painted = marks(page)
    page.focus("#canvas")
    page.keyboard.press("PageDown")
    expect(page.locator("#file-info")).to_contain_text("b.png")
    page.click("#queue-next")
    expect(page.locator("#file-info")).to_contain_text("c.png")
    page.wait_for_selector("#queue-next:disabled")
    shot(page, "desktop-queue")
    page.keyboard.press("PageUp")
    expect(page.locator("#file-info")).to_contain_text("b.png")
    page.keyboard.press("PageUp")
    expect(page.locator("#file-info")).to_contain_text("a.png")
    assert (marks(page) == painted).all(), "each comes back as it was left"


def test_undo_keeps_pace_with_many_strokes(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    seen = [np.zeros((120, 160), bool)]
    for step in range(5):
        drag(page, [(0.3 + step * 0.08, 0.3), (0.32 + step * 0.08, 0.35)])
        seen.append(marks(page))
    reload(page)
    for expected in reversed(seen[:-1]):
        page.click("#undo")
        assert (marks(page) == expected).all()


def test_no_result_is_given_up_however_many_photos_follow(open_page: Open) -> None:
    page = open_page()
    load(page, *(as_file(photo(60 + number, 60), f"{number}.png") for number in range(11)))
    drag(page, ACROSS)
    fill(page)
    filled = result(page)
    page.evaluate(
        "() => document.getElementById('download').click()"
    )  # even one that was downloaded: it is in the row
    for number in range(1, 11):
        page.click("#queue-next")
        expect(page.locator("#queue-place")).to_have_text(f"{number + 1} of 11")
    for number in range(9, -1, -1):
        page.click("#queue-before")
        expect(page.locator("#queue-place")).to_have_text(f"{number + 1} of 11")
    expect(page.locator("#file-info")).to_contain_text("0.png")
    assert (result(page) == filled).all()


def test_a_fill_goes_on_while_another_photo_is_open(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(500, 400), "first.png"))
    drag(page, [(0.3, 0.3), (0.7, 0.6)])
    page.eval_on_selector("#setting-texture", "(field) => (field.value = 'none')")
    started(page)
    load(page, as_file(photo(), "second.png"))
    expect(page.locator("#run")).to_be_hidden()
    expect(page.locator("#fill")).to_be_disabled()
    page.wait_for_selector("#panel .recent-work.running")
    drag(page, ACROSS)
    painted = marks(page)
    page.wait_for_selector("#note-action", state="visible", timeout=120_000)
    expect(page.locator("#note-text")).to_have_text("first.png is done.")
    shot(page, "desktop-done-away")
    page.click("#note-action")
    expect(page.locator("#file-info")).to_contain_text("first.png")
    page.wait_for_selector("#download", state="visible")
    expect(page.locator(".version")).to_have_count(1)
    page.click("#undo")
    page.click("#redo")
    reload(page)
    expect(page.locator(".version"), "it is kept like any other").to_have_count(1)
    page.click("#panel .recent-work > button")
    expect(page.locator("#file-info")).to_contain_text("second.png")
    assert (marks(page) == painted).all()


def test_a_fill_that_was_being_sent_is_taken_up_after_a_reload(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    drag(page, ACROSS)
    quick(page)
    page.evaluate("() => { XMLHttpRequest.prototype.send = () => {}; }")  # an upload without an end
    started(page)
    kept(page)
    page.reload()
    page.wait_for_selector("#download", state="visible")


def test_nothing_but_marks_is_refused_before_it_is_sent(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo()))
    page.click("#invert")
    settled(page)
    page.click("#fill")
    page.wait_for_selector("#alert", state="visible")
    expect(page.locator("#alert-hint")).to_have_text("Leave part of the photo unmarked.")
    page.click("#invert")
    drag(page, ACROSS)
    fill(page)
    expect(page.locator("#alert")).to_be_hidden()
