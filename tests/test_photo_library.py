"""A library of photographs: the one that shows what is round the hole is found, and what changed is noticed."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from patchloom import Inpainter, InputError, Mask, Photo, cli, fill_settings
from patchloom.library import Library, build
from patchloom.method.layout import LENGTH, VIEWS, distances
from patchloom.tensors.threads import working

QUICK = {"preset": "fast", "texture": "none", "content": "none", "iterations": 0}
PICTURES = 12


def scene(seed: int, size: int = 128) -> np.ndarray:
    """(size, size, 3) uint8: blots of many colours."""
    noise = np.random.default_rng(seed).random((size, size, 3))
    smooth = ndimage.gaussian_filter(noise, (6, 6, 0), mode="wrap")
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    return np.rint(smooth * 255).astype(np.uint8)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    (folder / "more").mkdir(parents=True)
    for number in range(PICTURES):
        where = folder / "more" if number % 2 else folder
        Image.fromarray(scene(number)).save(where / f"{number:02}.png")
    return folder


def hole(size: int = 128) -> Mask:
    marked = np.zeros((size, size), bool)
    marked[48:80, 44:76] = True
    return Mask(marked)


def shot_of(truth: np.ndarray, mask: Mask) -> Photo:
    return Photo.from_array(np.where(mask.hole[..., None], 0, truth).astype(np.uint8))


def test_the_photograph_whose_piece_is_missing_is_found_first(photographs: Path, tmp_path: Path) -> None:
    """Of a photograph in the library, a little lighter and with a hole; of a view of one; and it is filled from
    there."""
    assert build(photographs, tmp_path / "lib", recursive=True).pictures == PICTURES
    library = Library(tmp_path / "lib")
    for number in (3, 8):
        lighter = (scene(number) * 0.9 + 12).astype(np.uint8)
        names = [Path(one.name).name for one in library.like(shot_of(lighter, hole()), hole(), 3)]
        assert names[0] == f"{number:02}.png" and len(names) == 3
    part = np.array(Image.fromarray(scene(5)[:64, 64:]).resize((128, 128), Image.Resampling.BICUBIC))
    assert "05.png" in library.like(shot_of(part, hole()), hole(), 1)[0].name

    truth = (scene(3) * 0.9 + 12).astype(np.uint8)
    shot = shot_of(truth, hole())
    like = library.like(shot, hole(), 2)
    result = Inpainter().inpaint(shot, hole(), fill_settings(**QUICK), references=like)
    shares = {Path(row["name"]).name: row["texture"] for row in result.report["references"]}
    assert shares["03.png"] > 0.5 and not result.report["warnings"]
    outside = ~hole().hole
    np.testing.assert_array_equal(result.photo.pixels[outside], shot.pixels[outside])


def test_the_photograph_itself_is_not_copied_from(photographs: Path, tmp_path: Path) -> None:
    """It holds what has to go."""
    build(photographs, tmp_path / "lib")
    photo = Photo.open(photographs / "04.png")
    assert all("04.png" not in one.name for one in Library(tmp_path / "lib").like(photo, hole(), 5))


def test_what_is_new_changed_or_gone_is_noticed(photographs: Path, tmp_path: Path) -> None:
    """In the end the library is what a new one would be; a killed build costs its last pictures."""
    folder, pictures = tmp_path / "lib", photographs / "more"
    assert build(pictures, folder) == build(pictures, tmp_path / "other")
    assert build(pictures, folder).new == 0
    (pictures / "01.png").unlink()
    Image.fromarray(scene(77)).save(pictures / "03.png")
    os.utime(pictures / "03.png", ns=(1, 1))
    Image.fromarray(scene(78)).save(pictures / "new.png")
    Image.fromarray(scene(79)[:20, :20]).save(pictures / "small.png")
    (pictures / "no-picture.jpg").write_text("no picture")
    built = build(pictures, folder)
    assert (built.pictures, built.new, built.left_out) == (6, 2, 2)

    with (folder / "views.u8").open("r+b") as file:
        file.truncate(VIEWS * LENGTH * 4 + 100)
    assert len(Library(folder)) == 4
    assert build(pictures, folder).pictures == 6
    build(pictures, tmp_path / "anew")
    for one in (folder, tmp_path / "anew"):
        library = Library(one)
        rows = {picture.file: library.layouts[picture.row] for picture in library.pictures}
        if one == folder:
            before = rows
    assert rows.keys() == before.keys()
    assert all((rows[name] == before[name]).all() for name in rows)


def test_a_second_folder_goes_into_the_same_library(photographs: Path, tmp_path: Path) -> None:
    build(photographs, tmp_path / "lib")
    assert build(photographs / "more", tmp_path / "lib").pictures == PICTURES
    assert build(photographs, tmp_path / "lib", recursive=True).new == 0


def test_misses_are_weighted_squares() -> None:
    random = np.random.default_rng(0)
    stored = random.integers(0, 256, (9000, LENGTH), np.uint8)
    layout, weights = random.random(LENGTH, np.float32) * 255, random.random(LENGTH, np.float32)
    weights[::3] = 0
    with working(2):
        found = distances(stored, layout, weights)
    expected = (weights.astype(float) * (stored.astype(float) - layout) ** 2).sum(1)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_from_the_command_line(photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(shot_of((scene(2) * 0.9).astype(np.uint8), hole()).pixels).save("shot.png")
    Image.fromarray(hole().hole.astype(np.uint8) * 255).save("mask.png")
    assert cli.run(["library", "build", str(photographs), "-o", "lib", "--recursive"]) == 0
    quick = ["--preset", "fast", "--texture", "none", "--content", "none"]
    fill = ["fill", "shot.png", "mask.png", "--library", "lib", "--from-library", "2", *quick]
    assert cli.run([*fill, "-o", "filled.png", "--report", "report.json"]) == 0
    rows = json.loads(Path("report.json").read_text())["references"]
    assert len(rows) == 2 and rows[0]["name"].endswith("02.png")
    assert cli.run(["fill", "shot.png", "mask.png", "--library", "nowhere", "-o", "x.png"]) == InputError.exit_code
    assert cli.run(["library", "build", "nowhere", "-o", "lib"]) == InputError.exit_code
