"""Makes the test set of docs/results.md: 100 photographs that no tuning has seen, each with one random hole.

    python benchmarks/test_set.py ../shared/data/test384.tar runs/test-set

Writes pictures/KIND-NAME.png and holes/KIND-NAME.png, 20 of each kind of hole, ready for::

    patchloom evaluate runs/test-set/pictures --holes runs/test-set/holes --out runs/photographs

benchmarks/quality.py, which the program is tuned with, takes the first 96 of the same shuffled list; this takes
the next 100.
"""

import argparse
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from patchloom.evaluation.holes import make_hole

KINDS = ("boxes", "blobs", "random:thick", "random:medium", "random:thin")
TUNED_ON = 96
OF_EACH = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    for folder in ("pictures", "holes"):
        (given.out / folder).mkdir(parents=True, exist_ok=True)
    with tarfile.open(given.archive) as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
        order = np.random.RandomState(0).permutation(len(names))[TUNED_ON : TUNED_ON + OF_EACH * len(KINDS)]
        for number, index in enumerate(order):
            kind, name = KINDS[number // OF_EACH], names[index]
            photo = Image.open(io.BytesIO(tar.extractfile(name).read())).convert("RGB")
            hole = make_hole(kind, photo.width, photo.height, name=Path(name).stem)
            stem = f"{kind.rpartition(':')[2]}-{Path(name).stem}"
            photo.save(given.out / "pictures" / f"{stem}.png")
            Image.fromarray(hole.astype(np.uint8) * 255).save(given.out / "holes" / f"{stem}.png")
    print(f"{len(order)} photographs with holes in {given.out}")


if __name__ == "__main__":
    main()
