"""What a container or a service may take."""

from pathlib import Path

import pytest

from patchloom import resources


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose service system.slice/patchloom.service may take 600 MB and two processors."""
    service = tmp_path / "system.slice" / "patchloom.service"
    service.mkdir(parents=True)
    own = tmp_path / "own"
    own.write_text("12:pids:/elsewhere\n0::/system.slice/patchloom.service\n")
    monkeypatch.setattr(resources, "_CGROUPS", tmp_path)
    monkeypatch.setattr(resources, "_OWN", str(own))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(64)), raising=False)
    (service / "memory.max").write_text(f"{600 << 20}\n")
    (service / "memory.current").write_text(f"{200 << 20}\n")
    (service / "cpu.max").write_text("200000 100000\n")
    return service


def test_a_service_s_own_limits_count(groups: Path) -> None:
    assert resources.total_mb() == 600
    assert resources.free_mb() <= 400
    assert resources.processors() == 2


def test_a_tighter_limit_of_what_it_is_in_counts_too(groups: Path) -> None:
    (groups / "memory.max").write_text("max\n")
    (groups.parent / "memory.max").write_text(f"{300 << 20}\n")
    (groups.parent / "memory.current").write_text(f"{290 << 20}\n")
    assert (resources.total_mb(), resources.free_mb()) == (300, 10)


def test_a_container_sees_its_own_group_as_the_root(groups: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{100 << 20}\n")
    for line in ("0::/\n", "0::/../other\n"):
        (tmp_path / "own").write_text(line)
        assert resources.total_mb() == 100
