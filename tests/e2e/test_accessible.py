"""axe-core finds nothing serious, in light and dark; targets are large enough for fingers."""

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from browser_page import PHONE, as_file, drag, fill, load, photo, shot, still

AXE = "axe-core@4.10.3"
Open = Callable[..., Any]


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, by way of npm (kept in npm's own cache)."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    fetched = subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, timeout=120)
    packages = list(folder.glob("*.tgz"))
    if not packages:
        pytest.skip(f"{AXE} cannot be fetched: {fetched.stderr.decode()[-200:]}")
    with tarfile.open(packages[0]) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def serious(page: Any, axe: str) -> list[str]:
    page.evaluate(axe)
    found = page.evaluate("() => axe.run({ resultTypes: ['violations'] })")
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def unfold(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page(open_page: Open, axe: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    assert not serious(page, axe)
    load(page, as_file(photo()))
    drag(page, [(0.4, 0.5), (0.6, 0.5)])
    page.keyboard.press("?")
    assert not serious(page, axe)
    shot(page, f"desktop-{scheme}-keys")
    page.keyboard.press("Escape")
    unfold(page)
    assert not serious(page, axe)
    shot(page, f"desktop-{scheme}-unfolded")
    fill(page)
    page.click("#download-more")
    assert not serious(page, axe)
    page.keyboard.press("Escape")
    page.click("#compare")
    page.mouse.move(5, 300)
    assert not serious(page, axe)
    shot(page, f"desktop-{scheme}-filled")


def test_on_a_phone(open_page: Open, axe: str) -> None:
    page = open_page(PHONE, color_scheme="dark")
    load(page, as_file(photo()))
    assert not serious(page, axe)
    page.click("#options")
    still(page)
    unfold(page)
    assert not serious(page, axe)
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, select, summary, input")].filter((each) => {
          const box = (each.closest("label") ?? each).getBoundingClientRect();
          return box.width > 1 && (box.width < 24 || box.height < 24);
        }).map((each) => each.outerHTML)"""
    )
    assert not small
    boxes = "(all) => all.map((each) => each.getBoundingClientRect().toJSON())"
    tools = page.eval_on_selector_all("#toolbar button", boxes)
    assert all(box["width"] >= 44 and box["height"] >= 44 for box in tools)
    gaps = [right["left"] - left["right"] for left, right in pairwise(tools) if right["top"] == left["top"]]
    assert min(gaps) >= 4


@pytest.mark.parametrize("path", ["docs", "login"])
def test_the_other_pages(open_page: Open, axe: str, path: str, browser: Any, address: str) -> None:
    page = browser.new_context().new_page()
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    unfold(page)
    assert not serious(page, axe)
    shot(page, path)
    if path == "docs":
        assert page.locator(".operation").count() >= 12
    page.context.close()
