"""The arithmetic of votes against closed forms, and the page against what a voter must not see."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from patchloom.errors import InputError
from patchloom.evaluation.votes import Vote, bradley_terry, read_votes, tally, wilson


def test_two_methods_have_the_log_odds_of_their_wins() -> None:
    first, second = bradley_terry(np.array([[0.0, 30.0], [10.0, 0.0]]))
    assert first - second == pytest.approx(math.log(3), abs=1e-6)
    assert first + second == pytest.approx(0, abs=1e-9)


def test_exact_proportions_give_back_the_strengths_that_made_them() -> None:
    truth = np.log([1.0, 2.0, 5.0, 0.7])
    strengths = np.exp(truth)
    table = 100 * strengths[:, None] / (strengths[:, None] + strengths[None, :])
    np.fill_diagonal(table, 0)
    table[0, 3] = table[3, 0] = 0  # these two never met
    assert np.allclose(bradley_terry(table), truth - truth.mean(), atol=1e-6)


def test_wilsons_interval_of_a_known_case() -> None:
    # 8 of 10: 0.4902 to 0.9433 (Newcombe 1998, and any table of Wilson intervals)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)


def test_a_draw_is_half_a_win_and_a_method_without_wins_is_last_and_finite() -> None:
    votes = [
        Vote("a", "x", "y", 0.5),
        Vote("b", "x", "y", 0.5),
        Vote("a", "x", "z", 1.0),
        Vote("b", "z", "y", 0.0),
    ]
    x, y, z = (next(s for s in tally(votes) if s.method == name) for name in "xyz")
    assert x.win_rate == y.win_rate == pytest.approx(2 / 3) and z.win_rate == 0
    assert x.strength == pytest.approx(y.strength)
    assert tally(votes)[-1].method == "z" and math.isfinite(z.strength)


def test_more_holes_narrow_the_interval() -> None:
    def standing(cases: int) -> float:
        votes = [Vote(f"c{i}", "x", "y", float(i % 4 != 0)) for i in range(cases)]
        low, high = tally(votes)[0].strength_interval
        assert low <= math.log(3) / 2 <= high
        return high - low

    assert standing(200) < standing(20)


def test_left_and_right_are_read_from_an_exported_file(tmp_path: Path) -> None:
    answers = [{"case": "c", "left": "x", "right": "y", "choice": choice} for choice in ("left", "right", "same")]
    path = tmp_path / "votes.json"
    path.write_text(json.dumps({"votes": answers}))
    assert [vote.points for vote in read_votes([path])] == [1, 0, 0.5]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"votes": [{"choice": "up"}]}', '{"votes": []}'])
def test_a_file_without_votes_is_refused_with_a_hint(tmp_path: Path, text: str) -> None:
    path = tmp_path / "votes.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_votes([path])
    assert caught.value.hint
