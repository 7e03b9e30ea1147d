"""What the documentation shows works: examples, the README's snippet, links, exported names."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import patchloom
from patchloom.evaluation.metrics import METRICS, Judge

ROOT = Path(__file__).parents[1]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a small photo.jpg (noise over a gradient), photo.png of the same pixels, and mask.png."""
    random = np.random.default_rng(3)
    ramp = np.add.outer(np.arange(96), np.arange(128)).astype(float)[..., None] * (1.0, 0.7, 0.3)
    pixels = np.clip(ramp + random.normal(0, 20, (96, 128, 3)), 0, 255).astype(np.uint8)
    hole = np.zeros((96, 128), np.uint8)
    hole[30:52, 40:70] = 255
    hole[70:74, 90:120] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(hole).save(tmp_path / "mask.png")
    return tmp_path


def example(name: str, folder: str = "examples") -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / folder / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_make_one_picture(files: Path) -> None:
    pictures = []
    for name in ("one_call", "composed", "from_scratch"):
        example(name).main(str(files / "photo.png"), str(files / "mask.png"), str(files / f"{name}.png"))
        pictures.append(np.asarray(Image.open(files / f"{name}.png")))
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])
    changed = (pictures[0] != np.asarray(Image.open(files / "photo.png"))).any(2)
    assert changed.any()
    assert not changed[np.asarray(Image.open(files / "mask.png")) == 0].any()


@pytest.mark.parametrize(("page", "written"), [("README.md", "filled.png"), ("docs/further.md", "round.png")])
def test_a_page_s_python_runs(page: str, written: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files)
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, page, "exec"), {})
    with Image.open(written) as filled:
        assert filled.size == (128, 96)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    local = [link.split("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    missing = [link for link in local if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/**/*.md")), ids=lambda page: page.name)
def test_a_page_says_for_whom_it_is(page: Path) -> None:
    """The pages of experiments begin with their head instead, and are for whoever reads their table."""
    title, rest = page.read_text().split("\n", 1)
    assert title.startswith("# ")
    assert rest.lstrip().startswith("- **Date**" if page.name[0].isdigit() else "For "), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_in_code_style_exist(page: Path) -> None:
    """`src/...`, `docs/...` and the like, and `method/...` and its siblings in the package. NAME is a blank."""
    rooms = "|".join(path.name for path in (ROOT / "src" / "patchloom").iterdir() if path.is_dir())
    named = re.findall(rf"`((?:src|tests|docs|examples|benchmarks|{rooms})/[\w./-]+\.\w+)`", page.read_text())
    named = [name for name in named if "NAME" not in name]
    missing = [
        name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "src/patchloom"))
    ]
    assert not missing


@pytest.mark.parametrize(
    "script", sorted((*ROOT.glob("benchmarks/*.py"), *ROOT.glob("docs/*.py"))), ids=lambda script: script.name
)
def test_what_a_script_takes_from_the_package_is_there(script: Path) -> None:
    """No test runs the benchmarks, and a name that moves would break them unheard."""
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "patchloom":
            exec(compile(ast.Module([node], []), script.name, "exec"), {})


def test_every_metric_that_is_computed_is_defined() -> None:
    judged = Judge(None).of(np.zeros((32, 32, 3)), np.eye(32, dtype=bool)).score(np.ones((32, 32, 3)))["hole"]
    assert judged.keys() <= METRICS.keys()


def test_package_citation_and_changelog_name_one_version() -> None:
    assert example("release", "scripts").checked_version(draft=True) == patchloom.__version__


def test_the_gallery_is_small_and_shows_every_picture_with_its_licence() -> None:
    page = (ROOT / "docs" / "gallery.md").read_text()
    pictures = sorted((ROOT / "docs" / "gallery").glob("*.jpg"))
    assert len(pictures) >= 16
    assert sum(picture.stat().st_size for picture in pictures) < 6_000_000
    assert sorted(re.findall(r"\(gallery/(.+?\.jpg)\)", page)) == [picture.name for picture in pictures]
    rows, licences = page.split("## Photographs and licences")
    assert re.findall(r"^## (.+)$", rows, re.MULTILINE) == re.findall(
        r"^\| (A .+?|[A-Z]\w+ .+?) \|", licences, re.MULTILINE
    )


@pytest.mark.parametrize("name", patchloom.__all__)
def test_exported_names_import(name: str) -> None:
    assert getattr(patchloom, name) is not None
    assert name in dir(patchloom)


def test_every_public_name_is_in_the_reference() -> None:
    page = (ROOT / "docs/python.md").read_text()
    shown = set(re.findall(r"^::: (\S+)|`(\w+)`", page, re.M))
    told = {name for pair in shown for name in pair}
    for name in patchloom.__all__:
        home = getattr(getattr(patchloom, name), "__module__", "")
        assert {name, home, f"{home}.{name}", f"patchloom.{name}"} & told, name


def test_make_has_the_targets_the_pages_name() -> None:
    patterns = r"^make ([a-z-]+)  |`make ([a-z-]+)`"
    found = [match for page in PAGES for match in re.findall(patterns, page.read_text(), re.MULTILINE)]
    named = {name for pair in found for name in pair if name}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_the_architecture_names_every_room() -> None:
    """Each package and module of the program, and each module of the four rooms that are read file by file."""
    page, source = (ROOT / "docs" / "architecture.md").read_text(), ROOT / "src" / "patchloom"
    rooms = [source, *(source / name for name in ("tensors", "networks", "method"))]
    names = [
        f"{path.name}/" if path.is_dir() else path.name
        for room in rooms
        for path in room.iterdir()
        if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    ]
    assert len(names) > 50
    assert [name for name in names if f" {name} " not in page] == []


def test_sources_of_constants_are_pages() -> None:
    names = [page.name for page in (ROOT / "docs/experiments").glob("20*.md")]
    cited = {
        page
        for module in (ROOT / "src/patchloom/method").glob("*.py")
        for pages in re.findall(r"\(pages? ([\d, -]+)\)", module.read_text())
        for page in pages.split(", ")
    }
    assert len(cited) > 5
    assert not [page for page in sorted(cited) if not any(name[5:].startswith(f"{page}-") for name in names)]


def test_modules_can_be_read_in_a_sitting() -> None:
    """CONTRIBUTING.md names the limit."""
    (most,) = re.findall(r"at most (\d+) lines, functions", (ROOT / "CONTRIBUTING.md").read_text())
    source = ROOT / "src" / "patchloom"
    long = [
        f"{path.name}: {count}"
        for pattern in ("*.py", "*.js", "*.css")
        for path in source.rglob(pattern)
        if (count := len(path.read_text().splitlines())) > int(most)
    ]
    assert long == []
