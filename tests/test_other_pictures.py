"""Pictures beside the photograph: what they may be, what is said of those that cannot be used, and what of
the photograph stays as it was, at any depth, with transparency, profile and tags."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from patchloom import Inpainter, Mask, Photo, Reference, cli, fill_settings, inpaint
from test_references import HOLE, SIZE, psnr, scene

pytest.importorskip("cv2", reason="needs patchloom[align]")

QUICK = ["--preset", "fast", "--texture", "none", "--content", "none"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo with something in the way, a mask of it, and the scene without it as files of every kind."""
    monkeypatch.chdir(tmp_path)
    truth = scene(1)
    shot, mask = truth.copy(), np.zeros((SIZE, SIZE), np.uint8)
    shot[HOLE], mask[HOLE] = (255, 0, 255), 255
    deep = truth.astype(np.uint16) * 257
    for name, picture in (("photo", shot), ("mask", mask), ("plain", truth), ("small", truth[:20, :20])):
        Image.fromarray(picture).save(f"{name}.png")
    Image.fromarray(scene(2)).save("stranger.png")
    Image.fromarray(truth).convert("CMYK").save("cmyk.jpg", quality=97)
    Image.fromarray(truth).quantize(256).save("palette.png")
    Image.fromarray(np.dstack([truth, np.full_like(mask, 255)])).save("alpha.png")
    tifffile.imwrite("deep.tif", deep, photometric="rgb")
    tifffile.imwrite("float.tif", (truth / 255).astype(np.float32), photometric="rgb")
    tifffile.imwrite("pages.tif", np.stack([truth, shot]), photometric="rgb")
    tifffile.imwrite("grey.tif", deep.mean(2).astype(np.uint16))
    Path("torn.png").write_bytes(Path("plain.png").read_bytes()[:3000])
    Path("words.png").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["plain.png", "cmyk.jpg", "palette.png", "alpha.png", "deep.tif", "float.tif", "pages.tif"]
)
def test_a_reference_may_be_of_any_depth_and_colours(folder: Path, name: str) -> None:
    command = ["fill", "photo.png", "mask.png", "--reference", name, "-o", "out.png", "--report", "r.json"]
    assert cli.run([*command, *QUICK, "-q"]) == 0
    mask = Photo.open("mask.png").pixels[..., 0] > 0
    assert psnr(Photo.open("out.png").pixels, scene(1), mask) > 28
    assert json.loads(Path("r.json").read_text())["references"][0]["given"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torn.png", "The reference 'torn.png' is cut short."),
        ("words.png", "The reference 'words.png' is not a picture."),
        ("none.png", "There is no file 'none.png'."),
    ],
)
def test_a_reference_that_cannot_be_read_ends_the_fill_with_a_sentence(
    folder: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fill", "photo.png", "mask.png", "--reference", "plain.png", "--reference", name, "-o", "out.png"]
    assert cli.run([*command, *QUICK]) == 3
    assert said in capsys.readouterr().err
    assert not Path("out.png").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small.png", "it is smaller than 32 pixels"),
        ("stranger.png", "it does not show the same scene"),
        ("grey.tif", "it shows something else round the hole"),
    ],
)
def test_a_reference_that_does_not_fit_costs_no_fill_and_is_named(
    folder: Path, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["fill", "photo.png", "mask.png", "--reference", name, "-o", "out.png", "--report", "r.json"]
    assert cli.run([*command, *QUICK]) == 0
    assert f"The reference {name}" in (err := capsys.readouterr().err) and said in err
    row = json.loads(Path("r.json").read_text())["references"][0]
    assert (row["name"], row["given"], row["why"]) == (name, 0, said)


@pytest.mark.parametrize("depth", [np.uint16, np.float64])
def test_what_a_deep_reference_shows_is_as_deep_as_the_photo(depth: type) -> None:
    deep = ndimage.gaussian_filter(scene(1).astype(float) * 257, (3, 3, 0))  # no two neighbours alike
    mask = np.zeros((SIZE, SIZE), bool)
    mask[HOLE] = True
    shot = np.where(mask[..., None], 0, deep).astype(np.uint16)
    reference = deep.astype(np.uint16) if depth is np.uint16 else deep / 65535
    filled = inpaint(shot, mask, references=[reference], preset="fast", texture="none", content="none")
    assert np.sqrt(np.square(filled.astype(float) - deep)[mask].mean()) < 20  # of 65535; eight bits would leave 74


def test_the_report_says_which_pixels_came_from_which_picture() -> None:
    truth = scene(1)
    mask = np.zeros((SIZE, SIZE), bool)
    mask[HOLE] = True
    shot, upper, lower = (np.where(mask[..., None], 0, truth).astype(np.uint8), truth.copy(), truth.copy())
    middle = (HOLE[0].start + HOLE[0].stop) // 2
    alphas = [np.full((SIZE, SIZE), 255, np.uint8) for _ in range(2)]
    alphas[0][middle:], alphas[1][:middle] = 0, 0  # each shows one half
    given = [
        Reference(Photo.from_array(np.dstack([picture, alpha])), name)
        for picture, alpha, name in zip((upper, lower), alphas, ("upper", "lower"), strict=True)
    ]
    settings = fill_settings("fast", texture="none", content="none")
    result = Inpainter().inpaint(Photo.from_array(shot), Mask(mask), settings, references=given)
    rows = {row["name"]: row["given"] for row in result.report["references"]}
    assert rows["upper"] == pytest.approx(0.5, abs=0.1) and rows["lower"] == pytest.approx(0.5, abs=0.1)
    assert sum(rows.values()) <= 1
    assert psnr(result.photo.pixels, truth, mask) > 30


COMMANDS = {
    "references": ["fill", "mask.png", "--reference", "plain.png", *QUICK],
    "harmonise": ["harmonise", "mask.png"],
    "paste": ["paste", "thing.png", "--at", "94,96"],
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", ["deep", "grey", "transparent"])
def test_depth_transparency_profile_and_tags_are_kept(folder: Path, name: str, kind: str) -> None:
    command, *rest = COMMANDS[name]
    shot, mask = Photo.open("photo.png").pixels, Photo.open("mask.png").pixels[..., 0] > 0
    Image.fromarray(scene(3)[:20, :20]).save("thing.png")
    deep = shot.astype(np.uint16) * 257 + np.random.default_rng(0).integers(0, 200, shot.shape, np.uint16)
    pixels = {"deep": deep, "grey": deep.mean(2).astype(np.uint16), "transparent": shot}[kind]
    if kind == "transparent":
        pixels = np.dstack([pixels, np.where(mask, 255, 90).astype(np.uint8)])
    tags = [(34675, "B", 4, b"ICC!", False), (315, "s", 0, "somebody", False)]
    tifffile.imwrite("photo.tif", pixels, photometric="minisblack" if kind == "grey" else "rgb", extratags=tags,
                     extrasamples=["unassalpha"] if kind == "transparent" else None)  # fmt: skip
    before = Photo.open("photo.tif")
    assert cli.run([command, "photo.tif", *rest, "-o", "out.tif", "-q"]) == 0
    after = Photo.open("out.tif")
    assert after.pixels.dtype == before.pixels.dtype and after.pixels.shape == before.pixels.shape
    np.testing.assert_array_equal(after.pixels[~mask], before.pixels[~mask])
    assert after.alpha is None or (after.alpha[~mask] == before.alpha[~mask]).all()
    with tifffile.TiffFile("out.tif") as file:
        found = file.pages[0].tags
        assert found[34675].value == b"ICC!" and found[315].value == "somebody"
    if name != "harmonise":  # which may find nothing to do
        assert (after.pixels[mask] != before.pixels[mask]).any()
