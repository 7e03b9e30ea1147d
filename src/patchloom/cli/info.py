"""``patchloom info``: what a picture file is, and what it carries."""

from typing import TYPE_CHECKING

import click

from patchloom.cli import files
from patchloom.cli.options import console_options
from patchloom.console import Console

if TYPE_CHECKING:
    from patchloom.photo import Photo


@click.command()
@click.argument("picture", metavar="FILE")
@click.option("--allow-cmyk", is_flag=True, help="Read a CMYK picture, turned into RGB.")
@click.option("--page", type=click.IntRange(1), help="Of a file of several pages or frames, the one to look at.")
@console_options
def command(picture: str, allow_cmyk: bool, page: int | None, console: Console) -> None:
    """Say what FILE is: format, size, depth, colours, and the metadata that a fill will keep."""
    from patchloom.photo import Photo

    photo = Photo.open(files.source(picture), allow_cmyk=allow_cmyk, page=page)
    console.table("", ["property", "value"], list(_properties(photo).items()))


def _properties(photo: "Photo") -> dict[str, object]:
    found = photo.metadata
    depth = photo.pixels.dtype.itemsize * 8 if found.tiff is None else found.tiff.meaning.bits
    stored = f"{found.mode}, {depth} bit a sample" + (", floats" if photo.pixels.dtype.kind == "f" else "")
    properties: dict[str, object] = {
        "format": photo.format + ("" if found.lossless else ", lossy"),
        "size": f"{photo.width} x {photo.height} pixels, upright",
        "stored as": "1 bit" if found.mode == "1" else stored,
        "orientation": found.orientation,
    }
    if photo.alpha is not None:
        properties["transparent"] = f"{100 * float((photo.alpha == 0).mean()):.2g} % of the picture"
    if photo.extra is not None:
        properties["further channel"] = "one that is no transparency"
    if found.cicp is not None:
        properties["colours"] = f"primaries {found.cicp.primaries}, transfer {found.cicp.transfer} (ITU-T H.273)"
    if found.dpi is not None:
        properties["resolution"] = f"{found.dpi[0]:.4g} x {found.dpi[1]:.4g} dpi"
    if found.jpeg is not None:
        sampling = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}.get(found.jpeg.subsampling, "no chroma")
        properties["coding"] = sampling + (", progressive" if found.jpeg.progressive else "")
    for name, block in (("colour profile", found.icc), ("EXIF", found.exif), ("XMP", found.xmp)):
        properties[name] = f"{len(block)} bytes" if block else "none"
    properties |= {key: text[:200] for key, text in found.text}
    return properties
