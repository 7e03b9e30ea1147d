"""Regions that XMP names: those over what was filled are gone, the others are there byte for byte."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from patchloom import Inpainter, Mask, Photo
from patchloom.events import Event, Warned
from patchloom.formats.exif import orientation_block
from patchloom.settings import fill_settings

RGB = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
HOLE = np.zeros((60, 80), bool)
HOLE[20:30, 20:30] = True  # .25 to .375 across, .33 to .5 down
OVER, BESIDE = (0.31, 0.42, 0.1, 0.1), (0.8, 0.8, 0.1, 0.1)  # middle and size
SETTINGS = fill_settings("fast", texture="none", content="none")


def mwg(name: str, x: float, y: float, w: float, h: float) -> str:
    return (
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face">'
        f'<mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}" stArea:unit="normalized"/>'
        "</rdf:Description></rdf:li>"
    )


def mwg_elements(name: str, x: float, y: float, w: float, h: float) -> str:
    inner = "".join(
        f"<stArea:{key}>{value}</stArea:{key}>" for key, value in zip("xywh", (x, y, w, h), strict=True)
    )
    return (
        f'<rdf:li rdf:parseType="Resource"><mwg-rs:Area rdf:parseType="Resource">{inner}</mwg-rs:Area>'
        f"<mwg-rs:Name>{name}</mwg-rs:Name></rdf:li>"
    )


def microsoft(name: str, x: float, y: float, w: float, h: float) -> str:
    box = f"{x - w / 2:.4f}, {y - h / 2:.4f}, {w}, {h}"
    return f'<rdf:li MPReg:Rectangle="{box}" MPReg:PersonDisplayName="{name}"/>'


def iptc(name: str, x: float, y: float, w: float, h: float, unit: str = "relative") -> str:
    across, down = (80, 60) if unit == "pixel" else (1, 1)
    told = {"rbShape": "rectangle", "rbUnit": unit, "rbX": (x - w / 2) * across, "rbY": (y - h / 2) * down,
            "rbW": w * across, "rbH": h * down}  # fmt: skip
    return _iptc(name, "".join(f"<Iptc4xmpExt:{key}>{value}</Iptc4xmpExt:{key}>" for key, value in told.items()))


def iptc_pixels(name: str, x: float, y: float, w: float, h: float) -> str:
    return iptc(name, x, y, w, h, "pixel")


def iptc_polygon(name: str, x: float, y: float, w: float, h: float) -> str:
    corners = [(x - w / 2, y - h / 2), (x + w / 2, y - h / 2), (x, y + h / 2)]
    items = "".join(
        f'<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:rbX>{a}</Iptc4xmpExt:rbX>'
        f"<Iptc4xmpExt:rbY>{b}</Iptc4xmpExt:rbY></rdf:li>"
        for a, b in corners
    )
    return _iptc(name, f"<Iptc4xmpExt:rbVertices><rdf:Seq>{items}</rdf:Seq></Iptc4xmpExt:rbVertices>")


def _iptc(name: str, boundary: str) -> str:
    return (
        f'<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:RegionBoundary rdf:parseType="Resource">{boundary}'
        f"</Iptc4xmpExt:RegionBoundary><Iptc4xmpExt:Name>{name}</Iptc4xmpExt:Name></rdf:li>"
    )


KINDS = [mwg, mwg_elements, microsoft, iptc, iptc_pixels, iptc_polygon]


def packet(*items: str) -> bytes:
    spaces = {
        "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
        "stArea": "http://ns.adobe.com/xmp/sType/Area#",
        "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "dc": "http://purl.org/dc/elements/1.1/",
    }
    names = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {names}><dc:subject><rdf:Bag><rdf:li>beach</rdf:li></rdf:Bag></dc:subject>'
        f"<mwg-rs:RegionList><rdf:Bag>{''.join(items)}</rdf:Bag></mwg-rs:RegionList></rdf:Description></rdf:RDF>"
        "</x:xmpmeta>"
    ).encode()


def file_with(xmp: bytes, format: str, turn: int = 1) -> bytes:
    target, options = io.BytesIO(), dict[str, Any]()
    if format == "TIFF":
        tifffile.imwrite(target, RGB, metadata=None, photometric="rgb", extratags=[(700, 1, len(xmp), xmp, True)])
        return target.getvalue()
    if format.startswith("PNG"):
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip="packed" in format)
        options = {"pnginfo": info}
    else:
        options = {"xmp": xmp, "exif": b"Exif\0\0" + orientation_block(turn)}
    Image.fromarray(RGB).save(target, format.split()[0], **options)
    return target.getvalue()


def filled(data: bytes, hole: np.ndarray) -> tuple[bytes, str]:
    said: list[Event] = []
    photo = Inpainter().inpaint(Photo.open(data), Mask(hole), SETTINGS, observe=said.append).photo
    return photo.metadata.xmp + photo.encode(), " ".join(one.message for one in said if isinstance(one, Warned))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "PNG packed", "WEBP", "TIFF"])
def test_a_region_over_the_hole_goes_from_every_file_and_the_other_stays(kind: Any, format: str) -> None:
    xmp = packet(kind("Gone Person", *OVER), kind("Staying Person", *BESIDE))
    saved, said = filled(file_with(xmp, format), HOLE)
    assert b"Gone Person" not in saved and kind("Staying Person", *BESIDE).encode() in saved
    assert "1 named region" in said and b"beach" in saved
    with Image.open(io.BytesIO(saved[len(packet(kind("Staying Person", *BESIDE))) :])) as image:
        assert image.size == (80, 60)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_or_changed_where_no_region_is_covered(kind: Any) -> None:
    xmp = packet(kind("Staying Person", *BESIDE))
    saved, said = filled(file_with(xmp, "JPEG"), HOLE)
    assert saved.count(xmp) == 2 and "region" not in said


@pytest.mark.parametrize("turn", [3, 6, 8])
def test_a_turned_photo_is_searched_as_stored_and_as_seen(turn: int) -> None:
    data = file_with(
        packet(mwg("Gone Person", *OVER), mwg("Staying Person", 0.95, 0.05, 0.02, 0.02)), "JPEG", turn
    )
    photo = Photo.open(data)
    upright = np.zeros((photo.height, photo.width), bool)
    down, across = round(0.42 * photo.height), round(0.31 * photo.width)
    upright[down - 3 : down + 3, across - 3 : across + 3] = True
    for hole in (upright, {3: HOLE[::-1, ::-1], 6: np.rot90(HOLE, -1), 8: np.rot90(HOLE)}[turn]):
        saved, said = filled(data, hole)
        assert b"Gone Person" not in saved and b"Staying Person" in saved and "1 named region" in said


def test_a_packet_with_areas_that_are_no_numbers_stays() -> None:
    xmp = packet(mwg("Odd", "left", 0, 0, 0))  # type: ignore[arg-type]
    saved, _ = filled(file_with(xmp, "JPEG"), HOLE)
    assert xmp in saved
