"""Masks as data set makers write them: COCO's as its own program reads them, and labelme's."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from PIL import Image

from patchloom import Mask, MaskError
from patchloom.filling import Inputs, prepare
from patchloom.settings import PRESETS, FileSettings

coco = pytest.importorskip("pycocotools.mask")
SIZE = (40, 60)
OBJECT = np.zeros(SIZE, bool)
OBJECT[8:20, 10:31] = True
OUTLINE = [10, 8, 31, 8, 31, 20, 10, 20]


def read(told: Any, **more: Any) -> Mask:
    return Mask.open(json.dumps(told).encode(), **more)


def of_coco(*segmentations: Any, **more: Any) -> dict[str, Any]:
    objects = [{"id": n, "image_id": 1, "category_id": 7, "segmentation": s} for n, s in enumerate(segmentations)]
    image = {"id": 1, "file_name": "train/dog.jpg", "height": SIZE[0], "width": SIZE[1]}
    return {"images": [image], "categories": [{"id": 7, "name": "dog"}], "annotations": objects} | more


def packed(hole: np.ndarray) -> dict[str, Any]:
    runs = coco.encode(np.asfortranarray(hole.astype(np.uint8)))
    return {"size": list(map(int, runs["size"])), "counts": runs["counts"].decode()}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.02, 0.5, 0.98]), st.integers(1, 70), st.integers(1, 70))
def test_run_lengths_are_unpacked_as_by_their_own_program(
    seed: int, share: float, height: int, width: int
) -> None:
    hole = np.random.default_rng(seed).random((height, width)) < share
    runs = packed(hole)
    np.testing.assert_array_equal(read(runs).hole, hole)
    flat = np.flatnonzero(np.diff(hole.ravel(order="F"), prepend=False, append=~hole[-1, -1]))
    lengths = np.diff(flat, prepend=0).tolist()
    assert sum(lengths) == hole.size
    np.testing.assert_array_equal(read({"size": [height, width], "counts": lengths}).hole, hole)
    about = {"id": 1, "file_name": "dog.jpg", "height": height, "width": width}
    np.testing.assert_array_equal(read(of_coco(runs, images=[about])).hole, hole)
    np.testing.assert_array_equal(read([{"segmentation": runs, "area": 3}]).hole, hole, "as SAM writes them")


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@settings(max_examples=40, deadline=None, derandomize=True)
@example([(6.0, 10.3), (44.4, 15.0), (25.2, 13.4), (44.4, 15.0)])
@given(st.lists(st.tuples(st.floats(0, 59), st.floats(0, 39)), min_size=3, max_size=12))
def test_all_that_their_own_program_fills_of_an_outline_is_filled_and_a_rim_at_most(points: list[Any]) -> None:
    angles = np.arctan2(*(np.array(points) - np.mean(points, axis=0)).T)
    outline = np.array(points)[np.argsort(angles)].ravel().tolist()
    theirs = coco.decode(coco.merge(coco.frPyObjects([outline], *SIZE))).astype(bool)
    ours = read(of_coco([outline])).hole
    assert not (theirs & ~Mask(ours).grow(2).hole).any()
    corners = np.reshape(outline, (-1, 2))
    along = corners + np.linspace(0, 1, 200)[:, None, None] * (np.roll(corners, -1, 0) - corners)
    y, x = np.argwhere(ours & ~theirs).T + 0.5
    near = np.hypot(x[:, None] - along[..., 0].ravel(), y[:, None] - along[..., 1].ravel()).min(1, initial=9)
    assert (near <= 2).all(), "beside what they fill only pixels at the outline"


def test_every_object_of_the_photo_is_filled_and_those_of_others_are_not() -> None:
    two = of_coco([OUTLINE], packed(np.roll(OBJECT, 15, 0)))
    mask = read(two)
    both = Mask(OBJECT | np.roll(OBJECT, 15, 0))
    assert mask.hole[both.hole].all() and not (mask.hole & ~both.grow(2).hole).any()
    assert mask.how == "2 objects of COCO are filled (dog)"
    other = {"id": 2, "file_name": "cat.jpg", "height": 9, "width": 9}
    several = of_coco([OUTLINE], images=[*two["images"], other])
    assert read(several, photo="dog.jpg").hole[OBJECT].all() and read(several, photo="dog.png").hole.any()
    assert read(several, photo="cat.jpg").hole.shape == (9, 9) and not read(several, photo="cat.jpg").hole.any()
    for name in ("", "bird.jpg"):
        with pytest.raises(MaskError, match="of 2 pictures"):
            read(several, photo=name)
    assert read(of_coco([], bbox=1) | {"annotations": [{"bbox": [10, 8, 21, 12]}]}).hole[OBJECT].all()


def test_a_class_is_chosen_by_its_name_or_its_number() -> None:
    """The classes of a file take its objects apart; a class that it does not know is refused, and named."""
    places = [(7, "dog", 0), (9, "traffic light", 15), (7, "dog", 25)]
    objects = [
        {"id": n, "image_id": 1, "category_id": number, "segmentation": packed(np.roll(OBJECT, shift, 1))}
        for n, (number, _, shift) in enumerate(places)
    ]
    declared = [{"id": number, "name": name} for number, name in ((7, "dog"), (9, "traffic light"), (11, "cat"))]
    document = of_coco(annotations=objects, categories=declared)
    shapes = [
        {"label": name, "shape_type": "rectangle", "points": [[x, 5], [x + 4, 9]]}
        for x, (_, name, _) in zip((5, 25, 45), places, strict=True)
    ]
    labelled = of_labelme("rectangle", []) | {"shapes": shapes}
    for whole, dogs, lights in (
        (document, ("dog", "7", "7, dog"), ("traffic light", "9")),
        (labelled, ("dog", " dog,"), ("traffic light",)),
    ):
        everything = read(whole).hole
        for dog in dogs:
            for light in lights:
                parts = [read(whole, classes=name).hole for name in (dog, light)]
                assert all(part.any() for part in parts) and not (parts[0] & parts[1]).all()
                np.testing.assert_array_equal(parts[0] | parts[1], everything)
        np.testing.assert_array_equal(read(whole, classes="dog,traffic light").hole, everything)
        with pytest.raises(MaskError, match=r"class 'bird'.*dog, traffic light") as caught:
            read(whole, classes="dog,bird")
        assert "mask_class" in caught.value.hint
    assert read(document, classes="dog").how == "2 objects of COCO are filled (dog)"
    with pytest.raises(MaskError, match="no object of cat"):
        read(document, classes="cat").to_fill(PRESETS["fast"])
    with pytest.raises(MaskError, match="they have no classes"):
        read(packed(OBJECT), classes="dog")


def of_labelme(kind: str | None, points: Any, **more: Any) -> dict[str, Any]:
    shape = {"label": "dog", "points": points, "shape_type": kind, **more}
    return {
        "version": "5.5.0",
        "imagePath": "dog.jpg",
        "imageHeight": SIZE[0],
        "imageWidth": SIZE[1],
        "shapes": [shape],
    }


@pytest.mark.parametrize("kind", [None, "polygon", "rectangle", "mask"])
def test_shapes_of_labelme(kind: str | None) -> None:
    points = np.reshape(OUTLINE, (4, 2)).tolist()
    told = of_labelme(kind, points[::2] if kind in ("rectangle", "mask") else points)
    if kind == "mask":
        target = io.BytesIO()
        Image.fromarray(OBJECT[8:20, 10:31]).save(target, "PNG")
        told["shapes"][0]["mask"] = base64.b64encode(target.getvalue()).decode()
    mask = read(told)
    assert mask.hole[OBJECT].all() and not (mask.hole & ~Mask(OBJECT).grow(2).hole).any()
    assert mask.how == "1 object of labelme is filled (dog)"


def test_circles_lines_and_points_of_labelme() -> None:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    disc = np.hypot(y - 19.5, x - 29.5) <= 10
    circle = read(of_labelme("circle", [[30, 20], [30, 30]])).hole
    assert circle[Mask(disc).grow(-1).hole].all() and not (circle & ~Mask(disc).grow(2).hole).any()
    assert read(of_labelme("linestrip", [[5, 5], [25, 5], [25, 30]])).hole.sum() == 21 + 25
    assert read(of_labelme("point", [[5, 6]])).boxes() == [(5, 6, 1, 1)]


@pytest.mark.parametrize(
    "told",
    [
        {}, [], [1], {"annotations": 3}, {"shapes": []}, {"annotations": [{"segmentation": [[1, 2, 3]]}]},
        {"size": [4, 4], "counts": "0"}, {"size": [4, 4], "counts": [3, -2, 15]},
        {"size": [10**6] * 2, "counts": []},
        of_labelme("polygon", [[1]]), of_labelme("mask", [[0, 0]], mask="AAAA"), of_labelme("cuboid", [[0, 0]]),
        of_coco({"size": [3, 3], "counts": [9]}), of_coco(None),
    ],
)  # fmt: skip
def test_other_json_is_refused_in_a_sentence(told: Any) -> None:
    with pytest.raises(MaskError, match="As a mask: "):
        read(told)
    for text in (b"{", b'{"a": 1', b"[" * 100_000):
        with pytest.raises(MaskError):
            Mask.open(text)


def test_a_fill_takes_the_objects_of_its_photo(tmp_path: Any) -> None:
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(tmp_path / "dog.jpg")
    images = [{"id": n, "file_name": f"{n}.jpg", "height": 5, "width": 5} for n in (3, 4)]
    told = of_coco([OUTLINE])
    (tmp_path / "all.json").write_text(json.dumps(told | {"images": [*images, *told["images"]]}))
    inputs = Inputs(photo=tmp_path / "dog.jpg", mask=tmp_path / "all.json")
    assert prepare(inputs, PRESETS["fast"], FileSettings()).mask.hole[OBJECT].all()
