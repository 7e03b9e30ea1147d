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
    assert downloaded(page)[1] == second and page.locator(".version").count() == 2
    assert page.is_checked("input[name=preset][value=fast]") and not page.is_checked("#growing")
    page.click("#undo")  # the stroke
    page.click("#again")
    finish(page)
    assert page.locator(".version").count() == 3
    assert downloaded(page)[1] not in (second,)
    for _ in range(3):
        page.click("#undo")  # three versions of one fill
    assert (marks(page) == first).all() and page.is_hidden("#download")
    reload(page)
    assert page.is_hidden("#download") and (marks(page) == first).all(), "what was undone stays undone"
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
    page.wait_for_timeout(2500)
    reload(page)
    assert (marks(page) == painted).all()
    drag(page, [(0.2, 0.2), (0.3, 0.2)])
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_selector("body.open:not(.loading)")
    page.wait_for_timeout(300)
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
    assert page.text_content("#alert-message") == "Your work cannot be kept in this browser."
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
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('one.png')")
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
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('one.png')")
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
    assert two.is_visible("#welcome"), "a new tab begins with nothing"
    assert two.is_hidden(".try.recent"), "what is open in another tab is not offered"
    load(two, as_file(photo(200, 150), "two.png"))
    drag(two, [(0.3, 0.3), (0.4, 0.4)])
    fill(two)
    filled = downloaded(two)[1]
    reload(one)
    assert "one.png" in one.text_content("#file-info") and (marks(one) == mine).all()
    fill(one)
    reload(two)
    assert "two.png" in two.text_content("#file-info") and downloaded(two)[1] == filled


def test_a_copied_tab_does_not_take_the_work_over(open_page: Open) -> None:
    one = open_page()
    load(one, as_file(photo(), "one.png"))
    kept(one)
    two = open_page(DESKTOP, beside=one)
    work = one.evaluate("Object.entries(sessionStorage)")
    two.evaluate("(all) => all.forEach(([key, value]) => sessionStorage.setItem(key, value))", work)
    two.reload()
    two.wait_for_selector("body:not(.loading)")
    two.wait_for_timeout(400)
    assert two.is_visible("#welcome")


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
    assert other.locator(".try.recent .recent-work").count() == 1
    other.click(".try.recent .recent-work > button")
    other.wait_for_selector("body.open")
    other.wait_for_timeout(300)
    assert "first.png" in other.text_content("#file-info")
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
    assert "second.png" in page.text_content("#file-info"), "only what is open nowhere is forgotten"


def test_several_photos_wait_in_a_queue(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(), "a.png"), as_file(photo(120, 90), "b.png"), as_file(photo(90, 120), "c.png"))
    page.wait_for_selector("#queue", state="visible")
    assert page.text_content("#queue-place") == "1 of 3"
    drag(page, ACROSS)
    painted = marks(page)
    page.focus("#canvas")
    page.keyboard.press("PageDown")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('b.png')")
    page.click("#queue-next")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('c.png')")
    page.wait_for_selector("#queue-next:disabled")
    shot(page, "desktop-queue")
    page.keyboard.press("PageUp")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('b.png')")
    page.keyboard.press("PageUp")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('a.png')")
    page.wait_for_timeout(200)
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
        page.wait_for_function(
            "(n) => document.getElementById('queue-place').textContent === `${n} of 11`", arg=number + 1
        )
    for number in range(9, -1, -1):
        page.click("#queue-before")
        page.wait_for_function(
            "(n) => document.getElementById('queue-place').textContent === `${n} of 11`", arg=number + 1
        )
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('0.png')")
    assert (result(page) == filled).all()


def test_a_fill_goes_on_while_another_photo_is_open(open_page: Open) -> None:
    page = open_page()
    load(page, as_file(photo(500, 400), "first.png"))
    drag(page, [(0.3, 0.3), (0.7, 0.6)])
    page.eval_on_selector("#setting-texture", "(field) => (field.value = 'none')")
    started(page)
    load(page, as_file(photo(), "second.png"))
    assert page.is_hidden("#run") and page.is_disabled("#fill")
    page.wait_for_selector("#panel .recent-work.running")
    drag(page, ACROSS)
    painted = marks(page)
    page.wait_for_selector("#note-action", state="visible", timeout=120_000)
    assert page.text_content("#note-text") == "first.png is done."
    shot(page, "desktop-done-away")
    page.click("#note-action")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('first.png')")
    page.wait_for_selector("#download", state="visible")
    assert page.locator(".version").count() == 1
    page.click("#undo")
    page.click("#redo")
    reload(page)
    assert page.locator(".version").count() == 1, "it is kept like any other"
    page.click("#panel .recent-work > button")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('second.png')")
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
    assert page.text_content("#alert-hint") == "Leave part of the photo unmarked."
    page.click("#invert")
    drag(page, ACROSS)
    fill(page)
    assert page.is_hidden("#alert")
