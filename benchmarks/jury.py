"""Which fill is the better picture? Two methods' fills side by side without names, and the tally.

    python benchmarks/jury.py lay runs/quality balanced pypatchmatch --seed 1 --out runs/jury-1
    python benchmarks/jury.py tally runs/jury-1.json votes.txt

``lay`` draws a picture a pair, ``001.png`` and on: the hole, then LEFT and RIGHT, sides at random; of strokes and
scratches the detail where the two fills differ most. The key lies beside the folder, so that a juror who is shown
the folder does not see it. Votes are lines of the pair's number, L or R, a ``?`` where the two can hardly be told
apart, and why: ``017 R? the pole goes through``. ``tally`` counts a ``?`` for neither.
"""

import argparse
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from quality import GROUPS, SHARED, Case, load_cases
from scipy import ndimage

from patchloom.evaluation.pictures import Tile, contact_sheet, view_of, with_hole

SIDE = 640  # of a tile in pixels
DETAIL = {"thick": 220, "thin": 120}  # pixels of the photograph that a juror is shown of these groups
VOTE = re.compile(r"(\d+)\s+([LR])(\??)(?:\s|$)")


def view(case: Case, first: np.ndarray, second: np.ndarray, side: int | None) -> tuple[slice, slice]:
    """The hole and what is around it, or the ``side`` x ``side`` in which the two fills differ most."""
    if side is None:
        return view_of(case.hole)
    difference = np.abs(first.astype(np.float32) - second).mean(axis=2)
    near = ndimage.uniform_filter(difference, side // 2, mode="constant")
    middle = np.unravel_index(near.argmax(), near.shape)
    begins = [int(np.clip(m - side // 2, 0, max(0, n - side))) for m, n in zip(middle, near.shape, strict=True)]
    return slice(begins[0], begins[0] + side), slice(begins[1], begins[1] + side)


def lay(run: Path, methods: tuple[str, str], shared: Path, seed: int, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    key = {}
    for group, cases in load_cases(shared, ["official", *GROUPS], None).items():
        for case in cases:
            number = f"{len(key) + 1:03}"
            fills = run / group / "fills" / f"{case.name}--holes"
            first, second = (np.array(Image.open(fills / f"{method}.png")) for method in methods)
            shown = view(case, first, second, DETAIL.get(group))
            left = int(random.integers(2))
            at_left, at_right = (second, first) if left else (first, second)
            tiles = [
                Tile(with_hole(case.truth, case.hole)[shown], f"pair {number}: the hole"),
                Tile(at_left[shown], "LEFT"),
                Tile(at_right[shown], "RIGHT"),
            ]
            contact_sheet([tiles], SIDE).save(out / f"{number}.png")
            key[number] = {"group": group, "case": case.name, "left": left}
    out.with_suffix(".json").write_text(json.dumps(key, indent=1))


def tally(key: dict[str, dict], lines: list[str]) -> dict[str, Counter]:
    """By group, votes for the first method, the second and neither. Raises SystemExit for what is no vote."""
    groups: dict[str, Counter] = {}
    for line in filter(str.strip, lines):
        vote = VOTE.match(line)
        if vote is None or vote[1] not in key:
            raise SystemExit(f"No vote: '{line.strip()}'. A vote is a pair's number and L, R, L? or R?.")
        pair = key[vote[1]]
        winner = pair["left"] if vote[2] == "L" else 1 - pair["left"]
        groups.setdefault(pair["group"], Counter())["neither" if vote[3] else ("first", "second")[winner]] += 1
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    laying = commands.add_parser("lay", help="draw the pairs")
    laying.add_argument("run", type=Path, help="what quality.py wrote")
    laying.add_argument("first", help="a method of the run")
    laying.add_argument("second", help="another")
    laying.add_argument("--seed", type=int, default=0, help="of the sides; another for each juror")
    laying.add_argument("--out", type=Path, default=Path("runs/jury"))
    laying.add_argument("--shared", type=Path, default=SHARED)
    tallying = commands.add_parser("tally", help="count the votes")
    tallying.add_argument("key", type=Path)
    tallying.add_argument("votes", type=Path)
    given = parser.parse_args()
    if given.command == "lay":
        lay(given.run, (given.first, given.second), given.shared, given.seed, given.out)
        return
    groups = tally(json.loads(given.key.read_text()), given.votes.read_text().splitlines())
    groups["all"] = sum(groups.values(), Counter())
    for group, count in groups.items():
        print(f"{group:9} first {count['first']:3}   second {count['second']:3}   neither {count['neither']:3}")


if __name__ == "__main__":
    main()
