"""Krita 5: Tools > Scripts > Fill selection (patchloom). Needs nothing but a patchloom server.

Copy ``patchloom_krita.desktop`` and the folder ``patchloom_krita`` into the folder ``pykrita`` of Krita's
resources (Settings > Manage Resources > Open Resource Folder), tick *patchloom* in Settings > Configure Krita >
Python Plugin Manager, start Krita again, and run ``patchloom serve``. The selection is filled; the answer comes as
a new layer, masked by the selection, so that nothing below is touched. $PATCHLOOM_SERVER names another server,
$PATCHLOOM_TOKEN its token.
"""

import json
import os
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from krita import Extension, InfoObject, Krita
from PyQt5.QtGui import QImage
from PyQt5.QtWidgets import QMessageBox

SERVER = "http://localhost:8080"


def answer_of(server: str, photo: bytes, mask: bytes) -> bytes:
    """The filled picture's file. Raises OSError, with what the server says where it refuses."""
    boundary = uuid.uuid4().hex
    body = b""
    for name, data in (("image", photo), ("mask", mask)):
        head = f'Content-Disposition: form-data; name="{name}"; filename="{name}.png"'
        body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    if token := os.environ.get("PATCHLOOM_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{server}/inpaint", body, headers)) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        said = json.loads(error.read() or b"{}")
        raise OSError(f"The server refused: {said.get('detail') or said.get('title') or error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(f"No patchloom server answers at {server}: {error.reason}") from error


def photo_of(document, file: Path) -> bytes:
    """What is visible, as PNG, at the document's depth."""
    document.setBatchmode(True)  # no dialogue that asks how to export
    document.exportImage(str(file), InfoObject())
    document.setBatchmode(False)
    return file.read_bytes()


def mask_of(document, file: Path) -> bytes:
    """White where the selection is, black elsewhere."""
    width, height = document.width(), document.height()
    marked = bytes(document.selection().pixelData(0, 0, width, height))  # one byte a pixel
    QImage(marked, width, height, width, QImage.Format_Grayscale8).save(str(file))
    return file.read_bytes()


def fill(document, server: str) -> None:
    """Raises OSError."""
    if document.selection() is None:
        raise OSError("Nothing is selected: select what should go.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = folder / "filled.png"
        photo, mask = photo_of(document, folder / "photo.png"), mask_of(document, folder / "mask.png")
        filled.write_bytes(answer_of(server, photo, mask))
        answer = Krita.instance().openDocument(str(filled))
    answer.setColorSpace(document.colorModel(), document.colorDepth(), document.colorProfile())
    answer.waitForDone()
    area = (0, 0, document.width(), document.height())
    layer = document.createNode("patchloom", "paintlayer")
    layer.setPixelData(answer.pixelData(*area), *area)
    answer.close()
    document.rootNode().addChildNode(layer, None)
    shown = document.createNode("selection", "transparencymask")
    layer.addChildNode(shown, None)
    shown.setPixelData(document.selection().pixelData(*area), *area)
    document.refreshProjection()
    document.waitForDone()


class Patchloom(Extension):
    def setup(self):
        pass

    def createActions(self, window):  # noqa: N802 (Krita's name)
        window.createAction("patchloom_fill", "Fill selection (patchloom)", "tools/scripts").triggered.connect(
            self.run
        )

    def run(self):
        document = Krita.instance().activeDocument()
        if document is None:
            return
        try:
            fill(document, os.environ.get("PATCHLOOM_SERVER", SERVER))
        except OSError as error:
            QMessageBox.warning(None, "patchloom", str(error))


Krita.instance().addExtension(Patchloom(Krita.instance()))
