"""Takes the picture of the page that the README shows: ``python docs/page_picture.py`` writes docs/page.jpg.

Needs the development packages and Chromium. The photograph is the demo's (SpaceX, CC0).
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

DATA = Path(__file__).parents[1] / "src" / "patchloom" / "data"
OUT = Path(__file__).parent / "page.jpg"


def take(address: str) -> None:
    with sync_playwright() as runner:
        browser = runner.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1180, "height": 640})
        page.goto(address)
        page.wait_for_selector("#presets label")
        page.set_input_files("#photo-file", DATA / "rocket.jpg")
        page.wait_for_selector("body.open")
        page.set_input_files("#mask-file", DATA / "rocket-mask.png")
        page.wait_for_selector("#fill:enabled")
        page.click("#fill")
        page.wait_for_selector("#after-fill:not([hidden])", timeout=300_000)
        page.click("#compare")
        page.fill("#divider", "50")
        page.mouse.move(5, 630)
        page.wait_for_timeout(300)
        page.screenshot(path=OUT, type="jpeg", quality=88)
        browser.close()


def main() -> None:
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        take(re.findall(r"http://\S+", next(line for line in server.stderr if "http://" in line))[0])
    finally:
        server.terminate()
        server.communicate(timeout=20)


if __name__ == "__main__":
    main()
