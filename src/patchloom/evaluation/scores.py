"""From stored fills to numbers: rows per picture, hole, method and region, and their summaries.

A score is kept in ``scores.jsonl`` for as long as the fill, the judging network and the metrics stay the same.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from patchloom.evaluation import metrics
from patchloom.evaluation.metrics import REGIONS, Judge
from patchloom.evaluation.runs import Case, Result, fill_path
from patchloom.events import CaseDone, Observer, ignore
from patchloom.outputs import read_records
from patchloom.photo import Photo

Row = dict[str, Any]
"""image, hole, method, region, hole_share (0..1), seconds, peak_mb and every metric of evaluation/metrics.py."""

BUCKETS = (("all", 0.0, 1.0), ("under 5 %", 0.0, 0.05), ("5 to 15 %", 0.05, 0.15), ("over 15 %", 0.15, 1.0))
"""Name, least and most share of the picture that is hole; the upper end is not included, except 1."""


def score_run(
    cases: Sequence[Case],
    results: Mapping[tuple[str, str], Result],
    out: Path,
    judge: Judge,
    *,
    observe: Observer = ignore,
) -> list[Row]:
    """Rows of all fills that exist, in the order of cases; new scores are added to ``out/scores.jsonl``."""
    known = _read(out / "scores.jsonl")
    judged_by = _judge_id(judge)
    rows: list[Row] = []
    with (out / "scores.jsonl").open("a") as file:
        for number, case in enumerate(cases):
            hole, prepared = case.mask(), None
            for result in (result for (digest, _), result in results.items() if digest == case.digest):
                if result.error:
                    continue
                path = fill_path(out, case, result.method)
                key = f"{case.digest}|{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}|{judged_by}"
                if key not in known:
                    prepared = prepared or judge.of(case.truth() / np.float32(255), hole)
                    known[key] = prepared.score(Photo.open(path).pixels / np.float32(255))
                    file.write(json.dumps({"key": key, "scores": known[key]}) + "\n")
                rows += _rows(result, float(hole.mean()), known[key])
            observe(CaseDone(name=f"score: {case.name}", done=number + 1, of=len(cases), seconds=0.0))
    return rows


def _read(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    return {entry["key"]: entry["scores"] for entry in read_records(path) if {"key", "scores"} <= entry.keys()}


def _judge_id(judge: Judge) -> str:
    """Changes when the metrics or the network that judges do."""
    source = Path(metrics.__file__).read_bytes()
    network = getattr(judge.network, "sha256", type(judge.network).__name__)
    return hashlib.sha256(source + f"{network}{judge.taps}".encode()).hexdigest()[:16]


def _rows(result: Result, share: float, scores: Mapping[str, Mapping[str, float]]) -> list[Row]:
    same = {"image": result.image, "hole": result.hole, "method": result.method}
    cost = {"seconds": result.seconds, "peak_mb": result.peak_mb}
    return [
        {**same, "region": region, "hole_share": round(share, 5)}
        | {name: round(value, 5) for name, value in scores[region].items()}
        | cost
        for region in REGIONS
        if region in scores
    ]


def summarise(rows: Sequence[Row], methods: Sequence[str]) -> list[Row]:
    """One row per method, region and bucket of hole area: means over cases, ``count`` of them.

    ``sharpness_error`` is the mean of |ln sharpness|, ``log_sharpness`` the mean of ln sharpness (below 0: softer
    than the truth); both stand where ``sharpness`` stood.
    """
    summary = []
    for bucket, least, most in BUCKETS:
        inside = [row for row in rows if least <= row["hole_share"] and (row["hole_share"] < most or most == 1)]
        for region in REGIONS:
            for method in methods:
                chosen = [row for row in inside if row["method"] == method and row["region"] == region]
                if chosen:
                    same = {"method": method, "region": region, "bucket": bucket, "count": len(chosen)}
                    summary.append(same | _means(chosen))
    return summary


def _means(rows: Sequence[Row]) -> Row:
    labels = {"image", "hole", "method", "region", "sharpness"}
    names = [name for name in rows[0] if name not in labels]
    means = {name: float(np.mean([row[name] for row in rows])) for name in names}
    logs = np.log([row["sharpness"] for row in rows])
    means |= {"sharpness_error": float(np.abs(logs).mean()), "log_sharpness": float(logs.mean())}
    return {name: round(value, 5) for name, value in means.items()}


def failures(results: Iterable[Result]) -> list[Row]:
    """Per method and reason: how many fills it cost, and on which case first."""
    found: dict[tuple[str, str], Row] = {}
    for result in results:
        if result.error:
            row = {
                "method": result.method,
                "error": result.error,
                "first": f"{result.image}, {result.hole}",
                "fills": 0,
            }
            found.setdefault((result.method, result.error), row)["fills"] += 1
    return list(found.values())


def completed_by_all(rows: Sequence[Row]) -> list[Row]:
    """The rows of those cases that every method finished: means over other sets of pictures do not compare."""
    methods = {row["method"] for row in rows}
    done: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        done.setdefault((row["image"], row["hole"]), set()).add(row["method"])
    return [row for row in rows if done[row["image"], row["hole"]] == methods]
