"""Processes of our own: what they say, how they end, and with whom."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from patchloom.child import Child, ChildDied, End, JsonCodec, Link, PickleCodec, _live

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="sends signals")


def echo(link: Link, prefix: str) -> None:
    """Repeats what it is told; some words make it do other things."""
    while True:
        word = link.receive()
        if word == "leave":
            sys.exit(7)
        if word == "sleep":
            time.sleep(60)
        if word == "program":
            word = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid
        if word == "wait":
            while not link.stopped():
                time.sleep(0.01)
        link.send([prefix, word])


def born(codec: object = None) -> Child:
    return Child(echo, "said", name="echo", codec=codec or PickleCodec())  # type: ignore[arg-type]


def gone(pid: int, seconds: float = 10) -> bool:
    ends = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("codec", [PickleCodec(), JsonCodec()])
def test_tasks_go_there_and_answers_come_back_until_it_is_told_to_stop(codec: object) -> None:
    child = born(codec)
    child.give("one")
    assert child.receive(30) == ["said", "one"]
    child.give("wait")
    assert child.receive(0.1) is None
    child.ask_to_stop()
    assert child.receive(10) == ["said", "wait"]
    child.give("wait")
    assert child.receive(0.1) is None, "a new task begins afresh"
    assert child.memory_mb() > 5
    child.kill()
    assert not child.alive


def test_asking_ends_with_an_answer_or_with_the_child() -> None:
    heard: list[object] = []

    def hear(message: object) -> bool:
        heard.append(message)
        return True

    child = born()
    assert child.ask("one", hear, seconds=30) == End("answered")
    assert child.ask("wait", hear, seconds=30, stopped=lambda: True) == End("answered"), "it stopped in time"
    assert heard == [["said", "one"], ["said", "wait"]] and child.alive
    for task, limits, kind in (
        ("leave", {}, "died"),
        ("wait", {"seconds": 0}, "time"),
        ("wait", {"memory_mb": 1}, "memory"),
        ("sleep", {"stopped": lambda: True}, "stopped"),
    ):
        other = born()
        other.ask("one", hear, seconds=30)
        end = other.ask(task, hear, **{"seconds": 30, **limits})  # type: ignore[arg-type]
        assert end.kind == kind and not other.alive
        assert ("exit code 7" in end.how) == (kind == "died")
    child.kill()


def test_how_it_ended_is_told() -> None:
    child = born()
    child.give("leave")
    with pytest.raises(ChildDied, match="gone with exit code 7"):
        child.receive(30)
    other = born()
    other.give("one")
    other.receive(30)
    os.kill(other.pid, signal.SIGSEGV)
    with pytest.raises(ChildDied, match=r"killed by signal 11 \(SIGSEGV\)"):
        other.receive(30)
    with pytest.raises(ChildDied):
        other.give("two")
        other.receive(1)


def test_what_it_started_goes_with_it() -> None:
    child = born()
    child.give("program")
    program = child.receive(30)[1]
    child.kill()
    assert gone(program)


def test_it_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_child\n"
        "if __name__ == '__main__':\n"
        "    child = test_child.born()\n"
        "    child.give('one'); child.receive(60); child.give('wait')\n"
        "    print(child.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    assert gone(child)


@pytest.mark.parametrize("unread", [b"", b"what nobody reads any more"])
def test_a_parent_that_was_killed_is_no_error_of_the_child(unread: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setsid", lambda: None, raising=False)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    parents, connection = multiprocessing.Pipe()
    if unread:  # which resets the connection as its other end closes
        connection.send_bytes(unread)
    parents.close()
    _live(connection, multiprocessing.Event(), PickleCodec(), Link.receive, ())
