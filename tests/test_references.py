"""Other pictures of the scene: what they show comes back, what they cannot show does no harm."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from boxes import boxes
from patchloom import Inpainter, InputError, Mask, Photo, Reference, burst, cli, fill_settings, inpaint
from patchloom.burst import cleared
from patchloom.method.reference import exposed, reference_fill

cv2 = pytest.importorskip("cv2", reason="needs patchloom[align]")

SIZE = 192
QUICK = {"preset": "fast", "texture": "none", "content": "none", "iterations": 0}
HOLE = (slice(80, 112), slice(70, 118))


def scene(seed: int) -> np.ndarray:
    return boxes(seed, SIZE)


def seen_from(picture: np.ndarray, degrees: float, scale: float, gain: float = 1.0) -> np.ndarray:
    """The same scene by a turned camera with another lens and exposure."""
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), degrees, scale)
    turned = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.rint((turned * gain).clip(0, 255)).astype(np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[HOLE] = True
    return mask


def psnr(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> float:
    return float(-10 * np.log10(max(1e-9, np.square((a.astype(float) - b) / 255)[where].mean())))


@pytest.mark.parametrize(("degrees", "scale", "gain"), [(0, 1, 1), (6, 1.1, 0.75), (-9, 1.15, 1.15)])
def test_an_aligned_reference_gives_the_hidden_pixels_back(
    mask: np.ndarray, degrees: float, scale: float, gain: float
) -> None:
    truth = scene(1)
    shot = np.where(mask[..., None], 0, truth).astype(np.uint8)
    filled = inpaint(shot, mask, references=[seen_from(truth, degrees, scale, gain)], **QUICK)
    assert psnr(filled, truth, mask) > 30
    np.testing.assert_array_equal(filled[~mask], shot[~mask])


def test_where_only_aligned_ones_count_an_unrelated_reference_changes_nothing_and_that_is_said(
    mask: np.ndarray,
) -> None:
    shot, settings = Photo.from_array(scene(1)), fill_settings(align="always", **QUICK)
    without = Inpainter().inpaint(shot, Mask(mask), settings)
    given = [Reference(Photo.from_array(scene(2)), "other.jpg"), Reference(Photo.from_array(scene(1)[:9]), "tiny")]
    result = Inpainter().inpaint(shot, Mask(mask), settings, references=given)
    np.testing.assert_array_equal(result.photo.pixels, without.photo.pixels)
    assert [row["given"] for row in result.report["references"]] == [0, 0]
    assert "other.jpg: it does not show the same scene; it gives nothing" in result.report["warnings"][0]
    assert "smaller than" in result.report["warnings"][1]


@pytest.mark.parametrize("align", ["auto", "never"])
def test_texture_that_only_an_unaligned_reference_has_is_copied_from_it(mask: np.ndarray, align: str) -> None:
    """A wall whose only window has to go; another picture shows the wall's pattern, which the photograph has
    nowhere else. What is copied is said; the rest of the photograph is kept."""
    random = np.random.default_rng(3)
    pattern = ndimage.gaussian_filter(random.random((SIZE, 2 * SIZE, 3)), (2, 2, 0), mode="wrap")
    pattern = np.rint((pattern - pattern.min()) / np.ptp(pattern) * 255).astype(np.uint8)
    shot = np.full((SIZE, SIZE, 3), 128, np.uint8)
    near = np.s_[60:132, 50:138]
    shot[near] = pattern[near]
    allowed = np.ones((SIZE, SIZE), bool)
    allowed[near] = False
    tiny = Reference(Photo.from_array(pattern[:8, :8]), "wall.jpg")  # of the same name, from another folder
    given = [tiny, Reference(Photo.from_array(pattern), "wall.jpg")]
    settings = fill_settings(align=align, **QUICK)
    result = Inpainter().inpaint(
        Photo.from_array(shot), Mask(mask), settings, source=Mask(allowed), references=given
    )
    nothing, row = result.report["references"]
    assert row["given"] + row["texture"] > 0.8
    assert nothing["given"] == nothing["texture"] == 0
    assert result.photo.pixels[mask].std() > 0.5 * shot[near].std()  # the grey wall alone would give none
    np.testing.assert_array_equal(result.photo.pixels[~mask], shot[~mask])


def test_a_reference_that_shows_something_else_or_the_same_is_not_used(mask: np.ndarray) -> None:
    truth = scene(1)
    shot = np.where(mask[..., None], scene(5), truth)
    other = truth.copy()
    other[66:130, 50:140] = scene(3)[66:130, 50:140]  # somebody stands there
    given = [Reference(Photo.from_array(each), str(name)) for name, each in enumerate([shot, other, truth])]
    settings = fill_settings(**QUICK)
    result = Inpainter().inpaint(Photo.from_array(shot), Mask(mask), settings, references=given)
    same, first, second = result.report["references"]
    assert same["aligned"] and same["given"] == 0 and "the same" in same["why"]
    assert first["aligned"] and first["given"] == 0 and "something else" in first["why"]
    assert second["given"] == 1
    assert psnr(result.photo.pixels, truth, mask) > 40


def test_exposures_are_brought_together() -> None:
    random = np.random.default_rng(0)
    other = random.uniform(0.1, 0.9, (40, 40, 3)).astype(np.float32)
    picture = (0.8 * other**1.3).astype(np.float32)
    picture[:8] = random.uniform(0, 1, (8, 40, 3))  # a fifth shows something else
    found = exposed(other, picture, np.ones((40, 40), bool))
    np.testing.assert_allclose(found[8:], picture[8:], atol=2e-3)


def test_what_is_left_at_the_rim_is_spread_over_the_hole(mask: np.ndarray) -> None:
    """A reference that is darker by a ramp comes back as the photograph: the ramp is harmonic."""
    truth = scene(1).astype(np.float32) / 255
    ramp = np.linspace(-0.03, 0.03, SIZE, dtype=np.float32)[None, :, None]
    found = reference_fill(np.where(mask[..., None], 0, truth), mask, truth + ramp, np.ones_like(mask))
    assert found.taken[HOLE].all()
    assert np.abs(found.picture - truth)[mask].max() < 0.02
    np.testing.assert_array_equal(found.picture[~mask], truth[~mask])


def test_like_colours_by_chance_are_not_the_same_scene(mask: np.ndarray) -> None:
    """Two meadows: the same green and light, and no blade of grass in common. Noise is no other meadow."""
    meadows = [
        0.5
        + 0.03
        * ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, (SIZE, SIZE, 1)), (2, 2, 0))
        / 0.14
        for seed in (0, 1)
    ]
    photo, other = (np.repeat(each, 3, 2).astype(np.float32) for each in meadows)
    noisy = (photo + np.random.default_rng(2).normal(0, 0.03, photo.shape)).astype(np.float32)
    shot = np.where(mask[..., None], 0, photo).astype(np.float32)
    assert not reference_fill(shot, mask, other, np.ones_like(mask)).taken.any()
    assert reference_fill(shot, mask, noisy, np.ones_like(mask)).taken[HOLE].all()


def shots() -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """The empty scene, four shots of it with somebody at another place in each, and where he is in the first."""
    empty = scene(4)
    taken = []
    for number in range(4):
        shot = seen_from(empty, (0, 1.5, -1, 2)[number], (1, 1.06, 1.05, 1.07)[number])
        left = 20 + 40 * number
        shot[60:110, left : left + 20] = (250, 20, 240)
        taken.append(shot)
    there = np.zeros((SIZE, SIZE), bool)
    there[60:110, 20:40] = True
    return empty, taken, there


def test_what_moves_is_taken_out_of_a_burst() -> None:
    empty, taken, there = shots()
    given = [Reference(Photo.from_array(shot), str(number)) for number, shot in enumerate(taken)]
    result = cleared(given, settings=fill_settings(**QUICK))
    assert psnr(result.photo.pixels, empty, there) > 27
    changed = (result.photo.pixels != taken[0]).any(2)
    assert not changed[ndimage.distance_transform_edt(~there) > 16].any()
    assert all(row["aligned"] for row in result.report["references"])
    with pytest.raises(InputError, match="nobody can say"):
        cleared(given[:2])
    with pytest.raises(InputError, match="no burst"):
        cleared(given[:1])
    strangers = [given[0], *(Reference(Photo.from_array(scene(n)), "x") for n in (7, 8))]
    with pytest.raises(InputError, match="Fewer than three"):
        cleared(strangers)


def test_a_burst_of_any_kind_comes_back_as_its_first_shot() -> None:
    _, taken, there = shots()
    cleaned = burst(taken, **QUICK)
    assert isinstance(cleaned, np.ndarray) and (cleaned != taken[0]).any(2)[there].mean() > 0.5
    assert isinstance(burst([Image.fromarray(shot) for shot in taken[:2]], there, **QUICK), Image.Image)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mask: np.ndarray) -> None:
    monkeypatch.chdir(tmp_path)
    empty, taken, there = shots()
    Path("shots").mkdir()
    for number, shot in enumerate(taken):
        Image.fromarray(shot).save(f"shots/{number}.png")
    Image.fromarray(there).save("mask.png")
    fast = ["--preset", "fast", "--texture", "none", "--content", "none", "--iterations", "0", "-q"]
    report = ["--report", "r.json"]
    assert cli.run(["fill", "shots/0.png", "mask.png", "--reference", "shots", "-o", "a.png", *report, *fast]) == 0
    assert psnr(Photo.open("a.png").pixels, empty, there) > 27
    names = [row["name"] for row in json.loads(Path("r.json").read_text())["references"]]
    assert names == ["0.png", "1.png", "2.png", "3.png"]
    assert cli.run(["burst", "shots", "-o", "b.png", *fast]) == 0
    assert cli.run(["burst", "shots/0.png", "shots/1.png", "--mask", "mask.png", "-o", "c.png", *fast]) == 0
    assert psnr(Photo.open("c.png").pixels, empty, there) > 27
    assert cli.run(["fill", "shots/0.png", "mask.png", "--reference", "none.jpg", "-o", "d.png", *fast]) == 3
    Path("empty").mkdir()
    assert cli.run(["fill", "shots/0.png", "mask.png", "--reference", "empty", "-o", "d.png", *fast]) == 3
