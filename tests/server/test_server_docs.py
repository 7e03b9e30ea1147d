"""The examples in the documentation do what they say, as they stand there."""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live_server import Live, hole, mask_png, photo
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", (DOCS / "api.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_examples_of_the_api_run(real: Live, tmp_path: Path, number: int) -> None:
    language, code = BLOCKS[number]
    if language == "sh" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    file = io.BytesIO()
    Image.fromarray(photo()).save(file, "JPEG", quality=95)
    (tmp_path / "photo.jpg").write_bytes(file.getvalue())
    (tmp_path / "mask.png").write_bytes(mask_png())
    code = code.replace("localhost:8080", f"127.0.0.1:{real.port}")
    command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    if "filled.jpg" in code:
        with Image.open(tmp_path / "filled.jpg") as image:
            before = np.asarray(Image.open(file)).astype(int)
            change = np.abs(np.asarray(image) - before).mean(-1)
        assert change[hole() > 0].mean() > 3 * change[hole() == 0].mean()
    else:
        assert "missing_part" in done.stdout
