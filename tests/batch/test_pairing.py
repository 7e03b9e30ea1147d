from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from patchloom.batch.folders import Found
from patchloom.batch.pairing import Naming, Pair, pair, refuse_conflicts
from patchloom.batch.patterns import Others, parted
from patchloom.errors import InputError


def files(*names: str) -> list[Found]:
    return [Found(name, 1) for name in names]


def test_masks_are_found_by_stem_in_the_same_place_of_the_tree() -> None:
    result = pair(
        files("a/x.jpg", "b/x.jpg", "b/y.tif", "notes.txt"), files("a/x.png", "b/x.png", "c/y.png"), Naming()
    )
    assert result.pairs == [
        Pair("a/x.jpg", "a/x.png", "a/x.jpg"),
        Pair("b/x.jpg", "b/x.png", "b/x.jpg"),
        Pair("b/y.tif", "", "b/y.tif"),
    ]
    assert result.unused_masks == ["c/y.png"]


def test_photos_and_masks_in_one_folder_are_told_apart_by_the_suffix() -> None:
    together = files("x.jpg", "x_mask.png", "y.jpg")
    result = pair(together, together, Naming(suffix="_mask"), same_folder=True)
    assert result.pairs == [Pair("x.jpg", "x_mask.png", "x.jpg"), Pair("y.jpg", "", "y.jpg")]
    assert result.unused_masks == []


def test_annotations_are_masks_and_lie_among_the_photos_without_a_suffix() -> None:
    masks = files("x.json", "y.png")
    result = pair(files("x.jpg", "y.jpg"), masks, Naming())
    assert [item.mask for item in result.pairs] == ["x.json", "y.png"]
    together = files("x.jpg", "x.json", "y.jpg", "all.json")
    result = pair(together, together, Naming(), same_folder=True)
    assert result.pairs == [Pair("x.jpg", "x.json", "x.jpg"), Pair("y.jpg", "", "y.jpg")]
    assert result.unused_masks == ["all.json"]


def test_one_mask_for_all_is_no_photo_itself() -> None:
    result = pair(files("logo.png", "x.jpg"), [], Naming(single="logo.png", format="PNG"), same_folder=True)
    assert result.pairs == [Pair("x.jpg", "logo.png", "x.png")]


@pytest.mark.parametrize(
    ("photos", "masks", "naming"),
    [
        (["x.jpg", "X.JPG"], [], Naming(single="m.png")),  # one file on many disks
        (["x.jpg", "x.tif"], [], Naming(single="m.png", format="PNG")),  # both become x.png
        (["x.jpg", "x.tif"], ["x.png"], Naming()),  # whose mask?
        (["x.jpg"], ["x.png", "x.tif"], Naming()),  # which mask?
        ([], [], Naming()),
    ],
)
def test_what_is_not_clear_is_refused(photos: list[str], masks: list[str], naming: Naming) -> None:
    with pytest.raises(InputError):
        refuse_conflicts(pair(files(*photos), files(*masks), naming))


NAMES = st.lists(
    st.sampled_from([f"{stem}{ending}" for stem in "abAé" for ending in (".png", ".jpg", ".tif")]), unique=True
)


@given(photos=NAMES, masks=NAMES, format=st.sampled_from(["", "PNG"]))
def test_no_two_pairs_share_a_result_or_a_mask_and_none_is_lost(
    photos: list[str], masks: list[str], format: str
) -> None:
    result = pair(files(*photos), files(*masks), Naming(format=format))
    outputs = [item.output.casefold() for item in result.pairs]
    used = [item.mask for item in result.pairs if item.mask]
    assert len(set(outputs)) == len(outputs)
    assert len(set(used)) == len(used)
    assert len(result.pairs) + len(result.conflicts) == len(photos)


def test_a_name_is_one_however_its_accents_are_spelt() -> None:
    composed, apart = "caf\u00e9.jpg", "cafe\u0301.png"
    result = pair(files(composed), files(apart), Naming())
    assert [(item.photo, item.mask, item.output) for item in result.pairs] == [(composed, apart, composed)]
    assert not result.unused_masks
    both = pair(files(composed, "cafe\u0301.jpg"), files(), Naming())
    assert len(both.conflicts) == 2, "on many disks the results would be one file"
    beside = pair(
        files("caf\u00e9.jpg", "cafe_d\u0301.png"),
        files("cafe_d\u0301.png"),
        Naming(suffix="_d\u0301"),
        same_folder=True,
    )
    assert [item.photo for item in beside.pairs] == ["caf\u00e9.jpg"]


def paired(
    pattern: str, others: Iterable[str], photos: Iterable[str], folder: str = "", **more: Any
) -> dict[str, Any]:
    """The references of each photo, by the names that a folder holds."""
    _, names = parted(pattern)
    found = Others(names, frozenset(others), among_photos=folder == "photos", among_masks=folder == "masks")
    result = pair(
        files(*photos), files(*more.get("masks", ())), more.get("naming", Naming(single="m.png")), others=found
    )
    return {item.photo: item.references for item in result.pairs} | {"unused": tuple(result.unused_references)}


def test_references_belong_to_photos_by_a_pattern_of_names() -> None:
    photos = ["a.jpg", "a-1.tif", "b/a.jpg"]
    assert paired("refs", ["a.png", "a.tif", "ab.png", "b/a.png"], photos) == {
        "a.jpg": ("a.png", "a.tif"), "a-1.tif": (), "b/a.jpg": ("b/a.png",), "unused": ("ab.png",),
    }  # fmt: skip
    assert paired("refs/{stem}-*.jpg", ["a-1.jpg", "a-1-2.jpg", "x-1.jpg"], photos) == {
        "a.jpg": ("a-1-2.jpg", "a-1.jpg"), "a-1.tif": ("a-1-2.jpg",), "b/a.jpg": (), "unused": ("x-1.jpg",),
    }  # fmt: skip
    assert paired("refs/?/{stem}.*", ["1/a.jpg", "2/a.jpg", "2/b/a.jpg"], photos)["a.jpg"] == (
        "1/a.jpg",
        "2/a.jpg",
    )
    assert paired("refs/{stem}/*", ["a/x.jpg", "a/y/z.jpg"], photos)["a.jpg"] == ("a/x.jpg",)
    everybody = paired("refs/day*.jpg", ["day1.jpg", "day2.jpg", "night.jpg"], photos)
    assert everybody["a.jpg"] == everybody["b/a.jpg"] == ("day1.jpg", "day2.jpg")
    assert paired("refs/{stem}-\u00e9*.jpg", ["a-e\u0301.jpg"], photos)["a.jpg"] == ("a-e\u0301.jpg",)


def test_a_picture_that_is_anothers_reference_is_no_photo_and_a_mask_no_reference() -> None:
    names = ["a.jpg", "a_1.jpg", "b.jpg"]
    assert paired("shots/{stem}_*", names, names, "photos") == {"a.jpg": ("a_1.jpg",), "b.jpg": (), "unused": ()}
    each = paired(
        "shots/*.jpg", names, names, "photos"
    )  # a tripod: every shot is a photo, and the others' reference
    assert each["b.jpg"] == ("a.jpg", "a_1.jpg") and len(each) == 4
    marks = ["a.png", "a-other.png"]
    assert paired("marks/{stem}*", marks, ["a.jpg"], "masks", naming=Naming(), masks=marks) == {
        "a.jpg": ("a-other.png",), "unused": (),
    }  # fmt: skip


@pytest.mark.parametrize("pattern", ["refs/{name}.jpg", "refs/{stem}/{stem}.jpg", "refs/{stem"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(InputError, match="no pattern"):
        parted(pattern)


def test_a_pattern_names_its_folder() -> None:
    found = {"refs": "refs", "a/b/{stem}*": "a/b/", "{stem}*": ".", "s3://in/r/*/{stem}.jpg": "s3://in/r/"}
    for pattern, folder in {**found, "r/one.jpg": "r"}.items():
        assert parted(pattern)[0] == folder
