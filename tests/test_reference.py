"""The generated pages of the documentation are what the program would write today."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "docs" / "reference.py"
spec = importlib.util.spec_from_file_location("reference", SCRIPT)
assert spec is not None and spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    written = (SCRIPT.parent / name).read_text()
    assert written == reference.PAGES[name](), "run: python docs/reference.py"
