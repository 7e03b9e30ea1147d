"""IOPaint's API, as its clients call it."""

import base64
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from live_server import Live, hole, mask_png, photo, photo_png, pixels, png
from PIL import Image

from patchloom.server.iopaint.routes import MODEL

# What the bundled client of IOPaint 1.6 sends: most of it means nothing to a model that only erases, and two
# names are misspelt there.
CLIENT_FIELDS: dict[str, Any] = {
    "ldm_steps": 30, "ldm_sampler": "ddim", "zits_wireframe": True, "cv2_flag": "INPAINT_NS", "cv2_radius": 5,
    "hd_strategy": "Crop", "hd_strategy_crop_triger_size": 640, "hd_strategy_crop_margin": 128,
    "hd_trategy_resize_imit": 2048, "prompt": "", "negative_prompt": "", "use_croper": False, "croper_x": 0,
    "use_extender": False, "sd_mask_blur": 12, "sd_strength": 1.0, "sd_steps": 50, "sd_guidance_scale": 7.5,
    "sd_sampler": "UniPC", "sd_match_histograms": False, "sd_lcm_lora": False, "enable_controlnet": False,
    "controlnet_conditioning_scale": 0.4, "controlnet_method": "", "enable_brushnet": False,
    "enable_powerpaint_v2": False, "powerpaint_task": "object-remove", "paint_by_example_example_image": None,
    "p2p_image_guidance_scale": 1.5, "fitting_degree": 1.0,
}  # fmt: skip


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def inpaint(server: Live, image: bytes = b"", mask: bytes = b"", **fields: Any) -> Any:
    body = {"image": b64(image or photo_png()), "mask": b64(mask or mask_png()), **CLIENT_FIELDS, **fields}
    return server.client.post("/api/v1/inpaint", json=body, timeout=60)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:application/octet-stream;base64,"])
def test_png_in_gives_png_out(real: Live, prefix: str) -> None:
    body = {"image": prefix + b64(photo_png()), "mask": prefix + b64(mask_png()), **CLIENT_FIELDS}
    answer = real.client.post("/api/v1/inpaint", json=body, timeout=60)
    assert (answer.status_code, answer.headers["content-type"], answer.headers["x-seed"]) == (
        200,
        "image/png",
        "42",
    )
    marked = hole() > 0
    assert (pixels(answer)[~marked] == photo()[~marked]).all()
    assert (pixels(answer)[marked] != photo()[marked]).any()


def test_a_media_type_may_be_written_in_capitals_and_hints_name_no_field_of_another_api(real: Live) -> None:
    body = json.dumps({"image": b64(photo_png()), "mask": b64(png(np.zeros_like(hole())))}).encode()
    answer = real.client.post("/api/v1/inpaint", content=body, headers={"content-type": "Application/JSON"})
    assert answer.status_code == 422
    assert "marks nothing" in answer.json()["errors"] and "mask_mode" not in answer.json()["errors"]


def test_of_an_animation_the_first_frame_is_filled(real: Live) -> None:
    target = io.BytesIO()
    frames = [Image.fromarray(photo()), Image.fromarray(255 - photo())]
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    answer = inpaint(real, target.getvalue())
    assert answer.status_code == 200
    marked = hole() > 0
    assert (pixels(answer)[~marked] == photo()[~marked]).all()


def test_a_drawn_seed_reproduces_the_picture(real: Live) -> None:
    first, other = inpaint(real, sd_seed=-1), inpaint(real, sd_seed=-1)
    assert first.headers["x-seed"] != other.headers["x-seed"]
    again = inpaint(real, sd_seed=int(first.headers["x-seed"]))
    assert again.content == first.content


def test_the_answer_is_upright(real: Live) -> None:
    lying = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo(80, 60)).save(lying, "JPEG", quality=95, exif=exif)
    answer = inpaint(real, lying.getvalue(), mask_png(60, 80))
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (60, 80) and image.getexif().get(0x0112, 1) == 1
        turned = np.rot90(photo(80, 60), -1)
        assert np.abs(np.asarray(image).astype(int) - turned)[hole(60, 80) == 0].mean() < 5


def test_alpha_is_put_back(real: Live) -> None:
    alpha = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    answer = inpaint(real, png(np.dstack([photo(), alpha])))
    outside = hole() == 0
    assert (pixels(answer)[..., 3][outside] == alpha[outside]).all()


def test_mismatched_sizes_are_answered_as_iopaint_does(real: Live) -> None:
    answer = inpaint(real, mask=mask_png(32, 32))
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "detail", "body", "errors"}
    assert "64" in answer.json()["errors"] and "32" in answer.json()["errors"]


@pytest.mark.parametrize("body, status", [
    ({"image": "x"}, 422), ({"image": "%%%", "mask": "%%%"}, 400), ([], 422), ({"image": 3, "mask": 4}, 422),
    ({"image": b64(b"GIF89a"), "mask": b64(mask_png())}, 415),
    ({"image": b64(photo_png()), "mask": b64(mask_png()), "sd_seed": "x"}, 422),
])  # fmt: skip
def test_bad_calls_have_the_four_keys(real: Live, body: Any, status: int) -> None:
    answer = real.client.post("/api/v1/inpaint", json=body)
    assert (answer.status_code, set(answer.json())) == (status, {"error", "detail", "body", "errors"})


def test_numbers_and_base64_are_taken_as_loosely_as_iopaint_takes_them(real: Live) -> None:
    first = inpaint(real, sd_seed=7)
    broken_lines = "\r\n".join(b64(mask_png())[at : at + 20] for at in range(0, 1000, 20))
    for seed in ("7", 7.0):
        body = {"image": base64.encodebytes(photo_png()).decode(), "mask": broken_lines, "sd_seed": seed}
        answer = real.client.post("/api/v1/inpaint", json=body, timeout=60)
        assert (answer.headers["x-seed"], answer.content) == ("7", first.content)


@pytest.mark.parametrize("samples", [
    np.dstack([hole()] * 3 + [hole() * 0]),  # transparent, which has no say
    np.dstack([hole() * 0, hole(), hole() * 0]),  # green is bright, red is not
    hole().astype(np.uint16),  # cut off, not scaled
])  # fmt: skip
def test_masks_are_read_as_iopaint_reads_them(real: Live, samples: np.ndarray) -> None:
    assert inpaint(real, mask=png(samples)).content == inpaint(real).content


def test_a_mask_that_marks_nothing_is_422(real: Live) -> None:
    for mask in (hole() * 0, hole() // 3, np.dstack([hole(), hole() * 0, hole() * 0])):
        answer = inpaint(real, mask=png(mask))
        assert answer.status_code == 422
        assert "marks nothing" in answer.json()["errors"]


def test_only_json_is_taken(real: Live) -> None:
    assert (
        real.client.post("/api/v1/inpaint", content=b"{}", headers={"Content-Type": "text/plain"}).status_code
        == 415
    )


def test_masks_are_grown_shrunk_and_inverted(real: Live) -> None:
    for operate, check in {
        "expand": lambda new, old: (new & old).sum() == old.sum() < new.sum(),
        "shrink": lambda new, old: (new & old).sum() == new.sum() < old.sum(),
        "reverse": lambda new, old: (new != old).all(),
    }.items():
        body = {"mask": b64(mask_png()), "operate": operate, "kernel_size": 5}
        answer = real.client.post("/api/v1/adjust_mask", json=body)
        drawn = pixels(answer)
        marked = drawn[..., 3] > 0
        assert check(marked, hole() > 0), operate
        assert (drawn[marked] == (255, 203, 0, 186)).all() and not drawn[~marked].any()
    assert real.client.post("/api/v1/adjust_mask", json={**body, "operate": "melt"}).status_code == 422


def test_what_the_client_asks_first(real: Live) -> None:
    config = real.client.get("/api/v1/server-config").json()
    assert config["modelInfos"] == [MODEL] and config["plugins"] == []
    assert real.client.get("/api/v1/model").json()["model_type"] == "inpaint"
    assert real.client.post("/api/v1/model", json={"name": "lama"}).json()["name"] == "patchloom"
    assert config["disableModelSwitch"] is False, "IOPaint's page would hide its settings"
    assert real.client.get("/api/v1/samplers").json() == []
    prompt = real.client.post("/api/v1/gen-info", files={"file": photo_png()})
    assert prompt.json() == {"prompt": "", "negative_prompt": ""}
    for path in ("/api/v1/inputimage", "/api/v1/medias?tab=input"):
        answer = real.client.get(path)
        assert (answer.status_code, set(answer.json())) == (404, {"error", "detail", "body", "errors"})


def test_a_client_that_goes_away_cancels_its_job(fake: Live) -> None:
    import http.client
    import json

    image = photo_png() + b"|wait"
    connection = http.client.HTTPConnection("127.0.0.1", fake.port)
    body = json.dumps({"image": b64(image), "mask": b64(mask_png())})
    before = fake.send("wait").json()["id"]
    connection.request("POST", "/api/v1/inpaint", body, {"Content-Type": "application/json"})
    while fake.client.get("/api/health").json()["waiting"] == 0:
        time.sleep(0.02)
    job = fake.send().json()["id"]
    fake.client.delete(f"/api/jobs/{before}")
    while fake.client.get(f"/api/jobs/{job}").json()["position"] != 1:
        time.sleep(0.02)
    connection.close()
    assert fake.finish(job, seconds=10)["status"] == "done", "the worker is free for the next"
