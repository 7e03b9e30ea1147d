"""A batch whose photos take from other pictures of their scenes."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from machines import Machines
from PIL import Image

from boxes import boxes
from patchloom.batch.journal import JOURNAL
from patchloom.cli import run

pytest.importorskip("cv2", reason="needs patchloom[align]")

SIZE = 160
HOLE = (slice(60, 90), slice(50, 90))
QUICK = ("--preset", "fast", "--texture", "none", "--content", "none", "-q")


def scene(seed: int) -> np.ndarray:
    return boxes(seed, SIZE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos, a and b, with something in the way, a mask of it, and the same scenes without it, darker."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "refs"):
        Path(name).mkdir()
    for number, name in enumerate("ab"):
        shot = scene(number)
        Image.fromarray((shot * 0.8).astype(np.uint8)).save(f"refs/{name}-later.png")
        shot[HOLE] = (250, 20, 240)
        Image.fromarray(shot).save(f"photos/{name}.png")
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[HOLE] = 255
    Image.fromarray(mask).save("mask.png")
    return tmp_path


def batch(*options: str, out: str = "out", photos: str = "photos") -> int:
    return run(["batch", photos, "--masks", "mask.png", "-o", out, "--jobs", "1", *QUICK, *options])


def error(number: int, result: Path) -> float:
    found = np.asarray(Image.open(result)).astype(float)
    return float(np.sqrt(np.square(found - scene(number))[HOLE].mean()))


def test_what_references_show_is_taken_and_reported_and_changed_ones_are_taken_again(folder: Path) -> None:
    refs = ("--references", "refs/{stem}-*.png")
    assert batch(*refs, "--report", "r.json") == 0
    assert max(error(0, Path("out/a.png")), error(1, Path("out/b.png"))) < 8
    rows = {row["name"]: row["references"] for row in json.loads(Path("r.json").read_text())["pictures"]}
    assert [(each["name"], each["given"]) for each in rows["a.png"]] == [("a-later.png", 1)]
    Image.fromarray(scene(9)).save("refs/b-later.png")  # another scene
    Path("refs/a-torn.png").write_bytes(Path("refs/a-later.png").read_bytes()[:500])
    assert batch(*refs, "--resume", "--report", "s.json") == 6
    rows = {row["name"]: row for row in json.loads(Path("s.json").read_text())["pictures"]}
    assert rows["a.png"]["status"] == "failed" and "The reference 'a-torn.png' is " in rows["a.png"]["error"]
    assert rows["b.png"]["status"] == "done" and "does not show the same scene" in rows["b.png"]["warnings"][0]
    Path("refs/a-torn.png").unlink()
    assert batch(*refs, "--resume") == 0
    ends = [
        json.loads(line)["status"] for line in Path("out", JOURNAL).read_text().splitlines() if "status" in line
    ]
    assert ends.count("kept") == 2  # a is as it was in the first run, b as in the second


def test_what_cannot_be_paired_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loud = [option for option in QUICK if option != "-q"]
    where = ["batch", "photos", "--masks", "mask.png", "--jobs", "1", *loud]
    assert run([*where, "-o", "x", "--references", "nowhere/{stem}*"]) == 3
    assert "no folder 'nowhere/'" in capsys.readouterr().err
    assert run([*where, "-o", "refs", "--references", "refs"]) == 7
    assert run([*where, "-o", "y", "--references", "refs"]) == 0  # by stem: there are none of these names
    said = capsys.readouterr().err
    assert "2 photos have no reference, for example a.png" in said
    assert "2 references belong to no photo, for example a-later.png" in said


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="starts a cluster through sh")
def test_a_cluster_takes_from_references_at_addresses(folder: Path) -> None:
    pytest.importorskip("distributed")
    with Machines(folder / "machines", workers=1) as machines:
        where = f"local://{folder}"
        assert batch("--references", f"{where}/refs/{{stem}}-*.png", "--cluster", machines.address) == 0
    assert max(error(0, Path("out/a.png")), error(1, Path("out/b.png"))) < 8
