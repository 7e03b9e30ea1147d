"""`patchloom serve` from the outside."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from patchloom.cli import run
from patchloom.cli.serve import page_address, qr_code


def test_a_taken_port_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port)]) == 7
    said = capsys.readouterr().err
    assert f"Port {port}" in said and "--port" in said and "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--max-queue", "0"], ["--patience-seconds", "x"], ["--port", "99999"]])
def test_absurd_limits_are_refused(arguments: list[str]) -> None:
    assert run(["serve", *arguments]) == 2


def test_a_phone_is_told_an_address_that_it_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def address(number: str) -> SimpleNamespace:
        return SimpleNamespace(address=number, family=socket.AF_INET)

    cards = {"lo": "127.0.0.1", "docker0": "172.17.0.1", "old": "10.0.0.9", "wlan0": "192.168.1.7"}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {name: [address(each)] for name, each in cards.items()})
    monkeypatch.setattr(
        psutil, "net_if_stats", lambda: {name: SimpleNamespace(isup=name != "old") for name in cards}
    )
    told = page_address("0.0.0.0", 8080, "/p", "secret")
    assert told == "http://192.168.1.7:8080/p/?token=secret"
    cards.clear()
    assert socket.gethostname() in page_address("::", 8080, "", "")


def test_the_code_for_a_phone_says_the_address() -> None:
    cv2 = pytest.importorskip("cv2")
    text = "http://192.168.1.7:8080/?token=secret"
    light = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}
    rows = [[light[each] for each in row] for row in qr_code(text).splitlines()]
    picture = np.array([[cell[half] for cell in row] for row in rows for half in (0, 1)], np.uint8) * 255
    assert cv2.QRCodeDetector().detectAndDecode(picture.repeat(8, 0).repeat(8, 1))[0] == text


def hear_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would our child."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_stops_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "patchloom", "serve", "--port", "0", "--folder", str(tmp_path)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)
    assert server.stderr is not None
    next(line for line in server.stderr if "http://" in line)
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=20)
    assert (server.returncode, said.strip().splitlines()[-1]) == (0, "Stopped.")
    assert not list(tmp_path.iterdir()), "nothing is left behind"
