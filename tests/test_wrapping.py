"""Edges that are neighbours: a fill does not know where a picture is cut; tiles have no seam."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from patchloom import Inpainter, Mask, Photo, SettingsError, fill_settings, inpaint, tile
from patchloom.cli import run
from patchloom.events import Event, FillDone, FillStarted, LevelDone, Step
from patchloom.wrapping import passes

QUICK = fill_settings("fast", content="none")


def texture(side: int = 128) -> np.ndarray:
    """Gravel, (side, side, 3); its edges do not fit."""
    grey = skimage.data.gravel()[:side, :side]
    return np.stack([grey, grey // 2 + 40, 255 - grey], axis=-1)


def step(picture: np.ndarray, axis: int) -> float:
    """The mean difference across the edge, over that between neighbours inside."""
    values = picture.astype(float)
    across = np.abs(values - np.roll(values, 1, axis)).mean((2, 1 - axis))
    return float(across[0] / across[1:].mean())


@pytest.mark.parametrize(("shift", "wrap"), [((0, 64), "x"), ((31, 0), "y"), ((64, 50), "xy")])
def test_a_picture_rolled_is_filled_the_same(shift: tuple[int, int], wrap: str) -> None:
    photo, hole = texture(), np.zeros((128, 128), bool)
    hole[100:] = True
    hole[40:100, 20:44] = True
    if "y" not in wrap:
        hole[100:] = False
    if wrap == "y":
        hole = hole.T.copy()
    filled = inpaint(photo, hole, preset="fast", content="none", wrap=wrap)
    rolled = inpaint(
        np.roll(photo, shift, (0, 1)), np.roll(hole, shift, (0, 1)), preset="fast", content="none", wrap=wrap
    )
    np.testing.assert_array_equal(rolled, np.roll(filled, shift, (0, 1)))
    np.testing.assert_array_equal(filled[~hole], photo[~hole])
    assert (filled[hole] != photo[hole]).any()


@pytest.mark.parametrize("shape", [(60, 90), (90, 60)])
def test_every_hole_is_filled_away_from_every_cut(shape: tuple[int, int]) -> None:
    """However holes lie: all in the first pass, and the last time that a pixel is filled it is not at a cut."""
    random = np.random.default_rng(4)
    for _ in range(40):
        hole = np.zeros(shape, bool)
        for _ in range(3):
            top, left = random.integers(0, shape)
            hole[top : top + random.integers(1, 70), left : left + random.integers(1, 70)] = True
        plan = passes(hole, (0, 1))
        if not hole.any() or hole.mean() > 0.6:
            continue
        np.testing.assert_array_equal(plan[0].hole, hole)
        assert len(plan) < 20
        for axis in (0, 1):
            last = np.full(shape, 10**6)  # how far from the cut each pixel was when it was filled last
            for shift, part in plan:
                place = (np.arange(shape[axis]) + shift[axis]) % shape[axis]
                away = np.minimum(place, shape[axis] - 1 - place)
                last = np.where(part, np.expand_dims(away, 1 - axis), last)
            assert last[hole].min() >= 4


def test_a_tile_has_no_seam_and_keeps_its_middle() -> None:
    photo = texture()
    assert min(step(photo, 0), step(photo, 1)) > 1.5
    with pytest.warns(UserWarning, match="44% of the photograph"):
        result = tile(photo, preset="fast", content="none", band=0.25)
    assert max(step(result, 0), step(result, 1)) < 1.3
    np.testing.assert_array_equal(result[16:-16, 16:-16], photo[16:-16, 16:-16])
    one_way = tile(photo, preset="fast", content="none", band=0.25, wrap="x")
    assert step(one_way, 1) < 1.3 < step(one_way, 0)
    np.testing.assert_array_equal(one_way[:, 16:-16], photo[:, 16:-16])


def wall(height: int, width: int, across: float, down: float) -> np.ndarray:
    """Bricks in running bond, every other row moved by half a brick, with noise."""
    y, x = np.mgrid[:height, :width]
    x = x + (y // down % 2) * across / 2
    mortar = (y % down < 3) | (x % across < 3)
    noisy = np.where(mortar, 190, 110) + np.random.default_rng(0).normal(0, 4, mortar.shape)
    return np.repeat(np.rint(noisy).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(("across", "down"), [(24, 14), (37.3, 22.4)])
def test_bricks_are_cut_to_whole_repeats_and_meet(across: float, down: float) -> None:
    """As many rows as two rows repeat, as many columns as one brick; then joints go on over the edges."""
    photo = wall(190, 230, across, down)
    made = tile(photo, repeat=True, preset="fast", content="none")
    for length, period in zip(made.shape[:2], (2 * down, across), strict=True):
        assert abs(length / period - round(length / period)) * period <= 1
    rolled = np.roll(made, (made.shape[0] // 2, made.shape[1] // 2), (0, 1)).astype(float)
    joint = (rolled.mean(2) > 150).mean()
    assert abs(joint - (photo.mean(2) > 150).mean()) < 0.02
    assert max(step(made, 0), step(made, 1)) < 1.3
    one_way = tile(photo, repeat=True, preset="fast", content="none", wrap="x")
    assert one_way.shape == (190, made.shape[1], 3)


def test_what_does_not_repeat_is_not_cut() -> None:
    for photo in (texture(96), np.full((64, 64, 3), 90, np.uint8), texture(96)[:2, :1]):
        with pytest.raises(SettingsError, match="repeats"):
            tile(photo, repeat=True)


def test_a_foot_of_a_panorama_has_no_seam() -> None:
    """A hole as wide as the picture, whose surroundings fit at the edges."""
    photo = np.concatenate([texture(), texture()[:, ::-1]], axis=1)[:96]
    hole = np.zeros(photo.shape[:2], bool)
    hole[70:] = True
    steps = []
    for wrap in ("off", "x"):
        filled = inpaint(np.where(hole[..., None], 0, photo), hole, preset="fast", content="none", wrap=wrap)
        steps.append(step(filled[70:], 1))
    assert steps[1] < 1.3 < steps[0]


def test_one_beginning_one_end_and_places_in_the_photograph() -> None:
    events: list[Event] = []
    hole = np.zeros((128, 128), bool)
    hole[:, :12] = hole[:, 120:] = hole[60:70] = True
    settings = fill_settings("fast", content="none", wrap="xy")
    result = Inpainter().inpaint(Photo.from_array(texture()), Mask(hole), settings, observe=events.append)
    assert [isinstance(one, FillStarted) for one in events].count(True) == 1
    assert isinstance(events[-1], FillDone)
    fractions = [one.fraction for one in events if isinstance(one, Step)]
    assert fractions == sorted(fractions) and 0.99 < fractions[-1] <= 1
    for event in events:
        if isinstance(event, LevelDone) and event.preview is not None:
            x, y, width, height = event.box
            assert 0 <= x <= 128 - width and 0 <= y <= 128 - height
    assert result.report["settings"]["wrap"] == "xy" and len(result.report["windows"]) > 1


def test_the_command_writes_a_tile_and_a_band_has_limits(tmp_path: Path) -> None:
    Image.fromarray(texture(64)).save(tmp_path / "gravel.png")
    assert run(["tile", str(tmp_path / "gravel.png"), "--preset", "fast"]) == 0
    with Image.open(tmp_path / "gravel.tile.png") as image:
        assert image.size == (64, 64)
    with pytest.raises(SettingsError):
        tile(texture(64), band=0.7)
