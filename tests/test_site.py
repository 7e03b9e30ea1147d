"""The documentation's site builds without a warning, is searchable, and loads nothing from elsewhere."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("mkdocstrings") is None:
        pytest.skip("mkdocs-material and mkdocstrings-python are not installed")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_of_docs_is_in_it(site: Path) -> None:
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    missing = [page for page in pages if not (site / page.with_suffix(".html")).exists() and page.stem != "README"]
    assert not missing
    assert (site / "experiments" / "index.html").exists()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Links may lead away; scripts, styles, fonts and pictures may not."""
    scripts = r"""<(?:script|img|iframe|source)[^>]+src=["']?(?:https?:)?//"""
    styles = r"""<link[^>]+rel=["']?(?:stylesheet|preload|icon)[^>]+href=["']?(?:https?:)?//"""
    pattern = re.compile(f"{scripts}|{styles}")
    foreign = {page.name: pattern.findall(page.read_text()) for page in site.rglob("*.html")}
    assert {name: found for name, found in foreign.items() if found} == {}


def test_the_search_finds_every_setting_and_public_name(site: Path) -> None:
    index = (site / "search" / "search_index.json").read_text()
    for word in ("guide_weight", "register_network", "CancelToken", "LaMa", "allow-cmyk"):
        assert word in index, word


def test_the_python_api_has_signatures_and_no_markup_left(site: Path) -> None:
    page = (site / "python.html").read_text()
    assert "inpaint" in page and "overrides" in page
    assert ":class:" not in page and ":func:" not in page
    assert "::: patchloom" not in page
