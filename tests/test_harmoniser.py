"""Objects in the light of their surroundings: what is known of the answer, and what must not change."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from patchloom import (
    Cancelled,
    CancelToken,
    Harmoniser,
    InputError,
    Mask,
    MaskError,
    Photo,
    Place,
    SettingsError,
    cli,
    harmonise,
    paste,
)
from patchloom.harmony.light import Adjustment, adjustment_of
from patchloom.method.grain import Grain, denoised, matched, measure
from patchloom.settings import HarmoniseSettings

SIZE = 128
OBJECT = (slice(40, 84), slice(44, 92))


@pytest.fixture
def scene() -> np.ndarray:
    """(H, W, 3) in 0..1: soft colours without edges, as a lens would draw them."""
    random = np.random.default_rng(3)
    fields = ndimage.gaussian_filter(random.standard_normal((SIZE, SIZE, 3)), (6, 6, 0))
    return (0.45 + 0.13 * fields / fields.std() + random.normal(0, 0.002, fields.shape)).clip(0.05, 0.95)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[OBJECT] = True
    return mask


def eight_bit(picture: np.ndarray) -> np.ndarray:
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def with_object(scene: np.ndarray, mask: np.ndarray, adjustment: Adjustment) -> np.ndarray:
    return np.where(mask[..., None], adjustment.apply(scene), scene)


def error(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    return float(np.sqrt(np.square(a.astype(float) - b)[mask].mean()))


@pytest.mark.parametrize(
    "change",
    [
        Adjustment(exposure=-0.7, warmth=0.2),
        Adjustment(exposure=0.4, tint=-0.1, contrast=-0.1),
        Adjustment(gamma=0.3, hue=0.15),
    ],
)
def test_what_was_done_to_an_object_is_found_and_undone(
    scene: np.ndarray, mask: np.ndarray, change: Adjustment
) -> None:
    changed = with_object(scene, mask, change).astype(np.float32)
    found, evidence = adjustment_of(changed, mask, ~mask)
    before, after = error(changed, scene, mask), error(found.apply(changed), scene, mask)
    assert evidence > 10
    assert after < before / 5


def test_an_object_that_fits_is_left_alone_bit_for_bit(scene: np.ndarray, mask: np.ndarray) -> None:
    photo = Photo.from_array(eight_bit(scene))
    result = Harmoniser().harmonise(photo, Mask(mask))
    assert result.report["left_alone"]
    np.testing.assert_array_equal(result.photo.pixels, photo.pixels)


def test_a_rougher_thing_in_the_right_light_keeps_its_roughness(scene: np.ndarray, mask: np.ndarray) -> None:
    """Fur before a wall: it looks noisier than its surroundings, and nobody put it there."""
    rough = scene + mask[..., None] * np.random.default_rng(5).normal(0, 0.03, scene.shape)
    photo = Photo.from_array(eight_bit(rough))
    result = Harmoniser().harmonise(photo, Mask(mask))
    assert result.report["grain"]["noise"] > 4 * result.report["grain_around"]["noise"]
    assert result.report["left_alone"]
    np.testing.assert_array_equal(result.photo.pixels, photo.pixels)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16, np.float32, np.float64])
def test_outside_the_mask_nothing_changes_at_any_depth(scene: np.ndarray, mask: np.ndarray, depth: type) -> None:
    changed = with_object(scene, mask, Adjustment(exposure=-0.8))
    top = np.iinfo(depth).max if np.issubdtype(depth, np.integer) else 1
    pixels = (changed * top).astype(depth)
    result = harmonise(pixels, mask)
    assert result.dtype == depth
    np.testing.assert_array_equal(result[~mask], pixels[~mask])
    assert error(result[..., :] / top, scene, mask) < error(changed, scene, mask) / 3
    np.testing.assert_array_equal(harmonise(pixels, mask, strength=0.0), pixels)


def test_transparency_is_kept_and_grey_stays_grey(scene: np.ndarray, mask: np.ndarray) -> None:
    changed = eight_bit(with_object(scene, mask, Adjustment(exposure=-0.8)))
    alpha = np.full((SIZE, SIZE), 255, np.uint8)
    alpha[:20] = 0
    np.testing.assert_array_equal(harmonise(np.dstack([changed, alpha]), mask)[..., 3], alpha)
    grey = changed.mean(2).astype(np.uint8)
    result = harmonise(grey, mask)
    assert result.shape == grey.shape
    assert error(result, eight_bit(scene).mean(2), mask) < error(grey, eight_bit(scene).mean(2), mask)


def test_a_blurred_edge_and_its_noise_are_measured() -> None:
    random = np.random.default_rng(0)
    step = np.zeros((96, 96, 3))
    step[:, 40:60] = 0.6
    every = np.ones((96, 96), bool)
    for blur, noise in ((0.8, 0.005), (1.5, 0.02)):
        picture = 0.2 + ndimage.gaussian_filter(step, (blur, blur, 0)) + random.normal(0, noise, step.shape)
        grain = measure(picture.astype(np.float32), every)
        assert grain is not None
        assert grain.noise == pytest.approx(noise, rel=0.25)
        if noise < 0.01:
            assert grain.blur == pytest.approx(blur, rel=0.25)


def test_noise_and_softness_that_only_the_object_has_are_taken_away(mask: np.ndarray) -> None:
    random = np.random.default_rng(1)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    truth = np.repeat((0.3 + 0.4 * ((rows // 12 + columns // 12) % 2))[..., None], 3, 2).astype(np.float32)
    clean, noisy = Grain(0.5, 0.002), Grain(0.5, 0.03)
    shown = np.where(mask[..., None], truth + random.normal(0, 0.03, truth.shape), truth).astype(np.float32)
    result = denoised(shown, mask, noisy, clean)
    assert error(result, truth, mask) < 0.8 * error(shown, truth, mask)
    np.testing.assert_array_equal(result[~mask], shown[~mask])

    soft = np.where(mask[..., None], ndimage.gaussian_filter(truth, (1.6, 1.6, 0)), truth)
    result = matched(soft, mask, Grain(1.7, 0.002), clean, 0)
    assert error(result, truth, mask) < 0.95 * error(soft, truth, mask)
    assert result.min() >= soft.min() and result.max() <= soft.max()  # no halos
    np.testing.assert_array_equal(matched(soft, mask, clean, clean, 0), soft)


def test_a_thing_is_put_where_it_is_said(scene: np.ndarray) -> None:
    photo, thing = eight_bit(scene), np.zeros((11, 21, 4), np.uint8)
    thing[..., :3] = np.random.default_rng(2).integers(0, 255, (11, 21, 3))
    thing[2:9, 3:18, 3] = 255
    result = paste(photo, thing, (60, 50), strength=0.0)
    expected = photo.copy()
    expected[47:54, 53:68] = thing[2:9, 3:18, :3]
    np.testing.assert_array_equal(result, expected)
    turned = paste(photo, thing, (60, 50, 1, 90), strength=0.0)  # counter-clockwise: the right side is on top
    np.testing.assert_array_equal(turned[43:58, 57:64], np.rot90(thing[2:9, 3:18, :3]))
    masked = paste(photo, thing[..., :3], (60, 50), mask=thing[..., 3], strength=0.0)
    np.testing.assert_array_equal(masked, expected)
    small = paste(photo, thing, (60, 50, 0.5), strength=0.0)
    assert 20 < (small != photo).any(2).sum() < 60


def test_the_texture_of_the_surroundings_can_be_taken(scene: np.ndarray, mask: np.ndarray) -> None:
    random = np.random.default_rng(4)
    rough = eight_bit(np.where(mask[..., None], scene, scene + random.normal(0, 0.06, (SIZE, SIZE, 1))))
    result = harmonise(rough, mask, style=True, iterations=10)
    outside = ~mask
    np.testing.assert_array_equal(result[outside], rough[outside])

    def roughness(picture: np.ndarray) -> float:
        return float(np.abs(np.diff(picture.astype(float), axis=1))[OBJECT].mean())

    assert roughness(result) > 1.5 * roughness(rough)


def test_bad_input_is_answered(scene: np.ndarray, mask: np.ndarray) -> None:
    photo = eight_bit(scene)
    with pytest.raises(MaskError, match="whole photograph"):
        harmonise(photo, np.ones_like(mask))
    with pytest.raises(MaskError, match="pixels, the photo"):
        harmonise(photo, mask[:-1])
    with pytest.raises(InputError, match="Nothing of the object"):
        paste(photo, photo[:9, :9], (400, 20))
    with pytest.raises(InputError, match="covers the whole"):
        paste(photo, photo, (64, 64, 2))
    with pytest.raises(SettingsError, match="cannot be put"):
        Place(3, 4, 0)
    with pytest.warns(UserWarning, match="marks nothing"):
        np.testing.assert_array_equal(harmonise(photo, np.zeros_like(mask)), photo)


def test_it_stops_when_told(scene: np.ndarray, mask: np.ndarray) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        harmonise(eight_bit(scene), mask, observe=token.guard())


def test_the_commands_keep_metadata_and_say_what_they_found(
    scene: np.ndarray, mask: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[0x010E] = "a scene"
    changed = eight_bit(with_object(scene, mask, Adjustment(exposure=-0.8)))
    Image.fromarray(changed).save("photo.png", exif=exif)
    Image.fromarray(mask).save("mask.png")
    assert cli.run(["harmonise", "photo.png", "mask.png", "--report", "r.json", "-q"]) == 0
    with Image.open("photo.harmonised.png") as result:
        assert result.getexif()[0x010E] == "a scene"
    found = json.loads(Path("r.json").read_text())
    assert found["adjustment"]["exposure"] == pytest.approx(0.8, abs=0.15)
    assert found["settings"] == HarmoniseSettings().to_dict()
    assert cli.run(["harmonise", "photo.png", "mask.png", "-q"]) == 7  # exists
    Image.fromarray(changed[OBJECT]).save("thing.png")
    assert cli.run(["paste", "photo.png", "thing.png", "--at", "30,30", "--strength", "0", "-q"]) == 0
    assert cli.run(["paste", "photo.png", "thing.png", "--at", "30", "-q"]) == 2
    assert cli.run(["paste", "photo.png", "thing.png", "--at", "900,30", "-o", "x.png", "-q"]) == 3


@pytest.mark.parametrize("command", [["harmonise", "mask.png"], ["paste", "thing.png", "--at", "9,9"]])
def test_the_commands_know_beforehand_what_cannot_be_written(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pages = [Image.new("L", (24, 20), grey) for grey in (50, 90)]
    pages[0].save("photo.tif", save_all=True, append_images=pages[1:])
    for name, box in (("mask.png", (4, 4, 9, 9)), ("thing.png", (0, 0, 5, 5))):
        picture = Image.new("L", (24, 20) if name == "mask.png" else (5, 5))
        picture.paste(255, box)
        picture.save(name)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    start = [command[0], "photo.tif", *command[1:], "--page", "2", "-q"]
    for wrong, words in (
        (["-o", "a.gif"], "would be a GIF"),
        (["-o", "a.tif", "--report", "a.tif"], "both -o and --report"),
        (["-o", "a.tif", "--report", "photo.tif", "-f"], "both the photo and --report"),
    ):
        assert cli.run([*start, *wrong]) == 7
        assert words in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert cli.run([*start, "-o", "a.tif"]) == 0
    with Image.open("a.tif") as saved:
        assert saved.n_frames == 2 and saved.getpixel((20, 18)) == 50
