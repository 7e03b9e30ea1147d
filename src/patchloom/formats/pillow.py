"""What is common to the formats that Pillow decodes and encodes with all their metadata: WebP and AVIF."""

import io

import numpy as np
from PIL import Image

from patchloom.formats import exif
from patchloom.formats.picture import Metadata, Stored, split


def decoded(image: Image.Image, lossless: bool) -> Stored:
    image.load()
    info = image.info
    block = exif.without_thumbnail(exif.bare(info.get("exif", b"")))
    metadata = Metadata(
        orientation=exif.orientation(block),
        mode=image.mode,
        icc=info.get("icc_profile", b""),
        exif=block,
        xmp=exif.xmp_without_thumbnail(info.get("xmp", b"")),
        lossless=lossless,
    )
    return Stored(*split(np.asarray(image)), metadata)


def encoded(picture: Stored, format: str, **options: object) -> bytes:
    metadata = picture.metadata
    for name, value in (("icc_profile", metadata.icc), ("exif", metadata.exif), ("xmp", metadata.xmp)):
        if value:
            options[name] = value
    samples = picture.joined()
    if samples.ndim == 3 and samples.shape[-1] == 2:  # neither has grey with alpha
        samples = samples[..., [0, 0, 0, 1]]
    target = io.BytesIO()
    Image.fromarray(samples).save(target, format, **options)
    return target.getvalue()
