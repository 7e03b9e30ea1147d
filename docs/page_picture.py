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
        page = browser.new_page(viewport={"width": 1280, "height": 740}, locale="en-US")
        page.goto(address)
        page.click("[data-sample='rocket.jpg']")
        page.wait_for_selector("body.open")
        page.set_input_files("#mask-file", DATA / "rocket-mask.png")
        page.wait_for_selector("#fill:enabled")
        for _ in range(2):
            page.click("#fill:visible, #again:visible")
            page.wait_for_selector("#run:visible, #hint-no:visible")
            if page.is_visible("#hint-no"):
                page.click("#hint-no")
                page.wait_for_selector("#run", state="visible")
            page.wait_for_selector("#run", state="hidden", timeout=300_000)
        page.click("#compare")
        page.fill("#divider", "50")
        page.mouse.move(5, 5)
        page.wait_for_timeout(600)
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
