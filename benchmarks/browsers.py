"""The page in the system's Firefox and WebKit: open, paint, grow, fill, select an object, reload.

    apt-get install firefox-esr webkit2gtk-driver xvfb
    pip install marionette_driver selenium
    python benchmarks/browsers.py firefox
    xvfb-run -a python benchmarks/browsers.py webkit [--pictures FOLDER]

Says what each step took and stops at the first that does not come about. The tests drive Chromium by Playwright,
which has builds of its own of the other two; these are the browsers that people have.
"""

import argparse
import base64
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).parents[1] / "src/patchloom/server/static/samples/rocket.jpg"
MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"
OPEN = """
const [data] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const files = new DataTransfer();
files.items.add(new File([bytes], "IMG_1.jpg", { type: "image/jpeg" }));
const input = document.getElementById("photo-file");
input.files = files.files;
input.dispatchEvent(new Event("change"));
"""
CANVAS = """
const { left, top, width, height } = document.getElementById("canvas").getBoundingClientRect();
return [left, top, width, height];
"""
OPENED = "document.body.classList.contains('open') && !document.body.classList.contains('loading')"
SETTLED = "document.getElementById('canvas').getAttribute('aria-busy') === 'false'"
MARKED = "document.getElementById('marked').textContent"
Point = tuple[int, int]


class Firefox:
    def __init__(self) -> None:
        from marionette_driver.marionette import Marionette

        self.driver = Marionette(bin=shutil.which("firefox-esr") or shutil.which("firefox"), headless=True)
        self.driver.start_session()
        self.open = self.driver.navigate
        self.close = self.driver.quit

    def run(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, script_args=list(given), sandbox=None)

    def drag(self, points: list[Point]) -> None:
        from marionette_driver.marionette import ActionSequence

        mouse = ActionSequence(self.driver, "pointer", "mouse", {"pointerType": "mouse"})
        mouse.pointer_move(*points[0]).pointer_down(0)
        for point in points[1:]:
            mouse.pointer_move(*point, duration=50)
        mouse.pointer_up(0).perform()

    def picture(self) -> bytes:
        return base64.b64decode(self.driver.screenshot(full=False))


class WebKit:
    def __init__(self) -> None:
        from selenium import webdriver
        from selenium.webdriver.webkitgtk.service import Service

        options = webdriver.WebKitGTKOptions()
        options.binary_location = MINI_BROWSER
        options.add_argument("--automation")
        self.driver = webdriver.WebKitGTK(options=options, service=Service("/usr/bin/WebKitWebDriver"))
        self.driver.set_window_size(1280, 800)
        self.open, self.close, self.run = self.driver.get, self.driver.quit, self.driver.execute_script
        self.picture = self.driver.get_screenshot_as_png

    def drag(self, points: list[Point]) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        actions = ActionBuilder(self.driver)
        actions.pointer_action.move_to_location(*points[0])
        actions.pointer_action.pointer_down()
        for point in points[1:]:
            actions.pointer_action.move_to_location(*point)
        actions.pointer_action.pointer_up()
        actions.perform()


def wait(browser: Firefox | WebKit, what: str, seconds: float = 60) -> None:
    """Until ``what`` is true in the page. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not browser.run(f"return {what};"):
        if time.monotonic() > end:
            raise TimeoutError(f"It did not come about that {what}.")
        time.sleep(0.05)


def walk(browser: Firefox | WebKit, step: Callable[[str], None]) -> None:
    """Goes through the page; ``step`` is told what has been done."""
    wait(browser, "!document.body.classList.contains('loading')")
    step(browser.run("return navigator.userAgent;"))
    browser.run(OPEN, base64.b64encode(SAMPLE.read_bytes()).decode())
    wait(browser, OPENED)
    time.sleep(1)  # smaller copies of the photo are made, and it is kept
    left, top, width, height = browser.run(CANVAS)

    def drag(*places: tuple[float, float]) -> str:
        browser.drag([(round(left + width * x), round(top + height * y)) for x, y in places])
        wait(browser, SETTLED)
        return str(browser.run(f"return {MARKED};"))

    step("a stroke: " + drag((0.45, 0.5), (0.5, 0.55), (0.55, 0.5)))
    before = browser.run(f"return {MARKED};")
    browser.run("document.getElementById('grow').click();")
    wait(browser, f"{MARKED} !== '{before}'")
    step("grown: " + browser.run(f"return {MARKED};"))
    browser.run("document.querySelector('input[name=preset][value=fast]').click();")
    browser.run("document.getElementById('fill').click();")
    asked = "document.getElementById('hint-no').offsetParent"
    wait(browser, f"!document.getElementById('run').hidden || document.querySelector('.version') || {asked}")
    browser.run(f"if ({asked}) document.getElementById('hint-no').click();")
    wait(browser, "document.querySelector('.version:not(.pending)') && document.getElementById('run').hidden", 120)
    time.sleep(0.5)
    step("filled")
    browser.run("document.querySelector('[data-tool=select]').click();")
    step("an object: " + drag((0.3, 0.7), (0.32, 0.7), (0.34, 0.72)))
    time.sleep(1)  # it is kept
    marked = browser.run(f"return {MARKED};")
    browser.run("location.reload();")
    time.sleep(1)
    wait(browser, OPENED)
    wait(browser, f"{MARKED} === '{marked}' && document.querySelectorAll('.version').length === 1")
    time.sleep(0.5)
    step("loaded again: all is there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("browser", choices=["firefox", "webkit"])
    parser.add_argument("--pictures", type=Path, help="a picture of the page after each step, into this folder")
    chosen = parser.parse_args()
    browser = Firefox() if chosen.browser == "firefox" else WebKit()
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    began = time.monotonic()
    steps = 0

    def step(text: str) -> None:
        nonlocal steps
        print(f"{time.monotonic() - began:5.1f} s  {text}")
        if chosen.pictures:
            chosen.pictures.mkdir(parents=True, exist_ok=True)
            (chosen.pictures / f"{chosen.browser}-{steps}.png").write_bytes(browser.picture())
        steps += 1

    try:
        assert server.stderr is not None
        browser.open(re.findall(r"http://\S+", next(line for line in server.stderr if "http://" in line))[0])
        walk(browser, step)
    finally:
        browser.close()
        server.terminate()
        server.communicate(timeout=20)


if __name__ == "__main__":
    main()
