"""Which fill looks better? A page that asks people blindly, and the arithmetic of their answers.

The page (:func:`write_page`) shows two fills of one hole, left and right by chance, without names, and exports the
answers as JSON. :func:`tally` turns such files into, for every method,

* the *win rate*: wins + half the draws, over votes, with Wilson's 95 % interval;
* the *strength* of the Bradley-Terry model, P(i beats j) = s_i / (s_i + s_j), which compares methods that never
  met; found by Hunter's MM iteration (2004, doi:10.1214/aos/1079120141). Given as ln s with mean 0, with a 95 %
  interval from resampling the holes (not the votes: votes on one hole are not independent).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from patchloom.errors import InputError
from patchloom.evaluation.pictures import as_data, view_of
from patchloom.evaluation.report import render
from patchloom.evaluation.runs import Case, fill_path
from patchloom.photo import Photo

_RESAMPLES = 1000
_WEAKEST = 1e-4  # of the strongest: a method that never won has no finite strength


@dataclass(frozen=True)
class Vote:
    """One answer; ``points`` of ``first``: 1 won, 0 lost, 0.5 no difference."""

    case: str
    first: str
    second: str
    points: float


@dataclass(frozen=True)
class Standing:
    """How a method did."""

    method: str
    votes: int
    win_rate: float
    win_rate_interval: tuple[float, float]
    strength: float
    strength_interval: tuple[float, float]


def choose_pairs(
    cases: Sequence[Case], methods: Sequence[str], out: Path, *, pairs: int = 60, seed: int = 0
) -> list[tuple[Case, str, str]]:
    """At most ``pairs`` comparisons of fills that exist, every pair of methods about equally often."""
    random = np.random.RandomState(seed)
    queues = []
    for first, second in combinations(methods, 2):
        both = [case for case in cases if all(fill_path(out, case, name).exists() for name in (first, second))]
        queues.append([(both[i], first, second) for i in random.permutation(len(both))])
    chosen: list[tuple[Case, str, str]] = []
    while len(chosen) < pairs and any(queues):
        for queue in queues:
            if queue and len(chosen) < pairs:
                chosen.append(queue.pop())
    return chosen


def write_page(
    cases: Sequence[Case], methods: Sequence[str], out: Path, page: Path, *, pairs: int = 60, seed: int = 0
) -> int:
    """Writes the self-contained page of a run in ``out``; returns the number of comparisons.

    Raises InputError if there is nothing to compare.
    """
    questions = []
    for case, first, second in choose_pairs(cases, methods, out, pairs=pairs, seed=seed):
        view = view_of(case.mask(), margin=0.6)
        pictures = {name: as_data(Photo.open(fill_path(out, case, name)).pixels[view], quality=95)
                    for name in (first, second)}  # fmt: skip
        questions.append({"case": case.name, "pictures": pictures})
    if not questions:
        raise InputError("There are no two fills of one hole to compare.", "Run at least two methods that work.")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render("vote.html", questions=questions), encoding="utf-8")
    return len(questions)


def read_votes(paths: Sequence[Path]) -> list[Vote]:
    """The votes of exported files. Raises InputError for a file that is none."""
    votes = []
    for path in paths:
        try:
            answers = json.loads(path.read_text(encoding="utf-8"))["votes"]
            votes += [_vote(answer) for answer in answers]
        except OSError as error:
            raise InputError(f"The votes '{path}' cannot be read: {error.strerror}.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"'{path}' is no file of votes.", "Export it from the page of --vote.") from error
    if not votes:
        raise InputError("There are no votes in these files.", "Vote on the page of --vote, then export.")
    return votes


def _vote(answer: Mapping[str, Any]) -> Vote:
    points = {"left": 1.0, "right": 0.0, "same": 0.5}[answer["choice"]]
    return Vote(str(answer["case"]), str(answer["left"]), str(answer["right"]), points)


def wins(votes: Sequence[Vote], methods: Sequence[str]) -> NDArray[np.float64]:
    """(n, n): how often the row's method beat the column's; a draw is half a win for both."""
    place = {name: i for i, name in enumerate(methods)}
    table = np.zeros((len(methods), len(methods)))
    for vote in votes:
        table[place[vote.first], place[vote.second]] += vote.points
        table[place[vote.second], place[vote.first]] += 1 - vote.points
    return table


def bradley_terry(table: NDArray[np.float64], rounds: int = 2000) -> NDArray[np.float64]:
    """(n,): ln strengths with mean 0 from a table of wins. s_i = wins_i / sum_j n_ij / (s_i + s_j), repeated."""
    games, won = table + table.T, table.sum(axis=1)
    strength = np.ones(len(table))
    for _ in range(rounds):
        share = (games / (strength[:, None] + strength[None, :])).sum(axis=1)
        updated = np.divide(won, share, out=np.ones_like(won), where=share > 0)
        updated = np.maximum(updated / updated.max(), _WEAKEST)
        done = np.abs(np.log(updated / strength)).max() < 1e-10
        strength = updated
        if done:
            break
    logs = np.log(strength)
    return np.asarray(logs - logs.mean())


def wilson(points: float, votes: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share (Wilson 1927)."""
    share = points / votes
    middle = (share + z * z / (2 * votes)) / (1 + z * z / votes)
    half = z / (1 + z * z / votes) * math.sqrt(share * (1 - share) / votes + z * z / (4 * votes * votes))
    return middle - half, middle + half


def tally(votes: Sequence[Vote], *, seed: int = 0) -> list[Standing]:
    """Standings, strongest first."""
    methods = sorted({vote.first for vote in votes} | {vote.second for vote in votes})
    table = wins(votes, methods)
    games, won = (table + table.T).sum(axis=1), table.sum(axis=1)
    strengths = bradley_terry(table)
    low, high = np.percentile(_resampled(votes, methods, seed), [2.5, 97.5], axis=0)
    standings = [
        Standing(
            name,
            int(games[i]),
            float(won[i] / games[i]),
            wilson(float(won[i]), int(games[i])),
            float(strengths[i]),
            (float(low[i]), float(high[i])),
        )
        for i, name in enumerate(methods)
    ]
    return sorted(standings, key=lambda standing: -standing.strength)


def _resampled(votes: Sequence[Vote], methods: Sequence[str], seed: int) -> NDArray[np.float64]:
    """(resamples, n): strengths of as many holes as there were, drawn with replacement."""
    random = np.random.RandomState(seed)
    cases = sorted({vote.case for vote in votes})
    tables = np.stack([wins([vote for vote in votes if vote.case == case], methods) for case in cases])
    draws = random.randint(0, len(cases), (_RESAMPLES, len(cases)))
    return np.stack([bradley_terry(tables[draw].sum(axis=0), rounds=200) for draw in draws])
