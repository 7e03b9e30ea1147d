"""Work shared among threads: each piece done once, errors told, and nothing left of it afterwards."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from patchloom import inpaint
from patchloom.resources import processors
from patchloom.tensors.threads import in_pieces, mapped, working


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_piece_is_done_once(threads: int) -> None:
    done: list[tuple[int, int]] = []
    with working(threads):
        in_pieces(lambda begin, end: done.append((begin, end)), 23, 5)
    assert sorted(done) == [(0, 5), (5, 10), (10, 15), (15, 20), (20, 23)]


def test_results_come_in_order_from_several_threads() -> None:
    together = threading.Barrier(3, timeout=10)  # passes only if three threads are at work at once

    def function(item: int) -> int:
        together.wait()
        return 10 * item

    with working(3):
        assert mapped(function, [5, 3, 4]) == [50, 30, 40]


def test_a_piece_may_share_work_itself() -> None:
    with working(2):
        assert mapped(lambda item: sum(mapped(lambda part: part * item, range(4))), range(9)) == [
            6 * item for item in range(9)
        ]


@pytest.mark.parametrize("failing", [0, 7])
def test_an_error_stops_the_work_and_is_told(failing: int) -> None:
    begun = []

    def function(item: int) -> None:
        begun.append(item)
        if item == failing:
            raise ValueError("no")

    with working(2), pytest.raises(ValueError, match="no"):
        mapped(function, range(10_000))
    assert len(begun) < 10_000


def test_torch_has_its_threads_back_whoever_ends_first() -> None:
    before = torch.get_num_threads()
    within, leave = threading.Event(), threading.Event()

    def other() -> int:
        with working(1):
            within.set()
            leave.wait(10)
        return torch.get_num_threads()

    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(1) as pool:
            with working(2):
                second = pool.submit(other)
                within.wait(10)
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 3
            leave.set()
            assert second.result() == 3
    finally:
        torch.set_num_threads(before)


def test_no_thread_outlives_the_work() -> None:
    before = threading.active_count()
    with working(4):
        mapped(lambda item: item, range(100))
    assert threading.active_count() == before


def test_as_many_threads_as_processors() -> None:
    with working() as threads:
        assert threads == processors() >= 1


def _filled() -> np.ndarray:
    photo = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    hole = np.zeros((96, 96), bool)
    hole[30:60, 30:60] = True
    return inpaint(photo, hole, iterations=2)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_may_fork_after_a_fill() -> None:
    expected = _filled()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply_async(_filled).get(60), expected)
