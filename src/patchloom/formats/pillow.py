"""What is common to the formats that Pillow decodes and encodes with all their metadata."""

import io

import numpy as np
from PIL import Image

from patchloom.errors import Unsupported
from patchloom.formats import exif, xmp
from patchloom.formats.cmyk import to_rgb
from patchloom.formats.picture import Metadata, Reading, Samples, Stored, split, to_eight_bit

SMALL = 800  # pixels of a small picture's longer side


def small_png(samples: Samples) -> bytes:
    """A small PNG to look at of samples (H, W) or (H, W, 1 to 4) of any depth."""
    samples = to_eight_bit(samples)
    picture = Image.fromarray(samples.squeeze(2) if samples.shape[2:] == (1,) else samples)
    picture.thumbnail((SMALL, SMALL))
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def decoded(image: Image.Image, reading: Reading, lossless: bool) -> Stored:
    """The frame at which ``image`` stands."""
    image.load()
    info = image.info
    gone = []
    block, more = exif.without_pictures(exif.bare(info.get("exif") or b"")) if info.get("exif") else (b"", False)
    gone += ["parts of EXIF"] if more else []
    packet, more = xmp.without_pictures(info.get("xmp") or b"")
    gone += ["parts of XMP"] if more else []
    reading.leave_out(*gone)
    dpi = info.get("dpi")
    profile = info.get("icc_profile") or b""
    metadata = Metadata(
        orientation=exif.orientation(block),
        mode=image.mode,
        icc=b"" if image.mode == "CMYK" else profile,
        exif=block,
        xmp=packet,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and dpi[0] and dpi[1] else None,
        lossless=lossless,
    )
    return Stored(*split(_samples(image, profile, reading)), metadata)


def _samples(image: Image.Image, profile: bytes, reading: Reading) -> Samples:
    """(H, W) or (H, W, 2..4) of 8 or 16 bit. Raises Unsupported for a mode that has no such samples."""
    if image.mode == "CMYK":
        return to_rgb(image, profile, reading)
    if image.mode in ("P", "PA", "1"):
        has_alpha = image.mode == "PA" or "transparency" in image.info
        image = image.convert("L" if image.mode == "1" else "RGBA" if has_alpha else "RGB")
    elif image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise Unsupported(f"has samples of an unknown kind ({image.mode}).", "Convert it to RGB first.")
    return np.asarray(image)


def palette_of(image: Image.Image) -> Samples:
    """(N, 4): the colours of a Pillow picture of mode P, RGBA, 0..255."""
    kind = image.palette.mode if image.palette is not None else "RGB"
    table = np.array(image.getpalette(kind) or [], np.uint8).reshape(-1, len(kind))
    numbers = Image.frombytes("P", (len(table), 1), bytes(range(len(table))))
    numbers.putpalette(table.tobytes(), kind)
    numbers.info = dict(image.info)  # which of them are transparent
    colours: Samples = np.asarray(numbers.convert("RGBA"))[0]
    return colours


def encoded(picture: Stored, format: str, **options: object) -> bytes:
    metadata = picture.metadata
    blocks = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    options |= {name: value for name, value in blocks.items() if value}
    samples = picture.joined()
    if samples.ndim == 3 and samples.shape[-1] == 2:  # neither has grey with alpha
        samples = samples[..., [0, 0, 0, 1]]
    target = io.BytesIO()
    Image.fromarray(samples).save(target, format, **options)
    return target.getvalue()
