#!/usr/bin/env python3
"""GIMP 3: Filters > Enhance > Fill selection (patchloom). Needs nothing but a patchloom server.

Copy this folder into GIMP's folder of plug-ins (Edit > Preferences > Folders > Plug-ins), make the file
executable, and run ``patchloom serve``. The selection is filled; the answer comes as a new layer, masked by the
selection, so that nothing below is touched. $PATCHLOOM_SERVER names another server, $PATCHLOOM_TOKEN its token.
"""

import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from gi.repository import Gegl, Gimp, Gio, GLib  # noqa: E402

PROCEDURE = "plug-in-patchloom"
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


def stored(image, path: Path) -> bytes:
    """The image's file as PNG."""
    Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(path)), None)
    return path.read_bytes()


def photo_of(image, folder: Path) -> bytes:
    """What is visible, as one layer."""
    copy = image.duplicate()
    copy.flatten()
    data = stored(copy, folder / "photo.png")
    copy.delete()
    return data


def mask_of(image, folder: Path) -> bytes:
    """White where the selection is, black elsewhere."""
    copy = image.duplicate()
    layer, selection = copy.flatten(), Gimp.Selection.save(copy)
    Gimp.context_push()
    Gimp.context_set_background(Gegl.Color.new("black"))
    Gimp.context_set_foreground(Gegl.Color.new("white"))
    Gimp.Selection.none(copy)
    layer.edit_fill(Gimp.FillType.BACKGROUND)
    copy.select_item(Gimp.ChannelOps.REPLACE, selection)
    layer.edit_fill(Gimp.FillType.FOREGROUND)
    Gimp.context_pop()
    copy.remove_channel(selection)
    Gimp.Selection.none(copy)
    data = stored(copy, folder / "mask.png")
    copy.delete()
    return data


def fill(image, server: str) -> None:
    """Raises OSError."""
    if Gimp.Selection.is_empty(image):
        raise OSError("Nothing is selected: select what should go.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = folder / "filled.png"
        filled.write_bytes(answer_of(server, photo_of(image, folder), mask_of(image, folder)))
        layer = Gimp.file_load_layer(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(filled)))
    image.undo_group_start()
    layer.set_name("patchloom")
    image.insert_layer(layer, None, 0)
    layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))
    image.undo_group_end()
    Gimp.displays_flush()


def run(procedure, run_mode, image, drawables, config, data):
    try:
        fill(image, os.environ.get("PATCHLOOM_SERVER", SERVER))
    except OSError as error:
        return procedure.new_return_values(Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(str(error)))
    return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())


class Patchloom(Gimp.PlugIn):
    def do_query_procedures(self):
        return [PROCEDURE]

    def do_set_i18n(self, name):
        return False

    def do_create_procedure(self, name):
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("RGB*, GRAY*")
        procedure.set_menu_label("Fill selection (patchloom)")
        procedure.add_menu_path("<Image>/Filters/Enhance")
        says = "Fill the selection so that people can't tell"
        procedure.set_documentation(says, "Sends it to a patchloom server; adds the answer as a layer.", name)
        procedure.set_attribution("the patchloom authors", "MIT", "2026")
        return procedure


Gimp.main(Patchloom.__gtype__, sys.argv)
