"""One file fill: what every door gives is the same bytes."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from patchloom.batch.order import Order, fill_folder
from patchloom.batch.work import Recipe
from patchloom.cli import main
from patchloom.errors import MaskError
from patchloom.filling import Inputs, prepare
from patchloom.inpainter import Inpainter
from patchloom.photo import Photo
from patchloom.server.engine import PictureEngine
from patchloom.settings import FileSettings, RunSettings, fill_settings

SETTINGS = fill_settings("fast", texture="none", content="none", grow=2, seed=3)
FILES = FileSettings(quality=80, strip_metadata=True)


def encoded(samples: np.ndarray, form: str = "PNG", **more: object) -> bytes:
    target = io.BytesIO()
    Image.fromarray(samples).save(target, form, **more)
    return target.getvalue()


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with a turned JPEG, a mask of its upright size and another that says where texture comes from."""
    rows, columns = np.mgrid[:48, :64]
    picture = np.dstack([rows * 4, columns * 3, 128 + 60 * np.sin(columns / 5)]).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    for folder in ("photos", "masks", "results"):
        (tmp_path / folder).mkdir()
    (tmp_path / "photos/a.jpg").write_bytes(encoded(picture, "JPEG", quality=95, exif=exif))
    mask = np.zeros((64, 48), np.uint8)
    mask[20:32, 10:20] = 255
    (tmp_path / "masks/a.png").write_bytes(encoded(mask))
    (tmp_path / "source.png").write_bytes(
        encoded(np.where(np.arange(48) < 40, 255, 0)[None].repeat(64, 0).astype(np.uint8))
    )
    return tmp_path


def test_command_batch_server_and_library_give_the_same_bytes(given: Path) -> None:
    photo, mask = (given / "photos/a.jpg").read_bytes(), (given / "masks/a.png").read_bytes()
    library = prepare(Inputs(photo=photo, mask=mask), SETTINGS, FILES).fill(Inpainter(RunSettings())).data
    assert library != photo

    flags = ["--preset", "fast", "--texture", "none", "--content", "none", "--grow", "2", "--seed", "3"]
    flags += ["--quality", "80", "--strip-metadata", "-q"]
    names = [str(given / "photos/a.jpg"), str(given / "masks/a.png"), "-o", str(given / "filled.jpg")]
    assert CliRunner().invoke(main, ["fill", *names, *flags]).exit_code == 0
    assert (given / "filled.jpg").read_bytes() == library

    places = {"photos": str(given / "photos"), "masks": str(given / "masks"), "results": str(given / "results")}
    fill_folder(Order(**places, recipe=Recipe(fill=SETTINGS, files=FILES), jobs=1))
    assert (given / "results/a.jpg").read_bytes() == library

    job = given / "job"
    job.mkdir()
    (job / "image").write_bytes(photo)
    (job / "mask").write_bytes(mask)
    engine = PictureEngine({"max_pixels": 10**6, "run": {}, "warm": False})
    task = {"kind": "fill", "folder": str(job), "settings": SETTINGS.to_dict(), "files": FILES.to_dict()}
    engine(json.loads(json.dumps(task)), lambda message: None, lambda: False)
    assert (job / "result").read_bytes() == library


def test_what_a_dry_run_says_is_what_is_filled(given: Path) -> None:
    inputs = Inputs(photo=given / "photos/a.jpg", mask=given / "masks/a.png", boxes=[(2, 2, 5, 5)])
    prepared = prepare(inputs, fill_settings(grow=3, feather=2), FileSettings(format="PNG"))
    picture = Photo.open(prepared.fill(Inpainter(RunSettings())).data)
    changed = (picture.pixels != prepared.photo.pixels).any(axis=-1)
    assert changed.any()
    assert not changed[~prepared.hole.hole].any()
    np.testing.assert_array_equal(prepared.hole.hole, prepared.mask.grow(5).hole)


def test_a_smaller_mask_is_enlarged_only_where_that_was_asked_for(given: Path) -> None:
    half = encoded(np.kron([[0, 0], [0, 1]], np.ones((16, 12))).astype(np.uint8) * 255)
    inputs = Inputs(photo=given / "photos/a.jpg", mask=half)
    hole = prepare(inputs, SETTINGS, FILES, fit=True).mask
    assert hole.boxes() == [(24, 32, 24, 32)]
    with pytest.raises(MaskError, match="24 x 32 pixels, the photo 48 x 64"):
        prepare(inputs, SETTINGS, FILES)


def test_upright_results_have_nothing_left_that_turns_them(given: Path) -> None:
    inputs = Inputs(photo=given / "photos/a.jpg", mask=given / "masks/a.png")
    filled = prepare(inputs, SETTINGS, FileSettings()).fill(Inpainter(RunSettings()), upright=True)
    with Image.open(io.BytesIO(filled.data)) as picture:
        assert picture.size == (48, 64)
        assert picture.getexif().get(0x0112, 1) == 1
