"""The report and the page for votes, opened from disk in a browser: what a reader clicks does what it says."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from patchloom.evaluation.metrics import Judge
from patchloom.evaluation.peers import parse_method
from patchloom.evaluation.report import Scored, write_report
from patchloom.evaluation.runs import prepare_cases, run
from patchloom.evaluation.scores import score_run
from patchloom.evaluation.votes import read_votes, write_page
from patchloom.formats import pictures_among

METHODS = [
    parse_method(text) for text in ("black=cp {image} {out}", "also=cp {image} {out}", "gone=no-program {out}")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with its report and its page for votes."""
    root = tmp_path_factory.mktemp("run")
    random = np.random.RandomState(0)
    for name in ("one", "two"):
        Image.fromarray(random.randint(0, 256, (48, 64, 3)).astype(np.uint8)).save(root / f"{name}.png")
    cases = prepare_cases(pictures_among([root]), ["center:0.4"], root)
    judge = Judge(None)
    results = run(cases, METHODS, root)
    failed = [{"method": "gone", "error": "The program is not installed.", "first": "one", "fills": 2}]
    write_report(Scored(cases, METHODS, score_run(cases, results, root, judge), failed, judge.name), root)
    write_page(cases, ["black", "also"], root, root / "vote.html")
    return root


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    complaints: list[str] = []
    context = browser.new_context(accept_downloads=True)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda request: request.url.startswith(("file:", "data:", "blob:")) or complaints.append(request.url),
    )
    yield opened
    context.close()
    assert complaints == []


def test_a_report_sorts_filters_and_compares(page: Any, folder: Path) -> None:
    page.goto((folder / "report.html").as_uri())
    rows = page.locator("#rows tbody tr")
    assert rows.count() == 12  # 2 pictures, 2 methods, 3 regions
    page.locator("#rows th button", has_text="psnr").click()
    column = page.locator("#rows thead button").all_inner_texts().index("psnr")
    values = [float(text) for text in page.locator(f"#rows tbody tr td:nth-child({column + 1})").all_inner_texts()]
    assert values == sorted(values)
    expect(page.locator("#summary tbody tr")).to_have_count(2)
    page.select_option("#region", "rim")
    expect(page.locator("#summary tbody tr")).to_have_count(2)
    expect(page.locator("#plot rect")).to_have_count(2)
    page.select_option("#left", "truth")
    page.locator("#slider").fill("25")
    assert page.locator("#over").evaluate("e => e.style.clipPath") == "inset(0px 75% 0px 0px)"
    assert page.locator("#over").evaluate("e => e.naturalWidth") > 0
    assert "The program is not installed." in page.locator(".failed").inner_text()


def test_votes_by_mouse_and_keys_are_saved_without_names_on_the_page(
    page: Any, folder: Path, tmp_path: Path
) -> None:
    page.goto((folder / "vote.html").as_uri())
    assert "black" not in page.locator("body").inner_text()
    page.keyboard.press("ArrowDown")
    page.locator("[data-choice=left]").click()
    assert "last pair" in page.locator("#status").inner_text()
    page.locator("#back").click()
    page.keyboard.press("ArrowRight")
    with page.expect_download() as download:
        page.locator("#save").click()
    path = tmp_path / "votes.json"
    download.value.save_as(path)
    assert [vote.points for vote in read_votes([path])] == [0.5, 0.0]
    assert {vote["case"] for vote in json.loads(path.read_text())["votes"]} == {
        "one--center-0.4",
        "two--center-0.4",
    }
