"""Every language has every text; the browser's own is taken; the page can be installed."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_page import ROOT, as_file, drag, load, photo, shot
from playwright.sync_api import expect

Open = Callable[..., Any]
STATIC = ROOT / "src" / "patchloom" / "server" / "static"
FILES = sorted((STATIC / "texts").glob("*.json"))
ENGLISH: dict[str, Any] = json.loads((STATIC / "texts" / "en.json").read_text())


def placeholders(text: Any) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text if isinstance(text, str) else text["other"]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_language_says_everything(file: Path) -> None:
    texts = json.loads(file.read_text())
    assert list(texts) == list(ENGLISH)
    for key, text in texts.items():
        assert placeholders(text) == placeholders(ENGLISH[key]), key


def test_every_text_that_is_asked_for_is_there() -> None:
    html = (STATIC / "index.html").read_text()
    asked = set(re.findall(r'data-t(?:-[a-z-]+)?="([^"]+)"', html))
    for script in (STATIC / "js").glob("*.js"):
        asked |= set(re.findall(r'\bt\("([^"]+)"', script.read_text()))
    assert not asked - set(ENGLISH)


@pytest.mark.parametrize(
    ("locale", "button", "marked"),
    [
        ("de-AT", "Entfernen", "1 Stelle markiert, "),
        ("ja-JP", "消す", "1 か所に印、"),
        ("fr-FR", "Effacer", "1 endroit marqué, "),
        ("nl-NL", "Remove", "1 area"),
    ],
)
def test_the_browsers_language_is_taken(open_page: Open, locale: str, button: str, marked: str) -> None:
    page = open_page(locale=locale)
    load(page, as_file(photo()))
    drag(page, [(0.45, 0.5), (0.55, 0.5)])
    expect(page.locator("#fill")).to_have_text(button)
    assert page.text_content("#marked").startswith(marked)
    shot(page, f"desktop-{locale}")
    page.select_option("#language", "es")
    page.wait_for_selector("body:not(.loading)")
    page.wait_for_function("() => document.documentElement.lang === 'es'")
    expect(page.locator("#fill")).to_have_text("Quitar")


def test_the_page_can_be_installed(open_page: Open) -> None:
    page = open_page()
    manifest = page.evaluate(
        """async () => { const link = document.querySelector("link[rel=manifest]").href;
        const manifest = await (await fetch(link)).json();
        const pngs = manifest.icons.filter((icon) => icon.src.endsWith("png"));
        const sizes = await Promise.all(pngs.map(async (icon) => {
          const picture = await createImageBitmap(await (await fetch(new URL(icon.src, link))).blob());
          return [icon.sizes, `${picture.width}x${picture.height}`]; }));
        return { start: new URL(manifest.start_url, link).href, display: manifest.display, sizes }; }"""
    )
    assert manifest["start"] == page.url and manifest["display"] == "standalone"
    assert {said for said, _ in manifest["sizes"]} == {"192x192", "512x512"}
    assert all(said == true for said, true in manifest["sizes"])
    session = page.context.new_cdp_session(page)
    errors = {each["errorId"] for each in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}  # which every window of a test is
