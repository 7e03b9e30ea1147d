"""A server as a user starts it (under a sub-path), and the system's Chromium with nothing of its own to say."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from browser_page import CHROMIUM, COUNT_FILLS, DESKTOP, QUIET


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("jobs")
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0", "--folder", str(folder)]
    server = subprocess.Popen([*command, "--root-path", "/tools/patchloom"], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    line = next(line for line in server.stderr if "http://" in line)
    yield re.findall(r"http://\S+", line)[0]
    server.terminate()
    server.communicate(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as runner:
        chromium = runner.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """``open_page(PHONE, color_scheme="dark")``: the page in a fresh profile, or in a new tab
    ``beside`` another page. Fails the test if the page logs an
    error or asks another machine for anything."""
    contexts, complaints = [], []

    def begin(device: dict[str, Any] = DESKTOP, beside: Any = None, **options: Any) -> Any:
        if beside is None:
            contexts.append(browser.new_context(**device, **{"locale": "en-US", **options}, accept_downloads=True))
            contexts[-1].add_init_script(COUNT_FILLS)
        context = contexts[-1] if beside is None else beside.context
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((address, "blob:" + address[:20])) or complaints.append(request.url)
            ),
        )
        page.goto(address)
        page.wait_for_selector("#presets label", state="attached")
        page.wait_for_selector("body:not(.loading)")
        return page

    yield begin
    for context in contexts:
        context.close()
    assert not complaints
