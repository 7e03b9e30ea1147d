"""What programs may give and get: numbers of NumPy, files, masks of any shape, warnings, notes, tensors."""

import ast
import io
import logging
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import patchloom
from patchloom import MaskError, Photo, PhotoError, SettingsError, errors, extend, fill_settings, harmonise, tile
from patchloom.errors import as_flag, as_hint
from patchloom.events import PatchloomWarning, Step, Warned, aloud
from patchloom.kinds import as_mask, as_photo

GREY = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
HOLE = np.zeros((64, 64), bool)
HOLE[20:30, 20:30] = True


def test_numbers_of_numpy_are_numbers_and_none_is_not_given() -> None:
    assert fill_settings(seed=np.int64(3), guide_weight=np.float32(2)) == fill_settings(seed=3)
    assert type(fill_settings(seed=np.int64(3)).seed) is int
    assert fill_settings(seed=None) == fill_settings()
    with pytest.raises(SettingsError, match="seed"):
        fill_settings(seed=np.float64(1.5))
    np.testing.assert_array_equal(harmonise(GREY, ~HOLE & False, strength=None, observe=lambda _: None), GREY)


def test_a_mistyped_name_is_refused_with_the_nearest() -> None:
    for call in (tile, harmonise):
        with pytest.raises(SettingsError, match="no setting 'seeed'") as caught:
            call(GREY, **({"mask": HOLE} if call is harmonise else {}), seeed=3)
        assert caught.value.__notes__ == [caught.value.hint] == ["Did you mean 'seed'?"]
    with pytest.raises(SettingsError, match="turbo"):
        extend(GREY, left=3, preset="turbo")


@pytest.mark.parametrize("kind", [bool, np.uint8, np.uint16, np.int64, np.float32])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_masks_of_any_type_and_shape_mark_the_same(kind: Any, channels: tuple[int, ...]) -> None:
    full = {"uint8": 255, "uint16": 65535}.get(np.dtype(kind).name, 1)
    mask = np.broadcast_to((HOLE * full).astype(kind).reshape(64, 64, *[1] * len(channels)), (64, 64, *channels))
    np.testing.assert_array_equal(as_mask(mask).hole, HOLE)
    empty = as_mask(np.zeros_like(mask))
    assert not empty.to_fill(fill_settings()).hole.any()
    if kind is np.uint8 and channels != (1,):
        assert not as_mask(Image.fromarray(np.zeros_like(mask))).to_fill(fill_settings()).hole.any()


def test_a_mask_that_was_read_wrongly_is_still_an_error() -> None:
    with pytest.raises(MaskError, match="marks nothing"):
        as_mask(np.full((64, 64), 100, np.uint8)).to_fill(fill_settings())


def test_files_are_taken_and_give_photos(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "photo.png")
    Image.fromarray(HOLE).save(tmp_path / "mask.png")
    result = harmonise(tmp_path / "photo.png", str(tmp_path / "mask.png"), strength=0.0)
    assert isinstance(result, Photo) and (result.pixels[..., 0] == GREY).all()
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        np.testing.assert_array_equal(np.asarray(shown), GREY)


def test_tensors_are_refused_in_a_sentence() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(PhotoError, match="tensor") as caught:
        as_photo(torch.zeros(64, 64))
    assert "numpy()" in caught.value.hint


def test_what_no_observer_hears_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        harmonise(GREY, np.zeros_like(HOLE))
    assert [each.category for each in heard] == [PatchloomWarning]
    assert heard[0].filename == __file__, "it points at the caller"
    with caplog.at_level(logging.DEBUG, "patchloom"):
        aloud(Step(level=0, step=1, of=2, fraction=0.5))
    assert "fraction=0.5" in caplog.text
    with pytest.warns(PatchloomWarning, match="large"):
        aloud(Warned(message="large"))


def test_each_face_spells_settings_its_own_way() -> None:
    advice = "Use {mask_mode alpha} or {alpha keep}.\nSee {page}."
    assert as_hint(advice, as_flag) == "Use --mask-mode alpha or --hole-alpha keep. See --page."
    assert as_hint(advice, {"page": "page"}.get) == "See page."
    assert MaskError("What.", advice).hint == "Use mask_mode alpha or alpha keep. See page."


def test_no_sentence_of_the_core_names_a_flag() -> None:
    """The command line's own modules and what only it reaches may; so may the table of formats, for its page."""
    root = Path(patchloom.__file__).parent
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    own = {"cli", "batch", "training", "evaluation", "server", "console.py", "registry.py", "__main__.py"}
    found = [
        f"{path.name}: {text}"
        for path in root.rglob("*.py")
        if not own & {*path.relative_to(root).parts}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in kinds
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        for text in re.findall(r"--[a-z]\w+", part.value)
    ]
    assert found == []
