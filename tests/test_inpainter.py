"""The two doors: what a fill must be, whatever the picture."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from scipy import ndimage

from patchloom import (
    BudgetError,
    Cancelled,
    CancelToken,
    Inpainter,
    Mask,
    MaskError,
    Photo,
    RunSettings,
    SettingsError,
    WeightsError,
    fill_settings,
    inpaint,
)
from patchloom.events import Event, FillDone, LevelDone, Step, Warned
from patchloom.method.coarse import Coarse

QUICK = {"preset": "fast", "iterations": 3}


def picture(height: int = 72, width: int = 80, seed: int = 0) -> np.ndarray:
    """A photograph-like picture: smooth shapes with grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / 16.0
    shapes = np.stack([np.sin(x + y), np.cos(x - y / 2), np.sin(y)], axis=2)
    return (128 + 80 * shapes + random.normal(0, 8, shapes.shape)).clip(0, 255).astype(np.uint8)


def square(height: int = 72, width: int = 80, top: int = 25, left: int = 30, side: int = 20) -> np.ndarray:
    hole = np.zeros((height, width), bool)
    hole[top : top + side, left : left + side] = True
    return hole


def psnr(a: np.ndarray, b: np.ndarray, hole: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean(((a.astype(float) - b) / 255)[hole] ** 2) + 1e-12))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31))
def test_outside_any_mask_nothing_changes(seed: int) -> None:
    random = np.random.default_rng(seed)
    photo = picture(seed=seed % 7)
    hole = random.random(photo.shape[:2]) < random.choice([0.001, 0.02])
    hole |= square(top=int(random.integers(-5, 60)) % 60, left=int(random.integers(0, 70)), side=15)
    filled = inpaint(photo, hole, texture="none")
    np.testing.assert_array_equal(filled[~hole], photo[~hole])


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "grey", "alpha", "pillow", "photo"])
def test_the_same_kind_comes_back(kind: str) -> None:
    photo: object = picture()
    if kind == "uint16":
        photo = picture().astype(np.uint16) * 257
    elif kind == "float32":
        photo = picture().astype(np.float32) / 255
    elif kind == "grey":
        photo = picture()[..., 0]
    elif kind == "alpha":
        photo = np.dstack([picture(), np.full((72, 80), 200, np.uint8)])
    elif kind == "pillow":
        photo = Image.fromarray(picture())
    elif kind == "photo":
        photo = Photo.from_array(picture())
    filled = inpaint(photo, square(), texture="none")  # type: ignore[type-var]
    assert type(filled) is type(photo)
    before, after = (np.asarray(p.to_array() if isinstance(p, Photo) else p) for p in (photo, filled))
    assert after.dtype == before.dtype and after.shape == before.shape
    np.testing.assert_array_equal(after[~square()], before[~square()])
    assert (after[square()] != before[square()]).any()


def test_sixteen_bits_carry_sixteen_bits() -> None:
    photo = np.random.default_rng(1).integers(20000, 40000, (72, 80, 3)).astype(np.uint16)
    filled = inpaint(photo, square(), texture="none")
    assert len(np.unique(filled[square()] % 257)) > 100


def test_a_constant_picture_comes_back_constant() -> None:
    photo = np.full((72, 80, 3), (200, 40, 90), np.uint8)
    holed = np.where(square()[..., None], 0, photo).astype(np.uint8)
    filled = inpaint(holed, square(), **QUICK)
    assert np.abs(filled.astype(int) - photo).max() <= 2


def test_stripes_come_back_stripes() -> None:
    stripes = np.where(np.arange(96) % 8 < 4, 40, 220).astype(np.uint8)
    photo = np.repeat(np.tile(stripes, (96, 1))[..., None], 3, axis=2)
    hole = square(96, 96, 30, 33, 30)
    filled = inpaint(np.where(hole[..., None], 0, photo).astype(np.uint8), hole, **QUICK)
    assert psnr(filled, photo, hole) > 30


@pytest.mark.parametrize(
    ("side", "wide", "slope", "half", "wall", "shade"),
    [(192, 72, 0.9, 14, 245, 0.0), (256, 120, -0.7, 6, 190, 0.35)],
    ids=["a bar", "a stick before a shaded wall"],
)
def test_what_enters_and_leaves_goes_through(
    side: int, wide: int, slope: float, half: int, wall: int, shade: float
) -> None:
    """Coarse pixels that show little but the hole's rim once cut the bar in the middle; patches of plain wall,
    which are always well matched, once outvoted the stick."""
    rows, columns = np.mgrid[:side, :side] - side // 2
    across = np.abs(columns + slope * rows)
    behind = (wall + shade * (rows - columns / 2))[..., None]
    noise = np.random.default_rng(1).normal(0, 3, (side, side, 1))
    photo = np.where((across < half)[..., None], (150, 20, 60), behind) + noise
    hole = square(side, side, (side - wide) // 2, (side - wide) // 2, wide)
    filled = inpaint(
        np.where(hole[..., None], 0, photo).clip(0, 255).astype(np.uint8),
        hole,
        content="patches",
        texture="none",
    )
    red = filled[..., 1] < (20 + wall) / 2
    assert red[hole & (across < half / 2)].mean() > 0.97
    assert not red[hole & (across > half + 6)].any()


def test_roughness_goes_on_beside_a_smooth_surface_of_the_same_colour() -> None:
    """At coarse levels both are one grey, and the smooth one, which is always a good match, once took all."""
    rough = np.arange(192) < 106
    noise = np.random.default_rng(1).normal(0, 1, (192, 192)) * np.where(rough, 35, 3)
    photo = (128 + noise).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    hole = square(192, 192, 51, 51, 90)
    filled = inpaint(np.where(hole[..., None], 0, photo).astype(np.uint8), hole, content="patches", texture="none")
    specks = np.abs(filled[..., 0].astype(int) - 128) > 12
    assert specks[hole & rough].mean() > 0.5 * specks[~hole & rough].mean()
    assert specks[hole & ~rough].mean() < 0.02


def test_a_periodic_texture_is_continued_better_than_by_telea() -> None:
    cv2 = pytest.importorskip("cv2")
    y, x = np.mgrid[0:120, 0:120]
    tile = ((x // 6 + y // 6) % 2 * 120 + (x % 6) * 10 + 40).astype(np.uint8)
    photo = np.stack([tile, 255 - tile, tile], axis=2)
    hole = square(120, 120, 40, 40, 40)
    holed = np.where(hole[..., None], 0, photo).astype(np.uint8)
    telea = cv2.inpaint(holed, hole.astype(np.uint8), 5, cv2.INPAINT_TELEA)
    assert psnr(inpaint(holed, hole, **QUICK), photo, hole) > psnr(telea, photo, hole) + 5


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_same_seed_same_bytes_and_what_lies_in_the_hole_does_not_matter(preset: str) -> None:
    photo, hole = picture(), square()
    blank = np.where(hole[..., None], 255, photo).astype(np.uint8)
    first = inpaint(photo, hole, preset=preset, seed=5, iterations=2)
    np.testing.assert_array_equal(first, inpaint(blank, hole, preset=preset, seed=5, iterations=2))
    assert (first != inpaint(photo, hole, preset=preset, seed=6, iterations=2)).any()


def test_texture_comes_only_from_the_source() -> None:
    photo = np.zeros((72, 120, 3), np.uint8)
    photo[:, :60] = (250, 10, 10)
    photo[:, 60:] = (10, 10, 250)
    hole = square(72, 120, 25, 20, 16)  # amid red
    source = np.zeros((72, 120), bool)
    source[:, 64:] = True  # blue only
    filled = inpaint(photo, hole, source=source, texture="none")
    assert (filled[hole] == (10, 10, 250)).all()


@pytest.mark.parametrize("whose", ["a picture", "a network"])
def test_a_coarse_fill_is_followed(whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the known picture is dark, half bright: the coarse picture decides which goes where, alone: members
    know only that dark is below and bright above."""
    random = np.random.default_rng(0)
    photo = (random.integers(0, 30, (96, 96, 3)) + 30).astype(np.uint8)
    photo[:48] += 150
    hole = square(96, 96, 33, 33, 30)
    coarse = photo.copy()
    coarse[33:63, 33:48], coarse[33:63, 48:63] = 195, 45  # left bright, right dark
    if whose == "a picture":
        filled = inpaint(photo, hole, coarse=coarse, texture="none", guide_weight=20.0)
    else:
        guess = coarse / np.float32(255)
        monkeypatch.setattr("patchloom.method.coarse.network_fill", lambda level, network: Coarse(guess))
        filled = inpaint(photo, hole, content="default", texture="none", guide_weight=20.0)
    assert filled[38:58, 36:44].mean() > 150 > 90 > filled[38:58, 52:60].mean()


def test_a_guide_without_detail_leaves_a_deep_holes_texture() -> None:
    """A guess for a hole of 300 pixels shows none of the texture; what is copied has it all the same."""
    random = np.random.default_rng(0)
    texture = ndimage.gaussian_filter(random.normal(0, 1, (640, 640)), 5)
    grey = np.clip(128 + 40 * texture / texture.std(), 0, 255).astype(np.uint8)
    photo = np.repeat(grey[..., None], 3, axis=-1)
    hole = square(640, 640, 170, 170, 300)
    filled = inpaint(photo, hole, coarse=np.full_like(photo, 128), texture="none")
    assert filled[230:410, 230:410].std() > 0.5 * photo[:160].std()


def test_growing_and_feathering_say_what_they_change() -> None:
    photo, hole = picture(), square()
    mask = Mask.from_array(hole)
    grown = mask.grow(5).hole
    filled = inpaint(photo, hole, texture="none", grow=2, feather=3)
    np.testing.assert_array_equal(filled[~grown], photo[~grown])
    ring = mask.grow(1).hole & ~hole
    assert (filled[ring] != photo[ring]).any()


def test_transparency_in_the_hole_is_filled_or_kept() -> None:
    photo = np.dstack([picture(), np.where(square(), 0, 255).astype(np.uint8)])
    assert (inpaint(photo, square(), texture="none")[..., 3] == 255).all()
    kept = inpaint(photo, square(), texture="none", alpha="keep")
    np.testing.assert_array_equal(kept[..., 3], photo[..., 3])


def test_windows_filled_at_the_same_time_are_as_if_one_after_the_other() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 900, 3), dtype=np.uint8)
    hole = np.zeros((300, 900), bool)
    for column in (60, 200, 420, 640, 820):  # some near enough to see each other's results
        hole[140:152, column : column + 12] = True
    results = []
    for threads in (1, 3):
        events: list[Event] = []
        results.append(inpaint(photo, hole, iterations=2, run=RunSettings(threads=threads), observe=events.append))
        fractions = [event.fraction for event in events if isinstance(event, Step)]
        assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1)
        assert {event.window for event in events if isinstance(event, LevelDone)} == set(range(5))
    np.testing.assert_array_equal(*results)


def test_events_and_report_tell_the_same_story() -> None:
    events: list[Event] = []
    result = Inpainter().inpaint(
        Photo.from_array(picture()), Mask.from_array(square()), fill_settings(iterations=2), observe=events.append
    )
    fractions = [event.fraction for event in events if isinstance(event, Step)]
    assert fractions == sorted(fractions) and fractions[-1] == pytest.approx(1.0)
    assert isinstance(events[-1], FillDone)
    levels = result.report["windows"][0]["levels"]
    assert [level["stage"] for level in levels] == [e.stage for e in events if isinstance(e, LevelDone)]
    assert levels[-1]["stage"] == "neural" and set(levels[-1]["loss_before"]) == set(levels[-1]["loss_after"])
    assert levels[-1]["loss_after"]["total"] < levels[-1]["loss_before"]["total"]
    assert result.report["settings"]["iterations"] == 2 and result.report["peak_memory_mb"] > 50
    where = [{(e.window, e.box) for e in events if isinstance(e, kind)} for kind in (Step, LevelDone)]
    assert where[0] == where[1]
    previews = [event.preview() for event in events if isinstance(event, Step) and event.preview]
    assert all(preview.ndim == 3 and preview.min() >= 0 and preview.max() <= 1 for preview in previews)


def test_the_papers_loop_lowers_its_objective_at_every_level() -> None:
    photo, hole = picture(256, 256), square(256, 256, 78, 78, 100)
    result = Inpainter().inpaint(
        Photo.from_array(photo),
        Mask.from_array(hole),
        fill_settings("paper", texture="compact", layers="relu2_1,relu3_1", iterations=8, content="none"),
    )
    levels = result.report["windows"][0]["levels"]
    assert [level["width"] for level in levels] == [128, 256]
    for level in levels:
        assert level["loss_after"]["total"] < level["loss_before"]["total"]
    np.testing.assert_array_equal(result.photo.pixels[~hole], photo[~hole])


def test_an_empty_mask_returns_the_photo_and_says_so() -> None:
    events: list[Event] = []
    photo = picture()
    filled = inpaint(photo, np.zeros((72, 80), bool), observe=events.append)
    np.testing.assert_array_equal(filled, photo)
    assert any(isinstance(event, Warned) for event in events)


def test_bad_input_is_refused_with_a_next_step() -> None:
    photo, hole = picture(), square()
    cases = [
        (MaskError, {"mask": np.ones((72, 80), bool)}),
        (MaskError, {"mask": square(60, 60)}),
        (MaskError, {"coarse": picture(40, 40)}),
        (MaskError, {"source": hole}),
        (WeightsError, {"texture": "no-such-network"}),
        (WeightsError, {"content": "no-such-network"}),
        (WeightsError, {"layers": "relu9_9"}),
        (SettingsError, {"guide_weight": float("nan")}),
        (SettingsError, {"no_such_setting": 1}),
        (SettingsError, {"preset": "perfect"}),
        (SettingsError, {"texture": "none", "matching": "searched"}),
        (SettingsError, {"run": RunSettings(device="abacus")}),
        (BudgetError, {"run": RunSettings(time_limit=1e-6)}),
    ]
    for error, changes in cases:
        with pytest.raises(error) as caught:
            inpaint(photo, **({"mask": hole} | changes))
        assert str(caught.value) and caught.value.hint, changes


def test_too_little_to_copy_from() -> None:
    hole = np.ones((72, 80), bool)
    hole[::20, ::20] = False  # known pixels, far from most of the hole, and no whole patch of them
    with pytest.raises(MaskError):
        inpaint(picture(), hole)


@pytest.mark.parametrize("known", ["every second line", "a checkerboard", "a fifth of the pixels"])
def test_a_perforated_hole_is_filled_from_the_pixels_between(known: str) -> None:
    """A ramp continues smoothly as the ramp, where known pixels hold it on all sides, nearly so elsewhere."""
    rows, columns = np.mgrid[:72, :80]
    ramp = (rows + columns + 20).astype(np.uint8)
    photo = np.dstack([ramp] * 3)
    hole = {
        "every second line": rows % 2 == 1,
        "a checkerboard": (rows + columns) % 2 == 1,
        "a fifth of the pixels": np.random.default_rng(0).random((72, 80)) < 0.8,
    }[known]
    filled = inpaint(np.where(hole[..., None], 0, photo).astype(np.uint8), hole)
    np.testing.assert_array_equal(filled[~hole], photo[~hole])
    off = np.abs(filled.astype(int) - photo)[4:-4, 4:-4]
    assert off.max() <= (1 if known != "a fifth of the pixels" else 8)


def test_cancelling_stops_the_fill() -> None:
    token = CancelToken()
    seen: list[Event] = []

    def observe(event: Event) -> None:
        seen.append(event)
        if isinstance(event, Step):
            token.cancel()

    with pytest.raises(Cancelled):
        inpaint(picture(), square(), observe=token.guard(observe))
    assert sum(isinstance(event, Step) for event in seen) == 1


@pytest.mark.parametrize("hole", ["corner", "border", "scattered"])
def test_holes_anywhere(hole: str) -> None:
    mask = np.zeros((72, 80), bool)
    if hole == "corner":
        mask[:20, :25] = True
    elif hole == "border":
        mask[:, 60:] = True
    else:
        mask[::18, 5:70] = True
    photo = picture()
    filled = inpaint(np.where(mask[..., None], 0, photo).astype(np.uint8), mask, **QUICK)
    assert psnr(filled, photo, mask) > 12  # of its surroundings' colours, not black
