"""Cancelling, errors' exit codes, and how events are told to people and programs."""

import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from patchloom import Cancelled, CancelToken, PatchloomError, errors
from patchloom.cli.interrupt import interruptible
from patchloom.console import Console, described
from patchloom.events import (
    CaseDone,
    Event,
    FillDone,
    FillStarted,
    LevelDone,
    LevelStarted,
    Step,
    TrainStep,
    Warned,
    as_json,
)

EVENTS: list[Event] = [
    FillStarted(width=640, height=480, windows=2, hole_share=0.051),
    LevelStarted(window=0, windows=2, level=0, levels=3, width=80, height=60, stage="patches"),
    Step(level=0, step=1, of=15, fraction=0.1, losses={"texture": 1.5}),
    LevelDone(window=0, level=0, stage="patches", seconds=0.31),
    CaseDone(name="a.jpg", done=3, of=10, seconds=1.0),
    CaseDone(name="b.jpg", done=4, of=10, seconds=0.0, error="is empty."),
    TrainStep(step=5, of=100, epoch=1, losses={"l1": 0.2}, pictures_per_second=210.0, seconds_left=3700.0),
    Warned(message="Something to know."),
    FillDone(seconds=2.5),
]


def test_a_cancelled_token_stops_at_the_next_event_and_not_before() -> None:
    seen: list[Event] = []
    token = CancelToken()
    observe = token.guard(seen.append)
    observe(EVENTS[0])
    token.cancel()
    with pytest.raises(Cancelled):
        observe(EVENTS[1])
    assert seen == EVENTS[:1] and token.cancelled


def test_each_error_has_the_exit_code_its_tree_shows() -> None:
    """The tree in the module's docstring is the table of exit codes."""
    lines = (errors.__doc__ or "").splitlines()
    listed = {words[-2]: int(words[-1]) for line in lines if (words := line.split()) and words[-1].isdigit()}
    shown = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, PatchloomError)
    }
    for line in lines:
        for name, kind in shown.items():
            if f" {name} " in line + " ":
                numbers = [word for word in line.split() if word.isdigit()]
                assert numbers[:1] == [str(kind.exit_code)], name
    assert listed
    assert all(f" {name} " in " ".join(lines) + " " for name in shown)
    codes = [kind.code for kind in shown.values()]
    assert len(set(codes)) == len(codes)


def test_json_events_name_themselves_and_leave_out_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    with Console(json=True).listen() as observe:
        for event in EVENTS:
            observe(event)
    out, err = capsys.readouterr()
    assert out == ""
    rows = [json.loads(line) for line in err.splitlines()]
    names = "fill_started level_started step level_done case_done case_done train_step warned fill_done"
    assert [row["event"] for row in rows] == names.split()
    assert rows[2]["losses"] == {"texture": 1.5} and "preview" not in rows[2]
    assert as_json(EVENTS[4])["name"] == "a.jpg"


def test_without_a_terminal_there_is_a_line_a_level_and_quiet_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for console, count in ((Console(), 7), (Console(verbose=2), 8), (Console(quiet=True), 0)):
        with console.listen() as observe:
            for event in EVENTS:
                observe(event)
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == count
        assert "\x1b" not in err
    assert "b.jpg: failed: is empty." in described(EVENTS[5])
    assert "1:01:40 left" in described(EVENTS[6])


def test_on_a_terminal_there_is_a_bar_and_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    for variable in ("NO_COLOR", "FORCE_COLOR", "CI"):
        monkeypatch.delenv(variable, raising=False)
    texts = {}
    for color in ("auto", "never"):
        monkeypatch.setattr("sys.stderr", Terminal())
        with Console(color=color).listen() as observe:  # type: ignore[arg-type]
            for event in (EVENTS[0], EVENTS[-2], EVENTS[1], EVENTS[2]):
                observe(event)
        texts[color] = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert (
        "window 1/2, level 1/3, patches" in texts["auto"]
        and "1/15" in texts["auto"]
        and "note: Something to know." in texts["auto"]
    )
    assert "\x1b[3" in texts["auto"] and "\x1b[3" not in texts["never"]


def test_a_count_whose_end_nobody_knows_does_not_claim_one() -> None:
    assert described(CaseDone(name="a.tar", done=512, of=0, seconds=0.0)).startswith("512 a.tar")
    assert described(CaseDone(name="a.jpg", done=3, of=10, seconds=0.0)).startswith("3/10 a.jpg")


def test_tables_are_data_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Console(json=True).table("Things", ["name", "size"], [["a", 1], ["b", 2]])
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"name": "a", "size": 1}, {"name": "b", "size": 2}] and err == ""
    Console().table("Things", ["name", "size"], [["[bold]a", 1]])
    assert "[bold]a" in capsys.readouterr().out


@pytest.mark.parametrize(("pause", "reacts"), [(0.01, True), (30.0, False)])
def test_ctrl_c_stops_work_at_its_next_event_or_leaves_it(pause: float, reacts: bool) -> None:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    release, stopped = threading.Event(), threading.Event()

    def work(observe: Callable[[Event], None]) -> None:
        try:
            while not release.wait(pause):
                observe(EVENTS[2])
        except Cancelled:
            stopped.set()
            raise

    begun = time.monotonic()
    with pytest.raises(Cancelled, match="nothing was written"):
        interruptible(work, lambda event: None)
    assert stopped.is_set() == reacts
    assert time.monotonic() - begun < 10  # even on a busy machine, long before the work would look up
    release.set()


def test_the_works_result_and_its_errors_come_through() -> None:
    assert interruptible(lambda observe: 42, lambda event: None) == 42
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda observe: 1 // 0, lambda event: None)
