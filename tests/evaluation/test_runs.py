"""Runs: what is stored, what is made again, what a failure costs; reports and the command line on top."""

import csv
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from patchloom.cli import run as command_line
from patchloom.errors import PatchloomError, SettingsError
from patchloom.evaluation.peers import PEERS, parse_method
from patchloom.evaluation.runs import fill_path, prepare_cases, read_results, run
from patchloom.evaluation.worker import Worker
from patchloom.events import CaseDone, Event
from patchloom.formats import pictures_among

COPY = "copy=cp {image} {out}"  # a program that fills nothing: it gives back the blackened hole


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.RandomState(0)
    for name in ("first", "second"):
        Image.fromarray(random.randint(1, 256, (64, 80, 3)).astype(np.uint8)).save(folder / f"{name}.png")
    return folder


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_a_run_stores_fills_and_makes_none_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    cases = prepare_cases(pictures_among([photos]), ["center:0.5", "random:thick"], out)
    events: list[Event] = []
    results = run(cases, [parse_method(COPY)], out, observe=events.append)
    assert len(results) == 4 and not any(result.error for result in results.values())
    assert [event.done for event in events if isinstance(event, CaseDone)] == [1, 2, 3, 4]
    for case in cases:
        fill = picture(fill_path(out, case, "copy"))
        assert (fill[case.mask()] == 0).all(), "the method saw what it was to guess"
        assert (fill == case.truth())[~case.mask()].all()

    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    lines = (out / "results.jsonl").read_text()
    run(prepare_cases(pictures_among([photos]), ["center:0.5", "random:thick"], out), [parse_method(COPY)], out)
    assert (out / "results.jsonl").read_text() == lines
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.png")} == stamps


def test_another_hole_another_spec_and_a_failure_are_made_again(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    cases = prepare_cases(pictures_among([photos])[:1], ["blobs"], out, seed=1)
    failed = run(cases, [parse_method("m=false {out}")], out)
    assert [result.error for result in failed.values()] == ["'false' failed with exit code 1: nothing said"]
    assert not next(iter(run(cases, [parse_method("m=cp {image} {out}")], out).values())).error
    other = prepare_cases(pictures_among([photos])[:1], ["blobs"], out, seed=2)
    assert other[0].digest != cases[0].digest
    run(other, [parse_method("m=cp {image} {out}")], out)
    assert len(read_results(out)) == 2
    fill = picture(fill_path(out, other[0], "m"))
    assert (fill[other[0].mask()] == 0).all()


def test_a_dead_process_and_a_slow_one_cost_one_fill_each() -> None:
    photo, hole = np.full((32, 32, 3), 7, np.uint8), np.zeros((32, 32), bool)
    hole[8:16, 8:16] = True
    with Worker(parse_method(COPY), 60) as worker:
        assert worker.fill(photo, hole).picture is not None
        os.kill(worker.pid, signal.SIGKILL)
        assert "killed by signal 9" in worker.fill(photo, hole).error
        fill = worker.fill(photo, hole)
        assert fill.picture is not None and fill.seconds > 0 and fill.peak_mb > 1
    with Worker(parse_method(f"slow={sys.executable} -c 'import time; time.sleep(60)' {{out}}"), 1) as worker:
        assert worker.fill(photo, hole).error == "It took longer than 1 s."


@pytest.mark.parametrize("name", ["telea", "navier-stokes", "biharmonic", "membrane", "pypatchmatch", "fsr-fast"])
def test_a_peer_continues_a_plain_picture_and_leaves_what_is_known(name: str) -> None:
    peer = PEERS[name]
    try:
        peer.prepare()
    except PatchloomError as error:
        pytest.skip(str(error))
    photo, hole = np.empty((48, 48, 3), np.uint8), np.zeros((48, 48), bool)
    photo[:] = (200, 100, 50)
    hole[16:30, 18:30] = True
    filled = peer.fill(np.where(hole[..., None], np.uint8(0), photo), hole)
    assert (filled == photo)[~hole].all()
    assert np.abs(filled.astype(int) - photo).max() <= 3


@pytest.mark.parametrize(
    "text", ["nothing", "balanced+nothing=1", "balanced+iterations=many", "x=prog {image}", "a/b=fast"]
)
def test_a_method_that_means_nothing_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_method(text)
    assert caught.value.hint


def test_settings_reach_the_engine_as_numbers() -> None:
    method = parse_method("mine=fast+iterations=2+guide_weight=0.5+layers=relu1_1,relu2_1")
    settings = method.peer().settings  # type: ignore[attr-defined]
    assert method.name == "mine" and settings.preset == "fast"
    assert (settings.iterations, settings.guide_weight, settings.layers) == (2, 0.5, "relu1_1,relu2_1")


def test_the_command_writes_a_report_and_names_what_is_missing(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, vote = tmp_path / "run", tmp_path / "vote.html"
    arguments = [
        "evaluate",
        str(photos),
        "--holes",
        "center:0.5",
        "--holes",
        "boxes",
        "--methods",
        "telea",
        "--judge",
    ]
    arguments += ["none", "--method", COPY, "--method", "gone=no-such-program {out}", "--out", str(out)]
    assert command_line([*arguments, "--vote", str(vote), "--no-progress"]) == 0
    said = capsys.readouterr()
    assert "telea" in said.out and "no-such-program" in said.err

    data = json.loads((out / "metrics.json").read_text())
    assert {(row["method"], row["region"]) for row in data["rows"]} == {
        (method, region) for method in ("telea", "copy") for region in ("hole", "rim", "image")
    }
    assert data["failed"][0]["method"] == "gone" and data["failed"][0]["fills"] == 4
    means = {row["method"]: row for row in data["summary"] if row["region"] == "hole" and row["bucket"] == "all"}
    rows = [row for row in data["rows"] if row["method"] == "telea" and row["region"] == "hole"]
    assert means["telea"]["count"] == 4
    assert means["telea"]["psnr"] == pytest.approx(np.mean([row["psnr"] for row in rows]), abs=1e-4)
    assert means["telea"]["psnr"] > means["copy"]["psnr"]
    with (out / "metrics.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(data["rows"])
    page = (out / "report.html").read_text()
    assert "no-such-program" in page and "http://" not in page.replace("http://www.w3.org", "")
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.height == 4 * (256 + 20)
    assert vote.read_text().count("data:image/jpeg") == 8  # 4 comparisons of 2

    assert command_line([*arguments[:6], "--methods", "navier-stokes", "--judge", "none", "--out", str(out)]) == 0
    capsys.readouterr()
    again = json.loads((out / "metrics.json").read_text())
    assert {row["method"] for row in again["rows"]} == {"telea", "copy", "navier-stokes"}
    assert [row for row in again["rows"] if row["method"] == "telea"] == rows_of(data, "telea")


def rows_of(data: Any, method: str) -> list[Any]:
    return [row for row in data["rows"] if row["method"] == method]


def test_votes_are_counted_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = [{"case": f"c{i}", "left": "ours", "right": "theirs", "choice": "left"} for i in range(9)]
    answers += [{"case": "c9", "left": "theirs", "right": "ours", "choice": "left"}]
    (tmp_path / "votes.json").write_text(json.dumps({"votes": answers}))
    assert command_line(["evaluate", "votes", str(tmp_path / "votes.json"), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first["method"] == "ours" and first["win rate %"] == "90.0" and first["ln strength"] == "+1.10"


def test_two_pictures_of_one_name_and_an_empty_folder_are_refused(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        command_line(["evaluate", str(tmp_path / "empty"), "--holes", "boxes", "--out", str(tmp_path / "o")]) == 3
    )
    twice = [str(photos / "first.png")] * 2
    assert (
        command_line(["evaluate", *twice, "--holes", "boxes", "--judge", "none", "--out", str(tmp_path / "o")])
        == 3
    )
