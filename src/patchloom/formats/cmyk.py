"""CMYK pictures: refused, or turned into RGB on request, by their own profile where they have one."""

import io

import numpy as np
from PIL import Image, ImageCms

from patchloom.errors import Unsupported
from patchloom.events import Warned
from patchloom.formats.picture import Reading, Samples


def require_allowed(reading: Reading) -> None:
    if not reading.allow_cmyk:
        raise Unsupported(
            "is in CMYK, the colours of print.",
            "Add {allow_cmyk} to have it turned into RGB, or convert it in your editor.",
        )


def to_rgb(image: Image.Image, icc: bytes, reading: Reading) -> Samples:
    """(H, W, 3) uint8 in sRGB. Raises Unsupported unless it is allowed."""
    require_allowed(reading)
    if icc:
        try:
            turned = ImageCms.profileToProfile(
                image, io.BytesIO(icc), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            turned = None
        if turned is not None:
            reading.observe(Warned(message="CMYK was converted to sRGB with the photo's profile."))
            return np.asarray(turned)
    reading.observe(Warned(message="CMYK was converted to RGB without a colour profile; colours may shift."))
    return np.asarray(image.convert("RGB"))
