from pathlib import Path

import numpy as np
import pytest

from patchloom.batch.work import FillPicture, Recipe, Share
from patchloom.errors import BudgetError
from patchloom.mask import Mask
from patchloom.photo import Photo
from patchloom.settings import FileSettings, FillSettings, fill_settings


def test_a_recipe_has_one_hash_and_a_file_counts_by_its_content(tmp_path: Path) -> None:
    weights = tmp_path / "network.safetensors"
    weights.write_bytes(b"one")
    named = Recipe(fill=FillSettings(texture=str(weights)))
    before = named.sha256()
    assert before == Recipe(fill=FillSettings(texture=str(weights))).sha256()
    assert (
        len(
            {
                Recipe().sha256(),
                Recipe(files=FileSettings(quality=90)).sha256(),
                Recipe(fill=FillSettings(seed=1)).sha256(),
            }
        )
        == 3
    )
    weights.write_bytes(b"two")
    assert named.sha256() != before


def test_a_share_refuses_what_it_cannot_hold_but_never_changes_a_byte() -> None:
    recipe = Recipe(fill=fill_settings("fast", texture="none", content="none"))
    work = FillPicture(photos="", masks="", results="", recipe=recipe, recipe_sha256="")
    rows, columns = np.mgrid[:64, :64]
    photo = Photo.from_array((rows * 3 + (columns % 7) * 5).astype(np.uint8)).encode()
    mask = Mask.from_boxes([(20, 20, 16, 16)], 64, 64).encode()
    with pytest.raises(BudgetError, match="a worker's share is 10 MB"):
        work.fill("x.png", photo, mask, Share(1, 10, 8000))
    alone, *_ = work.fill("x.png", photo, mask, Share(1, 10, 8000), room="all")
    shared, hole_share, _ = work.fill("x.png", photo, mask, Share(1, 4000, 8000))
    assert alone == shared
    assert hole_share == 256 / 4096
