import json
from pathlib import Path

import numpy as np
import pytest

from patchloom.batch.pairing import Pair
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
    pair = Pair("x.png", "m.png", "x.png")
    with pytest.raises(BudgetError, match="a worker's share is 10 MB"):
        work.fill(pair, photo, mask, Share(1, 10, 8000))
    alone, *_ = work.fill(pair, photo, mask, Share(1, 10, 8000), room="all")
    shared, hole_share, _ = work.fill(pair, photo, mask, Share(1, 4000, 8000))
    assert alone == shared
    assert hole_share == 256 / 4096


def test_a_photo_gets_the_annotations_of_its_own_name_and_of_the_class_that_is_wanted() -> None:
    about = [{"id": name, "file_name": f"d/{name}.jpg", "height": 64, "width": 64} for name in "ab"]
    boxes = {("a", 1): [2, 3, 9, 5], ("b", 1): [20, 3, 5, 5], ("b", 2): [40, 3, 5, 5]}
    objects = [{"image_id": name, "category_id": kind, "bbox": box} for (name, kind), box in boxes.items()]
    annotations = json.dumps({"images": about, "annotations": objects}).encode()
    photo = Photo.from_array(np.zeros((64, 64, 3), np.uint8)).encode()
    for kind, name, marked in (("", "a", [1, 0, 0]), ("", "b", [0, 1, 1]), ("2", "b", [0, 0, 1])):
        recipe = Recipe(files=FileSettings(mask_class=kind))
        work = FillPicture(photos="", masks="", results="", recipe=recipe, recipe_sha256="")
        mask = work.prepared(Pair(f"below/{name}.jpg", "all.json", "below/x.png"), photo, annotations).mask
        assert mask.hole[5, [6, 22, 42]].tolist() == marked, "the middles of the boxes"
