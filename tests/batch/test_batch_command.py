"""``patchloom batch`` with the real engine on small pictures: what a person at a shell gets."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from machines import Machines
from PIL import Image

from patchloom.batch.journal import JOURNAL
from patchloom.cli import run
from patchloom.outputs import read_records

QUICK = ("--preset", "fast", "--iterations", "2", "--content", "none")
BROKEN = ("p03.png", "p08.png")


def patchloom(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "patchloom", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def make_pictures(root: Path, count: int) -> None:
    """Seeded textures of 64 pixels with a hole each, two of the files cut short."""
    random = np.random.default_rng(7)
    for folder in ("photos", "masks"):
        (root / folder).mkdir()
    for number in range(count):
        name = f"p{number:02}.png"
        row, column = np.mgrid[:64, :64] / random.uniform(3, 9)
        wave = np.sin(row + number) + np.cos(column * (1 + number % 3))
        noise = random.normal(0, 8, (64, 64, 3))
        photo = (128 + 40 * wave[..., None] * random.uniform(0.5, 1, 3) + noise).clip(0, 255).astype(np.uint8)
        hole = np.zeros((64, 64), np.uint8)
        top, left = random.integers(8, 36, 2)
        hole[top : top + 16, left : left + 12] = 255
        Image.fromarray(photo).save(root / "photos" / name)
        Image.fromarray(hole).save(root / "masks" / name)
    for name in BROKEN:
        path = root / "photos" / name
        path.write_bytes(path.read_bytes()[:200])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("batch")
    make_pictures(root, 12)
    return root


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def records(folder: Path) -> list[dict[str, Any]]:
    return [record for record in read_records(folder / JOURNAL) if "status" in record]


def batch(folder: Path, out: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    return patchloom("batch", folder / "photos", "--masks", folder / "masks", "-o", out, *QUICK, *options)


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """The results of one worker; the exit code and messages are checked here."""
    done = batch(folder, folder / "alone", "--jobs", "1", "--report", folder / "report.json")
    assert done.returncode == 6, done.stderr
    for name in BROKEN:
        assert f"{name}: failed: " in done.stderr
    assert "Traceback" not in done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert (report["summary"]["done"], report["summary"]["failed"]) == (10, 2)
    return folder / "alone"


@pytest.mark.slow
def test_the_number_of_workers_changes_no_byte_and_fill_gives_the_same(folder: Path, alone: Path) -> None:
    assert len(results(alone)) == 10
    assert batch(folder, folder / "more", "--jobs", "3").returncode == 6
    assert results(folder / "more") == results(alone)
    single = folder / "single.png"
    done = patchloom(
        "fill", folder / "photos/p05.png", folder / "masks/p05.png", "-o", single, *QUICK, "--threads", "1"
    )
    assert done.returncode == 0, done.stderr
    assert single.read_bytes() == (alone / "p05.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_continues_and_does_each_picture_once(folder: Path, alone: Path, blow: int) -> None:
    out = folder / f"interrupted-{blow}"
    command = [
        sys.executable,
        "-m",
        "patchloom",
        "batch",
        folder / "photos",
        "--masks",
        folder / "masks",
        "-o",
        out,
    ]
    process = subprocess.Popen([*map(str, command), *QUICK, "--jobs", "2"], stderr=subprocess.PIPE, text=True)
    while len(results(out)) < 2 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(blow)
    messages = process.communicate(timeout=30)[1]
    assert process.returncode == (130 if blow == signal.SIGINT else -blow), messages
    assert "--resume" in messages or blow != signal.SIGINT
    first = len(results(out))
    assert first < 10, "the signal came too late to test anything"
    assert batch(folder, out, "--resume").returncode == 6
    assert results(out) == results(alone)
    lines = [json.loads(line) for line in (out / ".patchloom-journal.jsonl").read_text().splitlines()]
    done = [line["name"] for line in lines if line.get("status") == "done"]
    assert sorted(done) == sorted(results(alone))
    assert not list(out.glob(".*.part"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="starts a cluster through sh")
def test_a_cluster_gives_the_same_bytes_through_fsspec_addresses(folder: Path, alone: Path) -> None:
    pytest.importorskip("distributed")
    with Machines(folder / "machines") as machines:
        photos, masks, out = (f"local://{folder / name}" for name in ("photos", "masks", "remote"))
        journal = folder / "journal.jsonl"
        where = ["batch", photos, "--masks", masks, "-o", out, "--journal", journal]
        done = patchloom(*where, "--cluster", machines.address, *QUICK)
    assert done.returncode == 6, done.stderr
    for name in BROKEN:
        assert f"{name}: failed: " in done.stderr
    assert results(folder / "remote") == results(alone)


def test_a_dry_run_shows_pairs_and_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["batch", str(folder / "photos"), "--masks", str(folder / "masks"), "-o", str(folder / "dry")]
    assert run([*where, "--dry-run", "--jobs", "1", *QUICK]) == 0
    said = capsys.readouterr()
    assert "4.69%" in said.out  # 16 x 12 of 64 x 64
    assert "12 pictures" in said.err
    assert not (folder / "dry").exists()
    for name in BROKEN:
        (line,) = (line for line in said.out.splitlines() if name in line)
        assert "4.69%" not in line
    assert "2 of 12 pairs that were read cannot be filled" in said.err


def test_a_dry_run_says_what_the_run_will_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every pair whose fill fails has the same reason in the table; the time is measured."""
    make_pictures(tmp_path, 9)
    Image.new("L", (30, 20), 255).save(tmp_path / "masks" / "p00.png")  # of another size
    (tmp_path / "masks" / "p01.png").write_text("no picture")
    where = ["batch", str(tmp_path / "photos"), "--masks", str(tmp_path / "masks"), "-o", str(tmp_path / "out")]
    limits = ["--jobs", "2", "--max-memory", "900"]  # a worker's share is less than it has already
    assert run([*where, *limits, "--dry-run", *QUICK]) == 0
    said = capsys.readouterr()
    assert "4 of 9 pairs" in said.err and "0.0 s a picture" not in said.err
    report = tmp_path / "report.json"
    assert run([*where, *limits, "--report", str(report), *QUICK]) == 6
    table = " ".join(said.out.split())
    rows = json.loads(report.read_text())["pictures"]
    for row in rows:
        if row["status"] == "failed":
            assert row["error"][:30] in table, row
    assert sum(row["status"] == "failed" for row in rows) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere", "--masks", "masks", "-o", "x"], 3, "no folder 'nowhere'"),
        (["photos", "--masks", "nowhere", "-o", "x"], 3, "no mask file or folder"),
        (["photos", "--masks", "photos", "-o", "x"], 3, "--mask-suffix"),
        (["photos", "--masks", "masks", "-o", "photos"], 7, "another folder"),
        (["photos", "--masks", "masks", "-o", "alone"], 7, "--resume"),
        (["photos", "--masks", "masks", "-o", "x", "--resume", "--force"], 2, "Give one of"),
        pytest.param(
            ["photos", "--masks", "masks", "-o", "x", "--cluster", "tcp://127.0.0.1:1"],
            1,
            "no scheduler",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(
    folder: Path,
    alone: Path,
    arguments: Sequence[str],
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    assert run(["batch", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (folder / "x").exists() or not results(folder / "x")


@pytest.mark.slow
def test_watch_fills_what_appears(folder: Path, alone: Path) -> None:
    inbox, out = folder / "inbox", folder / "outbox"
    inbox.mkdir()
    command = [
        sys.executable,
        "-m",
        "patchloom",
        "batch",
        inbox,
        "--masks",
        folder / "masks",
        "-o",
        out,
        "--watch",
    ]
    process = subprocess.Popen([*map(str, command), *QUICK, "--jobs", "1"], stderr=subprocess.PIPE, text=True)
    data = (folder / "photos/p05.png").read_bytes()
    with (inbox / "p05.png").open("wb") as scanner:  # a slow one
        for part in (data[:1000], data[1000:]):
            scanner.write(part)
            scanner.flush()
            time.sleep(1)
    while process.poll() is None and not any(each["status"] == "done" for each in records(out)):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    messages = process.communicate(timeout=30)[1]
    assert process.returncode == 0, messages
    assert (out / "p05.png").read_bytes() == (alone / "p05.png").read_bytes()
    assert "1 done" in messages
