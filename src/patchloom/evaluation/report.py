"""A scored run as files: metrics.json, metrics.csv, report.html (self-contained) and contact-sheet.png."""

import csv
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from patchloom import __version__
from patchloom.evaluation.metrics import METRICS
from patchloom.evaluation.peers import Method
from patchloom.evaluation.pictures import Tile, as_data, contact_sheet, view_of, with_hole
from patchloom.evaluation.runs import Case, fill_path
from patchloom.evaluation.scores import Row, completed_by_all, summarise
from patchloom.photo import Photo

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Scored:
    """Everything a report needs."""

    cases: Sequence[Case]
    methods: Sequence[Method]
    rows: Sequence[Row]
    failed: Sequence[Row]
    judge: str  # the network behind the perceptual and texture distances

    def summary(self) -> list[Row]:
        """Over the cases that no method missed, so that the means compare."""
        return summarise(completed_by_all(self.rows), [method.name for method in self.methods])


def write_report(scored: Scored, out: Path, *, pictures: int = 40) -> list[Path]:
    """Writes all files into ``out`` and returns their paths. ``pictures`` limits the cases shown as pictures."""
    about = {
        "version": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "judge": scored.judge,
        "methods": [{"name": m.name, "spec": m.spec, "about": m.peer().about} for m in scored.methods],
        "cases": len(scored.cases),
    }
    data = {"about": about, "summary": scored.summary(), "rows": list(scored.rows), "failed": list(scored.failed)}
    paths = [out / name for name in ("metrics.json", "metrics.csv", "report.html", "contact-sheet.png")]
    paths[0].write_text(json.dumps(data, indent=1))
    _write_csv(scored.rows, paths[1])
    shown = [_shown(case, scored, out) for case in scored.cases[:pictures]]
    paths[2].write_text(render("report.html", data=data, shown=shown, metrics=METRICS), encoding="utf-8")
    if scored.cases:
        contact_sheet([_tiles(case, scored, out) for case in scored.cases[:pictures]]).save(paths[3])
    return [path for path in paths if path.exists()]


def render(template: str, **values: Any) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    environment.policies["json.dumps_kwargs"] = {}  # keep the columns' order
    return environment.get_template(template).render(**values)


def _write_csv(rows: Sequence[Row], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["image"])
        writer.writeheader()
        writer.writerows(rows)


def _tiles(case: Case, scored: Scored, out: Path) -> list[Tile]:
    """The hole, every method's fill with its scores, the truth; cut to the hole's surroundings."""
    truth, hole = case.truth(), case.mask()
    view = view_of(hole)
    tiles = [Tile(with_hole(truth, hole)[view], f"{case.image}, {case.hole}")]
    rows = {row["method"]: row for row in scored.rows if _is_of(row, case) and row["region"] == "hole"}
    for method in scored.methods:
        path = fill_path(out, case, method.name)
        if method.name in rows:
            row = rows[method.name]
            label = f"{method.name[:22]} {row['psnr']:.1f} dB {row.get('perceptual', float('nan')):.3f}"
            tiles.append(Tile(Photo.open(path).pixels[view], label))
        else:
            tiles.append(Tile(np.full_like(truth[view], 230), f"{method.name[:22]}: none"))
    return [*tiles, Tile(truth[view], "truth")]


def _is_of(row: Row, case: Case) -> bool:
    return bool(row["image"] == case.image and row["hole"] == case.hole)


def _shown(case: Case, scored: Scored, out: Path) -> dict[str, Any]:
    """The pictures that there are, as data for the page."""
    names = ["hole", *(method.name for method in scored.methods), "truth"]
    there = {"hole", "truth"} | {row["method"] for row in scored.rows if _is_of(row, case)}
    tiles = zip(names, _tiles(case, scored, out), strict=True)
    data = {name: as_data(tile.picture, 320) for name, tile in tiles if name in there}
    return {"image": case.image, "hole": case.hole, "pictures": data}
