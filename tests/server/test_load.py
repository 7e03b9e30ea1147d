"""A short form of benchmarks/server_load.py: memory and disk stay flat from job to job."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "server_load.py"


def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("server_load", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_memory_is_flat_over_many_jobs() -> None:
    figures = benchmark().run(24, 64, {"preset": "fast", "texture": "none"})
    assert figures["growth_percent"] < 5, figures
    assert figures["files_left"] == 0, figures
