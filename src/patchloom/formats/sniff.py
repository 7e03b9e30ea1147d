"""Which format a file has, by its first bytes; its name is never asked."""

from patchloom.errors import Unsupported

SUPPORTED = "JPEG, PNG, TIFF, WebP and AVIF"

_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR"),
    (0, b"II\x2a\x00\x10\x00\x00\x00CR", "a camera raw file"),
    (0, b"FUJIFILMCCD-RAW", "a camera raw file"),
    (0, b"IIRO", "a camera raw file"),
    (0, b"IIU\x00", "a camera raw file"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML file"),
    (0, b"PK\x03\x04", "a ZIP archive"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")


def sniff(data: bytes) -> str:
    """``"PNG"``, ``"JPEG"``, ``"TIFF"``, ``"WEBP"`` or ``"AVIF"``. Raises Unsupported for anything else."""
    other = next((name for start, magic, name in _OTHERS if data[start:].startswith(magic)), "")
    if not other:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return "PNG"
        if data.startswith(b"\xff\xd8\xff"):
            return "JPEG"
        if data[:4] in (b"II\x2a\x00", b"MM\x00\x2a", b"II\x2b\x00", b"MM\x00\x2b"):
            return "TIFF"
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return "WEBP"
        if data[4:8] == b"ftyp":
            brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
            if b"avif" in brands or b"avis" in brands:
                return "AVIF"
            other = "an HEIC" if any(brand in brands for brand in _HEIF_BRANDS) else "a film or unknown container"
    if other == "a camera raw file":
        raise Unsupported("is a camera raw file.", "Export a 16-bit TIFF from your raw converter first.")
    if other:
        raise Unsupported(f"is {other}, which is not supported.", f"Save it as one of {SUPPORTED} first.")
    raise Unsupported("is not a picture.", f"Supported are {SUPPORTED}.")
