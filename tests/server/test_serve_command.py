"""`patchloom serve` from the outside."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from patchloom.cli import run


def test_a_taken_port_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["serve", "--port", str(port)]) == 7
    said = capsys.readouterr().err
    assert f"Port {port}" in said and "--port" in said and "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--max-queue", "0"], ["--patience-seconds", "x"], ["--port", "99999"]])
def test_absurd_limits_are_refused(arguments: list[str]) -> None:
    assert run(["serve", *arguments]) == 2


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
