"""Jobs from beginning to end, with the engine itself on small pictures and without a network."""

import hashlib
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from live_server import Live, hole, mask_png, photo, photo_png, png
from PIL import Image

from patchloom.cli import run
from patchloom.server import routes
from patchloom.server.limits import Limits
from patchloom.settings import PRESETS

QUICK = {"preset": "fast", "texture": "none"}


def post(
    server: Live, files: dict[str, bytes], settings: dict[str, Any] | None = None, **data: str
) -> dict[str, Any]:
    """The finished job of these pictures."""
    text = json.dumps({**QUICK, **(settings or {})})
    named = {name: (name, content) for name, content in files.items()}
    answer = server.client.post("/api/jobs", files=named, data={"settings": text, **data})
    assert answer.status_code == 202, answer.text
    return server.finish(answer.json()["id"])


def result(server: Live, job: dict[str, Any]) -> bytes:
    assert job["status"] == "done", job
    answer = server.client.get(job["links"]["result"])
    assert answer.status_code == 200
    return answer.content


def opened(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def test_a_job_from_upload_to_download(real: Live) -> None:
    text = json.dumps({**QUICK, "seed": 5})
    files = {"image": ("x", photo_png()), "mask": ("m", mask_png())}
    answer = real.client.post("/api/jobs", files=files, data={"settings": text})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    assert job["status"] in ("queued", "running"), "it may have begun by now"
    assert (job["seed"], job["settings"]["preset"]) == (5, "fast")
    early = real.client.get(f"/api/jobs/{job['id']}/result")
    assert early.status_code in (200, 409)
    job = real.finish(job["id"])
    data = result(real, job)
    assert job["result"] == {
        "format": "PNG", "media_type": "image/png", "width": 64, "height": 64, "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    assert job["progress"]["fraction"] == 1.0
    marked = hole() > 0
    assert (opened(data)[~marked] == photo()[~marked]).all()
    assert (opened(data)[marked] != photo()[marked]).any()
    headers = real.client.get(job["links"]["result"]).headers
    assert (headers["content-type"], headers["cache-control"]) == ("image/png", "no-store")


def test_bytes_are_those_of_the_command_line(real: Live, tmp_path: Path) -> None:
    jpeg = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "maker"
    Image.fromarray(photo(80, 60)).save(jpeg, "JPEG", quality=88, exif=exif)
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, photo().astype(np.uint16) * 257, photometric="rgb")
    cases = {"a.png": (photo_png(), mask_png()), "b.jpg": (jpeg.getvalue(), mask_png(60, 80)),
             "c.tif": (tiff.getvalue(), mask_png())}  # fmt: skip
    for name, (image, mask) in cases.items():
        (tmp_path / name).write_bytes(image)
        (tmp_path / "mask.png").write_bytes(mask)
        out = tmp_path / f"out-{name}"
        options = ["--preset", "fast", "--texture", "none", "--seed", "3", "--grow", "1", "-q"]
        assert run(["fill", str(tmp_path / name), str(tmp_path / "mask.png"), "-o", str(out), *options]) == 0
        job = post(real, {"image": image, "mask": mask}, {"seed": 3, "grow": 1})
        assert result(real, job) == out.read_bytes(), name


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(real: Live) -> None:
    files = {"image": photo_png(), "mask": mask_png()}
    first, again, other = (result(real, post(real, files, {"seed": seed})) for seed in (1, 1, 2))
    assert first == again != other


def test_events_tell_the_whole_story_and_can_be_resumed(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": mask_png()})
    path = job["links"]["events"]
    answer = real.client.get(path)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-store", "no")
    events = re.findall(r"id: (\d+)\nevent: (\w+)\ndata: (.*)\n\n", answer.text)
    numbers = [int(number) for number, _, _ in events]
    assert numbers == sorted(set(numbers))
    names = [name for _, name, _ in events]
    assert names[:2] == ["queued", "started"] and names[-1] == "done"
    assert {"fill_started", "level_started", "level_done", "fill_done"} <= set(names)
    for _, name, data in events:
        said = json.loads(data)
        if name == "level_done":
            assert len(said["box"]) == 4
            picture = real.client.get(f"/api/jobs/{job['id']}/preview/{said['preview']}")
            assert opened(picture.content).shape[2] == 3
            tag = {"If-None-Match": picture.headers["etag"]}
            assert (
                real.client.get(f"/api/jobs/{job['id']}/preview/{said['preview']}", headers=tag).status_code == 304
            )
    rest = real.client.get(path, headers={"Last-Event-ID": str(numbers[-3])}).text
    assert re.findall(r"id: (\d+)", rest) == [str(number) for number in numbers[-2:]]
    assert real.client.get(f"/api/jobs/{job['id']}/preview").status_code == 200


def test_previews_approach_the_result(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": mask_png()})
    last = opened(real.client.get(f"/api/jobs/{job['id']}/preview").content).astype(int)
    final = opened(result(real, job)).astype(int)
    events = real.client.get(job["links"]["events"]).text
    x, y, width, height = json.loads(re.findall(r"event: level_done\ndata: (.*)\n", events)[-1])["box"]
    assert np.abs(last - final[y : y + height, x : x + width]).mean() < 6  # of 255, after JPEG


def test_a_deleted_job_is_gone(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": mask_png()})
    for _ in range(2):
        assert real.client.delete(f"/api/jobs/{job['id']}").json()["status"] == "expired"
    assert real.client.get(job["links"]["result"]).status_code == 410


def test_an_idempotency_key_starts_one_job(real: Live) -> None:
    files = {"image": ("x", photo_png()), "mask": ("m", mask_png())}
    data = {"settings": json.dumps(QUICK)}
    first, second, other = (
        real.client.post("/api/jobs", files=files, data=data, headers={"Idempotency-Key": key}).json()["id"]
        for key in ("one", "one", "two")
    )
    assert first == second != other
    real.finish(other)


def test_a_smaller_mask_of_the_same_shape_is_stretched(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": png(hole(64, 64)[::2, ::2])})
    marked = np.kron(hole(64, 64)[::2, ::2], np.ones((2, 2))) > 0
    after = opened(result(real, job))
    assert (after[~marked] == photo()[~marked]).all()
    other = post(real, {"image": photo_png(), "mask": mask_png(64, 40)})
    assert other["error"]["code"] == "bad_mask" and "64 x 40" in other["error"]["message"]


def test_source_and_coarse_pictures_are_used(real: Live) -> None:
    files = {"image": photo_png(), "mask": mask_png()}
    plain = result(real, post(real, files))
    left = np.zeros((64, 64), np.uint8)
    left[:, :20] = 255
    assert result(real, post(real, {**files, "source": png(left)})) != plain
    assert result(real, post(real, {**files, "coarse": png(photo(seed=9)[::-1].copy())})) != plain


def test_an_object_is_harmonised(real: Live) -> None:
    files = {"image": photo_png(), "mask": mask_png()}
    settings = {"settings": json.dumps({"strength": 0})}
    plain = real.client.post("/api/harmonise", files=files, data=settings, timeout=120)
    assert plain.status_code == 200
    assert (opened(plain.content) == photo()).all()
    wrong = real.client.post("/api/harmonise", files=files, data={"settings": '{"strength": 2}'})
    assert wrong.status_code == 422 and "strength" in wrong.text


def test_a_photo_is_extended_and_made_a_tile(real: Live) -> None:
    files, quick = {"image": photo_png()}, {"settings": '{"preset": "fast", "content": "none"}'}
    wide = real.client.post("/api/extend", files=files, data={**quick, "left": "8", "top": "25%"}, timeout=120)
    assert wide.status_code == 200
    assert (opened(wide.content)[-len(photo()) :, 8:] == photo()).all()
    tile = real.client.post("/api/tile", files=files, data={**quick, "format": "PNG"}, timeout=120)
    assert opened(tile.content).shape == photo().shape
    wrong = {"left=0": "Nothing is added", "left=wide": "left is 'wide'", "mask_mode=white": "mask_mode"}
    for sent, said in wrong.items():
        answer = real.client.post("/api/extend", files=files, data={**quick, **dict([sent.split("=")])})
        assert answer.status_code == 422 and said in answer.text
    answer = real.client.post("/api/extend", files=files, data={**quick, "left": "90000000"}, timeout=30)
    assert answer.is_client_error and "The canvas would have" in answer.text
    assert real.client.post("/api/tile", files=files, data={**quick, "left": "8"}).status_code == 422


def test_an_object_is_put_in(real: Live) -> None:
    thing = np.random.default_rng(0).integers(0, 255, (9, 15, 3), np.uint8)
    sent = {"image": ("x", photo_png()), "object": ("y", png(thing))}
    as_it_is = {"settings": json.dumps({"strength": 0})}
    expected = photo()
    expected[26:35, 33:48] = thing
    answer = real.client.post("/api/paste", files=sent, data={**as_it_is, "at": "40,30"}, timeout=120)
    assert answer.status_code == 200 and (opened(answer.content) == expected).all()

    mask = np.zeros((9, 15), np.uint8)
    mask[:, :5] = 255
    expected[:, 38:] = photo()[:, 38:]
    sent["mask"] = ("m", png(mask))
    answer = real.client.post("/api/paste", files=sent, data={**as_it_is, "at": "40,30,1,0"}, timeout=120)
    assert (opened(answer.content) == expected).all()

    for at, status, said in [
        ("", 422, "'at' is missing"), ("40", 422, "is not x,y"), ("40,30,0", 422, "scale from 0.01"),
        ("nan,30", 422, "cannot be put"), ("4000,30", 409, "Nothing of the object lies in the photograph"),
    ]:  # fmt: skip
        answer = real.client.post("/api/paste", files=sent, data={"at": at})
        assert answer.status_code == status and said in answer.text, at
    sent["object"] = ("y", png(thing)[:60])
    answer = real.client.post("/api/paste", files=sent, data={"at": "40,30"})
    assert answer.json()["title"].startswith("The object is ")


def test_references_are_read_named_and_counted(real: Live) -> None:
    pytest.importorskip("cv2")
    files = {"image": photo_png(), "mask": mask_png()}
    stranger, small = png(photo(seed=9)[::-1].copy()), png(photo(20, 20))

    def sent(*references: tuple[str, bytes]) -> dict[str, Any]:
        settings = json.dumps(QUICK | {"align": "always"})
        pictures = [(name, (name, data)) for name, data in files.items()]
        pictures += [("reference", each) for each in references]
        answer = real.client.post("/api/jobs", files=pictures, data={"settings": settings})
        return real.finish(answer.json()["id"]) if answer.status_code == 202 else answer.json()

    job = sent((r"C:\shots\later.png", stranger), ("/etc/a b.png", small))
    assert (opened(result(real, job))[hole() == 0] == photo()[hole() == 0]).all()
    rows = job["result"]["references"]
    assert [(row["name"], row["given"]) for row in rows] == [("later.png", 0), ("a b.png", 0)]
    assert "does not show the same scene" in job["warnings"][0] and "smaller than" in job["warnings"][1]

    job = sent(("ok.png", stranger), ("torn.png", stranger[:900]))
    assert (job["status"], job["error"]["code"]) == ("failed", "bad_photo")
    assert job["error"]["message"].startswith("The reference 'torn.png' is ")
    assert sent(*[("x.png", small)] * 9)["code"] == "too_many_parts"
    assert sent(("x.txt", b"no picture"))["code"] == "unsupported_format"
    twice = [("image", ("x", files["image"]))] * 2 + [("mask", ("m", files["mask"]))]
    assert real.client.post("/api/jobs", files=twice).json()["code"] == "too_many_parts"


@pytest.mark.parametrize("mask, code", [
    (np.full((64, 64), 255, np.uint8), "bad_mask"), (None, "bad_photo"),
])  # fmt: skip
def test_what_cannot_be_filled_is_said(real: Live, mask: np.ndarray | None, code: str) -> None:
    image = photo_png() if mask is not None else photo_png()[:900]
    job = post(real, {"image": image, "mask": mask_png() if mask is None else png(mask)})
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert job["error"]["message"].endswith(".") and "/" not in job["error"]["message"]
    failed = real.client.get(job["links"]["result"])
    assert (failed.status_code, failed.json()["code"]) == (409, code)


def test_a_mask_that_marks_nothing_is_an_error_with_what_is_in_it(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": png(np.zeros((64, 64), np.uint8))})
    assert (job["status"], job["error"]["code"]) == ("failed", "bad_mask")
    assert "its values are 0," in job["error"]["message"]


def test_a_picture_that_the_server_has_is_not_sent_again(real: Live) -> None:
    photo, mask = photo_png(), mask_png()
    first = post(real, {"image": photo, "mask": mask})
    again = post(real, {"mask": mask}, image_of=first["id"])
    assert result(real, again) == result(real, first)
    on_top = post(real, {"mask": mask}, image_of=f"{first['id']}/result")
    sent = post(real, {"image": result(real, first), "mask": mask})
    assert result(real, on_top) == result(real, sent)
    for gone, status in ((f"{first['id']}/mask", 422), (f"{first['id']}/../x", 422), ("0" * 32, 404)):
        answer = real.client.post("/api/jobs", files={"mask": mask}, data={"image_of": gone})
        assert answer.status_code == status, gone
    real.client.delete(f"/api/jobs/{first['id']}")
    answer = real.client.post("/api/jobs", files={"mask": mask}, data={"image_of": first["id"]})
    assert (answer.status_code, answer.json()["code"]) == (410, "image_gone")


def test_output_can_be_chosen(real: Live) -> None:
    job = post(real, {"image": photo_png(), "mask": png(255 - hole())}, format="WEBP", mask_mode="black")
    assert job["result"]["media_type"] == "image/webp"
    with Image.open(io.BytesIO(result(real, job))) as image:
        assert image.format == "WEBP"


def test_annotations_are_a_mask_and_a_class_of_them_is_chosen(real: Live) -> None:
    flat = hole().T.ravel() > 0  # as COCO counts: column by column
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    runs = np.diff(edges, prepend=0, append=flat.size).tolist()
    about = [{"id": name, "file_name": f"{name}.jpg", "height": 64, "width": 64} for name in ("image", "other")]
    marks = [("image", 1, runs), ("image", 2, [0, 64 * 50, 64 * 14]), ("other", 1, [9, 64 * 64 - 9])]
    objects = [
        {"image_id": name, "category_id": kind, "segmentation": {"size": [64, 64], "counts": counts}}
        for name, kind, counts in marks
    ]
    kinds = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    annotations = json.dumps({"images": about, "annotations": objects, "categories": kinds}).encode()
    drawn = post(real, {"image": photo_png(), "mask": png(hole())})
    told = post(real, {"image": photo_png(), "mask": annotations}, mask_class="dog")
    assert result(real, told) == result(real, drawn)
    wrong = post(real, {"image": photo_png(), "mask": annotations}, mask_class="bird")
    assert wrong["status"] == "failed" and "cat, dog" in wrong["error"]["message"], wrong
    for part in ("image", "coarse", "reference"):
        files = {"image": photo_png(), "mask": png(hole()), part: annotations}
        assert real.client.post("/api/jobs", files=files).status_code == 415, part


def test_a_mask_s_file_is_read_as_with_a_fill(real: Live) -> None:
    ids = np.zeros((64, 64), np.uint8)
    ids[8:16, 8:16], ids[40:48, 40:48] = 3, 17
    read = real.client.post("/api/mask", files={"mask": ("ids.png", png(ids))})
    assert read.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(opened(read.content), np.where(ids > 0, 255, 0))
    one = real.client.post("/api/mask", files={"mask": ("ids.png", png(ids))}, data={"mask_class": "17"})
    np.testing.assert_array_equal(opened(one.content), np.where(ids == 17, 255, 0))
    for wrong in ({"mask": ("x", b"no")}, {"image": ("x", png(ids))}):
        assert 400 <= real.client.post("/api/mask", files=wrong).status_code < 500


def test_a_browser_gets_to_see_a_16_bit_tiff(real: Live) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, photo().astype(np.uint16) * 257, photometric="rgb")
    answer = real.client.post("/api/display", files={"image": ("x", file.getvalue())})
    assert (answer.status_code, answer.headers["x-width"], answer.headers["x-height"]) == (200, "64", "64")
    assert np.abs(opened(answer.content).astype(int) - photo()).mean() < 8
    assert real.client.post("/api/display", files={"image": ("x", b"no")}).status_code == 415


def test_config_describes_every_setting(real: Live) -> None:
    said = real.client.get("/api/config").json()
    assert [preset["settings"] for preset in said["presets"]] == [each.to_dict() for each in PRESETS.values()]
    assert all(preset["help"].endswith(".") for preset in said["presets"])
    assert set(said["settings"]["properties"]) == set(PRESETS["balanced"].to_dict())
    assert all(each["description"] for each in said["settings"]["properties"].values())
    assert said["limits"]["pixels"] == 64_000_000


def test_openapi_names_the_real_media_types(real: Live) -> None:
    paths = real.client.get("/openapi.json").json()["paths"]
    form = paths["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["image", "mask"]
    assert "image/tiff" in paths["/api/jobs/{name}/result"]["get"]["responses"]["200"]["content"]
    assert "text/event-stream" in paths["/api/jobs/{name}/events"]["get"]["responses"]["200"]["content"]


def test_health_needs_no_worker(real: Live) -> None:
    assert real.client.get("/api/health").json()["status"] == "ok"


def test_an_object_is_found_from_a_scribble(real: Live) -> None:
    picture = np.full((90, 120, 3), (60, 110, 70), np.uint8)
    y, x = np.mgrid[0:90, 0:120]
    ball = np.hypot(y - 45, x - 60) < 20
    picture[ball] = (210, 60, 40)
    scribble = np.zeros((90, 120), np.uint8)
    scribble[44:47, 50:70] = 255
    files = {"image": ("x", png(picture)), "mask": ("x", png(scribble))}
    answer = real.client.post("/api/select", files=files)
    assert answer.status_code == 200, answer.text
    with Image.open(io.BytesIO(answer.content)) as image:
        found = np.asarray(image.convert("L")) == 255
    assert (found & ball).sum() / (found | ball).sum() > 0.9
    files["mask"] = ("x", png(scribble[:50]))
    assert real.client.post("/api/select", files=files).status_code == 409


def test_an_object_is_found_while_fills_wait_and_no_place_is_left(serve: Callable[..., Live]) -> None:
    server = serve(limits=Limits(max_queue=1))
    jobs = [server.send("wait").json()["id"]]
    while server.client.get(f"/api/jobs/{jobs[0]}").json()["status"] == "queued":
        time.sleep(0.05)
    jobs.append(server.send("wait").json()["id"])
    assert server.send("wait").status_code == 429
    files = {"image": ("x", photo_png()), "mask": ("x", mask_png())}
    assert server.client.post("/api/select", files=files).status_code == 200
    assert server.client.post("/api/display", files={"image": ("x", photo_png())}).status_code == 200
    for job in jobs:
        server.client.delete(f"/api/jobs/{job}")


def test_other_photos_are_offered_only_where_they_can_be_aligned(
    fake: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fake.client.get("/api/config").json()["limits"]["references"] > 0
    monkeypatch.setattr(routes, "find_spec", lambda name: None)
    assert fake.client.get("/api/config").json()["limits"]["references"] == 0


def test_the_beginning_of_a_file_tells_whether_it_is_taken(fake: Live) -> None:
    still = png(np.zeros((20, 30, 3), np.uint8))
    told = fake.client.post("/api/recognise", content=still[:60]).json()
    assert (told["format"], told["several_frames"]) == ("PNG", False)
    moving = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    frames[0].save(moving, "WEBP", save_all=True, append_images=frames[1:])
    assert fake.client.post("/api/recognise", content=moving.getvalue()).json()["several_frames"]
    refused = fake.client.post("/api/recognise", content=b"%PDF-1.7 ").json()
    assert refused["format"] == "" and "PDF" in refused["reason"]
    assert fake.client.post("/api/recognise", content=b"x" * 70_000).status_code == 413
