"""Five journeys through the page on four screens, with a photograph of 12 megapixels, in the system's Chromium.

    python benchmarks/journeys.py [--screens phone,desktop] [--journeys 1,2] [--megapixels 12] [--pictures FOLDER]

Prints the seconds of every step. The photograph is scikit-image's rocket (SpaceX, CC0), enlarged. Needs the
development packages. Firefox and WebKit are walked through by benchmarks/browsers.py.
"""

import argparse
import io
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, TimeoutError, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
from browser_page import (
    CHROMIUM,
    COUNT_FILLS,
    DESKTOP,
    LANDSCAPE,
    PHONE,
    QUIET,
    ROOT,
    TABLET,
    at,
    click,
    drag,
    finish,
)

SCREENS = {
    "desktop": DESKTOP,
    "laptop": {"viewport": {"width": 1280, "height": 640}},
    "tablet": TABLET,
    "phone": PHONE,
}
SCREENS["landscape"] = LANDSCAPE
USUAL = "desktop,laptop,tablet,phone"
OVER_THE_ROCKET = [(0.504, 0.3), (0.497, 0.36), (0.496, 0.94), (0.51, 0.94), (0.51, 0.36), (0.504, 0.3)]
"""All of it, as a person would: down one side and up the other."""
Step = Callable[[str], None]


class Steps:
    """Told what has been done: prints how long it took, and keeps a picture."""

    def __init__(self, page: Page, name: str, pictures: Path | None) -> None:
        self.page, self.name, self.pictures = page, name, pictures
        self.began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"{self.name}  {text:32} {time.monotonic() - self.began:6.1f} s", flush=True)
        if self.pictures:
            self.pictures.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self.pictures / (re.sub(r"\W+", "-", f"{self.name} {text}") + ".png"))
        self.began = time.monotonic()


def photograph(megapixels: float) -> bytes:
    with Image.open(ROOT / "src/patchloom/server/static/samples/rocket.jpg") as small:
        scale = (megapixels * 1e6 / (small.width * small.height)) ** 0.5
        file = io.BytesIO()
        size = round(small.width * scale), round(small.height * scale)
        small.resize(size, Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return file.getvalue()


def opened(page: Page, data: bytes, *names: str) -> None:
    page.set_input_files(
        "#photo-file", [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name in names]
    )
    page.wait_for_selector("body.open")
    page.wait_for_function(f"() => document.getElementById('file-info').textContent.startsWith('{names[0]}')")


def removed(page: Page) -> None:
    """Presses the button; what is asked is answered with the first answer."""
    click(page, "#fill")
    with suppress(TimeoutError):
        page.wait_for_selector("#run:visible, #hint-no:visible", timeout=3000)
    if page.is_visible("#hint-no"):
        click(page, "#hint-yes")
    finish(page, 400)


def saved(page: Page) -> None:
    with page.expect_download() as download:
        click(page, "#download")
    assert download.value.path()


def tap_and_remove(page: Page, data: bytes, step: Step) -> None:
    opened(page, data, "a.jpg")
    step("open")
    click(page, "[data-tool=select]")
    page.mouse.click(*at(page, 0.5, 0.5))
    page.wait_for_selector("#canvas[aria-busy=false]")
    step("tap an object")
    removed(page)
    step("remove")
    saved(page)
    step("save")


def paint_and_compare(page: Page, data: bytes, step: Step) -> None:
    opened(page, data, "a.jpg")
    drag(page, OVER_THE_ROCKET)
    step("open, paint")
    removed(page)
    step("remove")
    click(page, "#again")
    finish(page, 400)
    step("try again")
    click(page, "#compare")
    page.wait_for_timeout(300)
    saved(page)
    step("compare, save")


def several(page: Page, data: bytes, step: Step) -> None:
    opened(page, data, "a.jpg", "b.jpg", "c.jpg")
    drag(page, OVER_THE_ROCKET)
    click(page, "#fill")
    page.wait_for_selector("#run:visible, #hint-no:visible")
    if page.is_visible("#hint-no"):
        click(page, "#hint-yes")
    click(page, "#queue-next")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('b.jpg')")
    step("open, paint, remove, next photo")
    drag(page, OVER_THE_ROCKET)
    removed(page)
    step("paint, remove")
    click(page, "#queue-before")
    page.wait_for_function("() => document.getElementById('file-info').textContent.startsWith('a.jpg')")
    page.wait_for_selector("#download", state="visible", timeout=400_000)
    step("back: the first is done")
    with page.expect_download():
        click(page, "#download-all")
    step("all as one file")


def loaded_again(page: Page, data: bytes, step: Step) -> None:
    opened(page, data, "a.jpg")
    drag(page, OVER_THE_ROCKET)
    page.wait_for_timeout(3000)
    click(page, "#fill")
    page.wait_for_selector("#run:visible, #hint-no:visible")
    if page.is_visible("#hint-no"):
        click(page, "#hint-no")
    page.wait_for_timeout(1500)
    page.reload()
    page.wait_for_selector("#download", state="visible", timeout=400_000)
    step("open, paint, remove, load again")
    saved(page)
    step("save")


def changed_mind(page: Page, data: bytes, step: Step) -> None:
    opened(page, data, "a.jpg")
    click(page, "[data-tool=select]")
    drag(page, OVER_THE_ROCKET)
    page.wait_for_selector("#canvas[aria-busy=false]")
    step("open, scribble")
    click(page, "#fill")
    page.wait_for_selector("#run", state="visible")
    click(page, "#cancel")
    page.wait_for_selector("#run", state="hidden")
    step("remove, cancel")
    for button in ("#undo", "#redo"):
        click(page, button)
        page.wait_for_selector("#canvas[aria-busy=false]")
    step("undo, redo")
    removed(page)
    step("remove")


JOURNEYS = [tap_and_remove, paint_and_compare, several, loaded_again, changed_mind]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--screens", default=USUAL, help=f"some of {', '.join(SCREENS)}")
    parser.add_argument("--journeys", default="1,2,3,4,5")
    parser.add_argument("--pictures", type=Path, help="a picture of the page after each step, into this folder")
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = re.findall(r"http://\S+", next(line for line in server.stderr if "http://" in line))[0]
        data = photograph(chosen.megapixels)
        with sync_playwright() as runner:
            browser = runner.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            for screen in chosen.screens.split(","):
                for number in map(int, chosen.journeys.split(",")):
                    context = browser.new_context(**SCREENS[screen], locale="en-US", accept_downloads=True)
                    context.add_init_script(COUNT_FILLS)
                    page = context.new_page()
                    page.goto(address)
                    page.wait_for_selector("body:not(.loading)")
                    JOURNEYS[number - 1](page, data, Steps(page, f"{screen:9} {number}", chosen.pictures))
                    context.close()
            browser.close()
    finally:
        server.terminate()
        server.communicate(timeout=20)


if __name__ == "__main__":
    main()
