"""What may be uploaded: decided by content, from the first bytes, before a pixel is decoded."""

import io
import json
import struct
import time
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, strategies as st
from live_server import Live, mask_png, photo, photo_png
from PIL import Image

from patchloom.errors import PhotoError
from patchloom.formats import recognised
from patchloom.server.problems import Problem
from patchloom.server.uploads import strict_json


def encoded(form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(photo(96, 64)).save(file, form, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )  # fmt: skip


def giant_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8, 3), np.uint8), photometric="rgb")
    data = bytearray(file.getvalue())
    start = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, start)[0]):
        at = start + 2 + entry * 12
        if struct.unpack_from("<H", data, at)[0] in (256, 257):
            struct.pack_into("<HII", data, at + 2, 4, 1, 60000)
    return bytes(data)


def multipage_tiff() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((2, 16, 16, 3), np.uint8), photometric="rgb")
    return file.getvalue()


def animated(form: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(photo(32, 32, seed)) for seed in (1, 2)]
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize("data", [
    encoded("PNG"), encoded("JPEG"), encoded("JPEG", progressive=True), encoded("TIFF"), encoded("WEBP"),
    encoded("WEBP", lossless=True), encoded("AVIF"), encoded("WEBP", icc_profile=b"profile"),
    encoded("TIFF", compression="tiff_lzw"), encoded("JPEG", exif=b"Exif\0\0" + b"\0" * 9000),
])  # fmt: skip
def test_size_is_that_of_the_decoder(data: bytes) -> None:
    format = recognised(data)
    header = format.header(io.BytesIO(data))
    with Image.open(io.BytesIO(data)) as image:
        assert (format.name, header.width, header.height) == (image.format, *image.size)
    assert header.frames == 1


@pytest.mark.parametrize(
    "data", [animated("PNG"), animated("WEBP"), multipage_tiff()], ids=["png", "webp", "tiff"]
)
def test_more_than_one_frame_is_noticed(data: bytes) -> None:
    assert recognised(data).header(io.BytesIO(data)).frames > 1


def test_a_big_tiff_is_measured() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((20, 30), np.uint16), bigtiff=True)
    assert recognised(file.getvalue()).header(file) == (30, 20, 1)


@given(st.binary(max_size=200), st.sampled_from([b"", *(encoded(form)[:400] for form in ("PNG", "JPEG", "TIFF"))]),
       st.integers(0, 400))  # fmt: skip
def test_damaged_beginnings_are_refused_in_a_sentence(noise: bytes, start: bytes, position: int) -> None:
    try:
        data = start[:position] + noise + start[position:]
        header = recognised(data).header(io.BytesIO(data))
    except PhotoError as error:
        assert str(error)
    else:
        assert header.width > 0 and header.height > 0


@pytest.mark.parametrize("part", ["image", "mask"])
@pytest.mark.parametrize("data", [png_header(60000, 60000), giant_tiff()], ids=["png", "tiff"])
def test_giants_are_refused_before_they_are_decoded(fake: Live, part: str, data: bytes) -> None:
    files = {"image": photo_png(), "mask": mask_png()} | {part: data}
    fake.client.get("/api/health")
    tracemalloc.start()
    answer = fake.client.post("/api/jobs", files={name: ("x", content) for name, content in files.items()})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_pixels")
    assert peak < 50 << 20


@pytest.mark.parametrize("data", [
    b"<svg xmlns='x'/>", b"<?xml version='1.0'?><svg/>", b"%PDF-1.7", b"8BPS\0\1", b"%!PS-Adobe",
    b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 40, b"hello", b"", b"\0" * 600,
])  # fmt: skip
def test_other_kinds_of_file_are_refused_whatever_they_are_called(fake: Live, data: bytes) -> None:
    files = {"image": ("photo.png", data, "image/png"), "mask": ("m.png", mask_png())}
    answer = fake.client.post("/api/jobs", files=files)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_picture_is_taken_whatever_it_is_called(fake: Live) -> None:
    files = {"image": ("evil.exe", photo_png(), "text/html"), "mask": ("m", mask_png(), "")}
    assert fake.client.post("/api/jobs", files=files).status_code == 202


def test_an_animation_is_used_only_if_asked(fake: Live) -> None:
    files = {"image": ("x.png", animated("PNG")), "mask": ("m.png", mask_png())}
    assert fake.client.post("/api/jobs", files=files).json()["code"] == "several_frames"
    assert fake.client.post("/api/jobs", files=files, data={"first_frame": "true"}).status_code == 202


@pytest.mark.parametrize("settings, status", [
    ('{"preset": "fast", "seed": 7}', 202), ("", 422), ("[]", 422), ('{"seed": NaN}', 422),
    ('{"guide_weight": 1e309}', 422), ('{"guide_weight": -Infinity}', 422), ('{"seed": ' + "9" * 5000 + "}", 422),
    ('{"seed": 99999999999999999999}', 422), ('{"nothing": 1}', 422), ('{"preset": "nope"}', 422),
    ('{"preset": ["fast"]}', 422), ("[" * 60000, 422), ('{"seed": true}', 422),
    ('{"content": "../../etc/passwd"}', 422), ('{"content": "a.pt@x"}', 422),
    ('{"texture": "weights.safetensors"}', 422), ('{"content": "/etc/passwd"}', 422),
    ('{"a": "' + "x" * 70_000 + '"}', 422),
])  # fmt: skip
def test_settings_are_checked(fake: Live, settings: str, status: int) -> None:
    answer = fake.send(data={"settings": settings})
    assert answer.status_code == status, answer.text
    assert "passwd" not in json.dumps(answer.json().get("settings", ""))


@pytest.mark.parametrize("text", ["NaN", "[1, Infinity]", "1e400", "[" * 100_000, "{", "9" * 10_000, "\ud800"])
def test_json_is_strict(text: str) -> None:
    with pytest.raises(Problem):
        strict_json(text.encode("utf-8", "surrogatepass"))


def test_every_option_is_documented_and_read_or_refused_by_name(fake: Live) -> None:
    """On every route that takes a form, whatever options another one has."""
    forms = {}
    for path, methods in fake.client.get("/openapi.json").json()["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if "multipart/form-data" in content:
            forms[path] = content["multipart/form-data"]["schema"]["properties"]
    options = {name for each in forms.values() for name, said in each.items() if "binary" not in json.dumps(said)}
    assert {"/inpaint", "/api/select"} < forms.keys() and {"sd_seed", "format", "settings"} < options
    for path, documented in forms.items():
        needed = {name: ("x.png", photo_png()) for name in ("image", "mask", "object") if name in documented}
        any_text = {"mask_class"} & documented.keys()  # is refused where the mask has no such class
        for name in options - {"sd_seed"} - any_text:
            place = {"at": "9,9"} if "at" in documented else {}
            answer = fake.client.post(path, files=needed, data=place | {name: "{"}, timeout=30)
            told = "There is no field" in answer.text or "is not read here" in answer.text
            assert (answer.status_code, told) == (422, name not in documented), (path, name, answer.text)
            assert name not in documented or name in answer.text or "JSON" in answer.text


def test_forms_are_checked(fake: Live) -> None:
    picture = ("x.png", photo_png())
    good = {"image": picture, "mask": ("m.png", mask_png())}
    refused = [
        fake.client.post("/api/jobs", json={}),
        fake.client.post("/api/jobs", files={"image": picture}),
        fake.client.post("/api/jobs", files={**good, "path": picture}),
        fake.client.post("/api/jobs", files=good, data={"output": "/tmp/x"}),
        fake.client.post("/api/jobs", files=good, data={"mask_mode": "purple"}),
        fake.client.post("/api/jobs", files={"mask": picture}, data={"image": "text"}),
        fake.client.post(
            "/api/jobs", content=b"junk", headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
    ]
    assert [answer.status_code for answer in refused] == [415, 422, 422, 422, 422, 422, 422]
    assert all(answer.json()["title"] and answer.json()["request_id"] for answer in refused)
    assert fake.client.post("/api/jobs", files=good).status_code == 202


def test_a_full_queue_stores_nothing(serve: Any, tmp_path: Any) -> None:
    from patchloom.server.limits import Limits

    server = serve(limits=Limits(max_queue=1))
    running = server.send("wait").json()["id"]
    while server.client.get(f"/api/jobs/{running}").json()["status"] != "running":
        time.sleep(0.02)
    waiting = server.send().json()["id"]
    folders = sorted(tmp_path.rglob("*"))
    refused = server.send()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert sorted(tmp_path.rglob("*")) == folders
    server.client.delete(f"/api/jobs/{running}")
    assert server.finish(waiting)["status"] == "done"
