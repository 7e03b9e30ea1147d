"""Masks that data set makers have: outlines and run lengths of COCO, and labelme's shapes, both JSON.

Coordinates are x, y on the picture as it is seen; whatever an outline touches is marked.
"""

import base64
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from patchloom.arrays import Bools
from patchloom.errors import MaskError

Size = tuple[int, int]
"""Height and width."""

_LISTED = 8  # classes at most that a message names
_EXPORT = "Export it as COCO or labelme, or as a black and white picture."


def is_annotation(data: bytes) -> bool:
    """Whether a file is JSON, which no picture is."""
    return data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


class _Object(NamedTuple):
    """What a file says of one object; its class by name and by number, each empty where it has none."""

    said: Any
    name: str
    number: str = ""


def marked(data: bytes, photo: str, classes: Sequence[str], max_pixels: int) -> tuple[Bools, str]:
    """The objects of a file together, (H, W), and how it was read.

    ``photo`` is the photograph's file name, by which those of one picture are chosen from among those of several;
    ``classes``: names or numbers of those that count, all where there are none.
    Raises MaskError: no JSON, another kind of it, nothing for that photo, no such class.
    """
    try:
        document = json.loads(data)
        if isinstance(document, dict) and "shapes" in document:
            size = _size(document["imageHeight"], document["imageWidth"], max_pixels)
            shapes = [_Object(shape, str(shape.get("label") or "")) for shape in document["shapes"]]
            shapes = _of_classes(shapes, classes, [])
            return _union(size, (_of_labelme(shape.said, size) for shape in shapes)), _read("labelme", shapes)
        document = document if isinstance(document, dict) else {"annotations": document}
        return _of_coco(document, photo, classes, max_pixels)
    except MaskError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, OSError, RecursionError, OverflowError) as error:
        raise MaskError("As a mask: this JSON holds no outlines that can be read.", _EXPORT) from error


def _of_coco(document: dict[str, Any], photo: str, classes: Sequence[str], max_pixels: int) -> tuple[Bools, str]:
    if "annotations" not in document:
        document = {"annotations": [document]} if "counts" in document or "segmentation" in document else document
    objects, about = document["annotations"], document.get("images") or [document.get("image") or {}]
    if len(about) > 1:
        about = [one for one in about if PurePath(one["file_name"]).name == photo] or [
            one for one in about if PurePath(one["file_name"]).stem == PurePath(photo).stem
        ]
        if len(about) != 1:
            raise MaskError(
                f"As a mask: these annotations are of {len(document['images'])} pictures, "
                f"and {len(about) or 'none'} of them is called '{photo}'.",
                "Name the photo as they do, or export the annotations of one picture.",
            )
        objects = [one for one in objects if one["image_id"] == about[0]["id"]]
    named = {str(one["id"]): str(one["name"]) for one in document.get("categories") or ()}
    numbers = [str(one.get("category_id", "")) for one in objects]
    chosen = [_Object(one, named.get(number, ""), number) for one, number in zip(objects, numbers, strict=True)]
    chosen = _of_classes(chosen, classes, [*named.values(), *named])
    runs = [_outlines(one.said) for one in chosen]
    sizes = [(one["height"], one["width"]) for one in about if "height" in one]
    sizes += [tuple(one["size"]) for one in runs if isinstance(one, dict)]
    if not sizes:
        raise MaskError("As a mask: these annotations do not say how large their picture is.", _EXPORT)
    size = _size(*sizes[0], max_pixels)
    hole = _union(size, (_of_runs(one, size) if isinstance(one, dict) else _drawn(one, size) for one in runs))
    return hole, _read("COCO", chosen)


def _of_classes(objects: list[_Object], classes: Sequence[str], declared: Sequence[str]) -> list[_Object]:
    """Those of ``classes``, which the file has to know: it ``declared`` them, or has an object of them."""
    known = {*declared, *(word for one in objects for word in (one.name, one.number))} - {""}
    for wanted in classes:
        if wanted not in known:
            there = ", ".join(sorted({one.name or one.number for one in objects} - {""})[:_LISTED])
            raise MaskError(
                f"As a mask: no object is of the class '{wanted}'; "
                + (f"their classes are {there}." if there else "they have no classes."),
                "Name others with {mask_class}, or leave it out.",
            )
    return [one for one in objects if not classes or one.name in classes or one.number in classes]


def _outlines(annotation: dict[str, Any]) -> Any:
    """Run lengths (a dict), or polygons; of what has neither, its box."""
    if "counts" in annotation:
        return annotation
    if outlines := annotation.get("segmentation"):
        return outlines
    x, y, width, height = annotation["bbox"]
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def _of_runs(runs: dict[str, Any], size: Size) -> Bools:
    """Run lengths, column by column, of what is not marked and what is, by turns."""
    counts = runs["counts"]
    if tuple(runs["size"]) != size:
        raise ValueError("another size")
    lengths = np.asarray(_unpacked(counts) if isinstance(counts, str | bytes) else counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != size[0] * size[1]:
        raise ValueError("runs that do not fit")
    return np.asarray(np.repeat(np.arange(len(lengths)) % 2 == 1, lengths).reshape(size, order="F"))


def _unpacked(counts: str | bytes) -> list[int]:
    """COCO's packed run lengths: five bits a character, the lowest first, a sixth that says there is more; signed,
    and from the third on the difference to the last but one."""
    lengths: list[int] = []
    value = shift = 0
    for code in counts.encode() if isinstance(counts, str) else counts:
        bits = code - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return lengths


def _of_labelme(shape: dict[str, Any], size: Size) -> Bools:
    kind = shape.get("shape_type") or "polygon"
    points: list[tuple[float, ...]] = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "mask":
        (left, top), hole = points[0], np.zeros(size, bool)
        with Image.open(io.BytesIO(base64.b64decode(shape["mask"])), formats=["PNG"]) as image:
            picture = np.asarray(image) != 0
        place = hole[round(top) : round(top) + picture.shape[0], round(left) : round(left) + picture.shape[1]]
        place[:] = picture[: place.shape[0], : place.shape[1]]
        return hole
    if kind == "rectangle":
        (left, top), (right, bottom) = points[0], points[-1]
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    elif kind == "circle":
        (x, y), edge = points
        angles = np.linspace(0, 2 * np.pi, 200)
        radius = np.hypot(edge[0] - x, edge[1] - y)
        points = list(zip(x + radius * np.cos(angles), y + radius * np.sin(angles), strict=True))
    elif kind in ("line", "linestrip", "point"):
        return _drawn([sum(points, ())], size, closed=False)
    elif kind != "polygon":
        raise MaskError(f"As a mask: shapes of kind '{kind}' are not understood.", "Draw a polygon.")
    return _drawn([sum(points, ())], size)


def _drawn(outlines: Iterable[Sequence[float]], size: Size, closed: bool = True) -> Bools:
    """Polygons or lines x, y, x, y ..., which count from the corner of the first pixel; Pillow from its middle."""
    middle = 0.5 * closed
    image = Image.new("1", size[::-1])
    drawing = ImageDraw.Draw(image)
    for outline in outlines:
        points = [(float(x) - middle, float(y) - middle) for x, y in zip(outline[::2], outline[1::2], strict=True)]
        if len(points) == 1:
            drawing.point(points, 1)
        elif closed and len(points) > 2:
            drawing.polygon(points, 1)
            drawing.line([*points, points[0]], 1)  # of a sliver, Pillow's filling leaves gaps
        else:
            drawing.line(points, 1)
    return np.asarray(image, bool)


def _union(size: Size, holes: Iterable[Bools]) -> Bools:
    result = np.zeros(size, bool)
    for hole in holes:
        result |= hole
    return result


def _size(height: Any, width: Any, max_pixels: int) -> Size:
    size = int(height), int(width)
    if min(size) < 1 or size[0] * size[1] > max_pixels:
        raise ValueError("no size")
    return size


def _read(kind: str, objects: Sequence[_Object]) -> str:
    """How a file was read, in words: how many objects are filled, and what they are."""
    known = ", ".join(sorted({one.name for one in objects} - {""})[:_LISTED])
    return (
        f"{len(objects)} object{'s' * (len(objects) != 1)} of {kind} {'are' if len(objects) != 1 else 'is'} filled"
        + (f" ({known})" if known else "")
    )
