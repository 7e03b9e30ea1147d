"""Holes are the same for everybody, for ever, and look as their names say."""

import hashlib

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from patchloom.errors import SettingsError
from patchloom.evaluation.holes import make_hole

FROZEN = {  # the first hex digits of the sha256 of twelve holes' packed bits
    "boxes": "46b69ed81817c144",
    "blobs": "3e422d0a88cd1066",
    "random:thin": "d4f5d936387a0c76",
    "random:medium": "4b1384d28ba4fa06",
    "random:thick": "d95b2ef0996f1a80",
}


def drawn(spec: str, count: int = 12) -> list[np.ndarray]:
    return [make_hole(spec, 200, 150, seed=3, name=f"photo-{i}") for i in range(count)]


@pytest.mark.parametrize("spec", FROZEN)
def test_random_holes_never_change(spec: str) -> None:
    digest = hashlib.sha256(b"".join(np.packbits(hole).tobytes() for hole in drawn(spec)))
    assert digest.hexdigest()[:16] == FROZEN[spec]


@pytest.mark.parametrize("spec", FROZEN)
def test_seed_and_name_each_choose_another_hole(spec: str) -> None:
    reference = make_hole(spec, 120, 100, seed=1, name="a")
    assert (make_hole(spec, 120, 100, seed=1, name="a") == reference).all()
    assert (make_hole(spec, 120, 100, seed=2, name="a") != reference).any()
    assert (make_hole(spec, 120, 100, seed=1, name="b") != reference).any()


def test_a_blob_is_one_piece_of_5_to_25_percent_inside_the_picture() -> None:
    for hole in drawn("blobs", 30):
        assert label(hole)[1] == 1
        assert 0.05 <= hole.mean() <= 0.25
        assert not (hole[0].any() or hole[-1].any() or hole[:, 0].any() or hole[:, -1].any())


def test_strokes_are_as_thick_as_they_are_called() -> None:
    inradius = {
        kind: np.median([distance_transform_edt(hole).max() for hole in drawn(f"random:{kind}", 20)])
        for kind in ("thin", "thick")
    }
    assert inradius["thin"] < 0.02 * 150 < 0.05 * 150 < inradius["thick"]


def test_the_papers_square_and_the_published_box() -> None:
    center = make_hole("center:0.5", 512, 512)
    assert center.sum() == 256 * 256 and center[128:384, 128:384].all()
    box = make_hole("box:165,165,180,180", 512, 512)
    assert box.sum() == 180 * 180 and box[165:345, 165:345].all()


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "center",
        "center:0",
        "center:1",
        "center:x",
        "box:1,2,3",
        "box:900,0,5,5",
        "box:0,0,nan,3",
        "random:fat",
    ],
)
def test_a_hole_that_cannot_be_is_refused_with_a_hint(spec: str) -> None:
    with pytest.raises(SettingsError) as caught:
        make_hole(spec, 64, 48)
    assert caught.value.hint
