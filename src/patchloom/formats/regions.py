"""Regions that XMP names in a picture (faces, pets, marked details): those that a fill covered are gone from it.

The Metadata Working Group's, Microsoft's and IPTC's. Some programs mean the picture as it is stored, others as it
is seen; a region counts as covered if it is in either.
"""

from dataclasses import replace
from xml.parsers import expat

from patchloom.arrays import Bools
from patchloom.events import Observer, Warned
from patchloom.formats.picture import Block, Metadata, as_stored
from patchloom.formats.xmp import Reader, joined

_XMP, _PNG = 700, b"XML:com.adobe.xmp"  # TIFF's tag, PNG's keyword
_MARKS = (b"Area", b"Rectangle", b"RegionBoundary")


def without_covered(metadata: Metadata, hole: Bools, observe: Observer) -> Metadata:
    """``metadata`` without the regions that meet ``hole`` (H, W), upright; how many these were is said."""
    grids = (hole, as_stored(hole, metadata.orientation))
    packet, count = _without(metadata.xmp, grids)
    if not count:
        return metadata
    observe(Warned(message=f"Not kept: {count} named region{'s' * (count != 1)} (faces) over what was filled."))
    coding = metadata.tiff
    if coding is not None:
        tags = (t._replace(value=packet, length=len(packet)) if t.code == _XMP else t for t in coding.tags)
        coding = coding._replace(tags=tuple(tags))
    blocks = tuple(_with_packet(block, metadata.xmp, packet) for block in metadata.blocks)
    return replace(metadata, xmp=packet, tiff=coding, blocks=blocks)


def _with_packet(block: Block, old: bytes, new: bytes) -> Block:
    """A segment of a JPEG or chunk of a PNG, which may hold the packet, also compressed."""
    if block.payload.startswith(_PNG):
        return block._replace(payload=_PNG + bytes(5) + new)
    return block._replace(payload=block.payload.replace(old, new))


def _without(packet: bytes, grids: tuple[Bools, ...]) -> tuple[bytes, int]:
    if not any(mark in packet for mark in _MARKS):
        return packet, 0
    reader = _Regions(packet, grids)
    try:
        reader.parser.Parse(packet.rstrip(b"\0"), True)
    except (expat.ExpatError, ValueError):
        return packet, 0
    return joined(packet, reader.cuts), len(reader.cuts)


class _Regions(Reader):
    """Finds the list items that give an area which meets what was filled."""

    def __init__(self, packet: bytes, grids: tuple[Bools, ...]) -> None:
        super().__init__(packet)
        self._grids = grids
        self._items: list[tuple[int, dict[str, str], list[tuple[float, float]]]] = []
        self._words = ""
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._finish
        self.parser.CharacterDataHandler = self._add
        self.parser.CommentHandler = None

    def _begin(self, name: str, fields: dict[str, str]) -> None:
        self._words = ""
        if _local(name) == "li":
            self._items.append((self.parser.CurrentByteIndex, {}, []))
        if self._items:
            self._items[-1][1].update({_local(key): value for key, value in fields.items()})

    def _add(self, text: str) -> None:
        self._words += text

    def _finish(self, name: str) -> None:
        if self._items and self._words.strip():
            self._items[-1][1][_local(name)] = self._words.strip()
        self._words = ""
        if _local(name) != "li" or not self._items:
            return
        start, fields, corners = self._items.pop()
        if self._items and {"rbX", "rbY"} <= fields.keys() and not {"rbW", "rbRx"} & fields.keys():
            self._items[-1][2].append((float(fields["rbX"]), float(fields["rbY"])))  # a corner of a polygon
        elif (box := _box(fields, corners)) and any(_meets(box, grid, fields) for grid in self._grids):
            self.cuts = [cut for cut in self.cuts if cut[0] < start]  # those of the items within
            self.cuts.append((start, self.end_of(start)))


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _box(fields: dict[str, str], corners: list[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom of an area, if there is one."""
    if corners:
        (left, top), (right, bottom) = map(min, zip(*corners, strict=True)), map(max, zip(*corners, strict=True))
        return left, top, right, bottom
    if "Rectangle" in fields:
        left, top, width, height = map(float, fields["Rectangle"].split(","))
    elif {"x", "y"} <= fields.keys():  # of the middle
        width, height = (float(fields.get(side, fields.get("d", 0))) for side in "wh")
        left, top = float(fields["x"]) - width / 2, float(fields["y"]) - height / 2
    elif {"rbX", "rbY"} <= fields.keys():
        radius = float(fields.get("rbRx", 0))
        width, height = float(fields.get("rbW", 2 * radius)), float(fields.get("rbH", 2 * radius))
        left, top = float(fields["rbX"]) - radius, float(fields["rbY"]) - radius
    else:
        return None
    return left, top, left + width, top + height


def _meets(box: tuple[float, float, float, float], grid: Bools, fields: dict[str, str]) -> bool:
    """Whether any of ``grid`` (H, W) lies in ``box``, in shares of the picture unless ``fields`` says pixels."""
    height, width = (1, 1) if "pixel" in (fields.get("rbUnit"), fields.get("unit")) else grid.shape
    left, top, right, bottom = box
    rows = slice(max(0, int(top * height)), max(0, int(bottom * height) + 1))
    return bool(grid[rows, max(0, int(left * width)) : max(0, int(right * width) + 1)].any())
