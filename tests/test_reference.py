"""The generated pages of the documentation are what the program would write today."""

import importlib.util
from datetime import date
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "reference.py"
EXPERIMENTS = sorted((SCRIPT.parent / "experiments").glob("[0-9]*.md"))
spec = importlib.util.spec_from_file_location("reference", SCRIPT)
assert spec is not None and spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    written = (SCRIPT.parent / name).read_text()
    assert written == reference.PAGES[name](), "run: python docs/reference.py"


@pytest.mark.parametrize("page", EXPERIMENTS, ids=lambda page: page.stem)
def test_an_experiment_says_when_and_whether_it_still_holds(page: Path) -> None:
    """Its name begins with its date, which sorts the table; "Still valid" begins with one of three words."""
    _, head = reference.experiment(page.read_text())
    assert date.fromisoformat(head["Date"]) and page.name.startswith(head["Date"])
    assert head["Still valid"].startswith(("yes", "in part", "superseded"))


def test_a_page_without_its_head_is_refused() -> None:
    with pytest.raises(ValueError, match="Still valid"):
        reference.experiment("# A trial\n\n- **Date**: 2026-01-01\n\nIt worked.\n")
