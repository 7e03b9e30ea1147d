"""Writes what is made from something else: ``python docs/reference.py``.

The command line, the settings and the routes of the server come from the program's own declarations, the table of
experiments from the heads of their pages, and ``overrides.py`` from the settings. A test compares what is there
with what this would write.
"""

import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click

from patchloom.cli import COMMANDS, main
from patchloom.evaluation.holes import SPECS
from patchloom.evaluation.metrics import METRICS
from patchloom.evaluation.peers import PEERS
from patchloom.formats import FORMATS
from patchloom.server.app import ServerSettings, create_api
from patchloom.server.limits import Limits
from patchloom.server.schema import schema_of
from patchloom.settings import PRESET_HELP, PRESETS, FillSettings, HarmoniseSettings, RunSettings

HERE = Path(__file__).parent
# The others have pages of their own.
SHOWN = (
    "fill",
    "extend",
    "tile",
    "frames",
    "harmonise",
    "paste",
    "burst",
    "mask",
    "info",
    "demo",
    "doctor",
    "completion",
)

COMMAND_LINE = """# The command line

For whoever uses a terminal. Made from the program's own help by `python docs/reference.py`. Standard output
carries only data; everything said to a person goes to standard error. Nothing is overwritten without `--force`,
and a file is written whole or not at all. Ctrl-C stops within a second.
"""

SETTINGS = """# Settings

For whoever wants other values than a preset's. Made from the program's own declarations by `python
docs/reference.py`. A setting is the same everywhere: a flag of the command line (`rematch_every` is
`--rematch-every`; only `alpha` is `--hole-alpha` there), a key in a settings file, a keyword of `inpaint()`
(those of a run in `run=RunSettings(...)`), a field of the HTTP API. A preset is a set of values;
what you give overrides it.
"""

HTTP_ROUTES = """# Routes of the HTTP API

For programmers: every route of `patchloom serve` and what it takes, made from its OpenAPI description by `python
docs/reference.py`; the server has it too, at `/docs` for people and `/openapi.json` for programs. How routes are
used, what answers and errors look like: [the HTTP API](api.md).
"""
TAGS = {"server": "The server", "jobs": "Jobs", "IOPaint": "For clients of IOPaint and lama-cleaner"}

OVERRIDES = '''"""What calls may override, for type checkers; made from settings.py by docs/reference.py."""

from typing import Literal, TypedDict'''

EXPERIMENTS = """# Experiments

For whoever wants to change the method: what was tried, what it gave, what was decided, newest first. Made from the
heads of the pages by `python docs/reference.py`; [how to add one](../../CONTRIBUTING.md#recipes).

Unless a page says otherwise, figures are means over the hole's pixels at native size. *PSNR* is in dB; *perc*
is the relative distance to the truth in normalised VGG-19 relu3_1 features; *serr* is the mean of |ln(gradient
of the fill / of the truth)|. Groups are those of `benchmarks/quality.py`: `official` (a 180-px square in 512
px), `boxes`, `blobs`, `thick` strokes, `thin` scratches; *mean* is over the four thick groups. PPM is
PyPatchMatch 2.2.0 with patch radius 5. Trials on few images rank variants; they are no results. What the
program scores today is in [results](../results.md).
"""
HEAD = ("Date", "Question", "Decision", "Still valid", "In the code")


def command_line() -> str:
    """The help of the program and of each command that is described here."""
    parts = [COMMAND_LINE, _help("patchloom", main)]
    context = click.Context(main, info_name="patchloom")
    for name in SHOWN:
        command = main.get_command(context, name)
        assert command is not None
        parts.append(f"## {name}\n\n{COMMANDS[name].help}\n\n{_help(f'patchloom {name}', command)}")
    return "\n".join(parts)


def _help(name: str, command: click.Command) -> str:
    options = {**main.context_settings, "terminal_width": 100}
    context = click.Context(command, info_name=name, **options)
    lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def settings() -> str:
    """What each setting does, its range, and its value in each preset."""
    presets = "\n".join(f"- **{name}**: {text}" for name, text in PRESET_HELP.items())
    head = "| setting | what it does | values | " + " | ".join(PRESETS) + " |\n|" + "---|" * (3 + len(PRESETS))
    tables: dict[str, list[str]] = {}
    for name, said in schema_of(FillSettings)["properties"].items():
        values = " | ".join(f"`{getattr(preset, name)}`" for preset in PRESETS.values())
        row = f"| `{name}` | {said['description']} | {_values(said)} | {values} |"
        tables.setdefault(said["section"], [f"### {said['section']}", head]).append(row)
    ways = "| setting | what it does | values | default |\n|---|---|---|---|"
    machine = [
        f"| `{name}` | {said['description']} | {_values(said)} | `{said['default']}` |"
        for name, said in schema_of(RunSettings)["properties"].items()
    ]
    sections = [
        SETTINGS + "\n## Presets",
        presets,
        "## What changes pixels",
        *("\n".join([title + "\n", *rows]) for title, *rows in tables.values()),
        "## What only changes how the work is done",
        "\n".join([ways, *machine]),
    ]
    return "\n\n".join(sections) + "\n"


def _values(said: dict[str, Any]) -> str:
    """The range of a setting, from its JSON schema."""
    if "enum" in said:
        return ", ".join(said["enum"])
    if "minimum" in said:
        return f"{said['minimum']:.15g} to {said['maximum']:.15g}"
    return {"string": "text", "boolean": "yes or no"}.get(said.get("type", ""), "number")


def http_routes() -> str:
    """Every route with what it takes, from the server's OpenAPI description."""
    with tempfile.TemporaryDirectory() as folder:
        described = create_api(ServerSettings(folder=Path(folder))).openapi()
    sections: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            sections.setdefault(route["tags"][0], []).append(_route(method.upper(), path, route))
    parts = [f"## {TAGS.get(tag, tag.capitalize())}\n\n" + "\n\n".join(found) for tag, found in sections.items()]
    return HTTP_ROUTES + "\n" + "\n\n".join(parts) + "\n"


def _route(method: str, path: str, route: dict[str, Any]) -> str:
    """A heading, what it does, and a table of what a body holds."""
    text = f"### `{method} {path}`\n\n{route['summary']}."
    for kind, content in (route.get("requestBody") or {}).get("content", {}).items():
        fields = content["schema"].get("properties", {})
        needed = content["schema"].get("required", [])
        rows = [
            f"| `{name}`{'' if name in needed else ' (optional)'} | {_field(name, field)} |"
            for name, field in fields.items()
        ]
        text += f"\n\n`{kind}`:\n\n| part | what |\n|---|---|\n" + "\n".join(rows) if rows else f"\n\n`{kind}`."
    return text


def _field(name: str, field: dict[str, Any]) -> str:
    if "properties" in field:
        return "An object of [settings](settings.md)."
    choices = [str(choice) for choice in field.get("enum", ())]
    return (
        " ".join(
            filter(
                None,
                [field.get("description", "").removeprefix("Optional: "), ", ".join(f"`{c}`" for c in choices)],
            )
        )
        or "text"
    )


def experiments() -> str:
    """The table of the pages in docs/experiments, newest first."""
    rows = []
    for page in sorted((HERE / "experiments").glob("????-??-??-*.md"), reverse=True):
        title, head = experiment(page.read_text())
        date, question, *others = (head[name] for name in HEAD)
        rows.append(f"| {date} | [{title}]({page.name}): {question} | " + " | ".join(others) + " |")
    table = "| date | question | decision | still valid? | in the code |\n|---|---|---|---|---|"
    return EXPERIMENTS + "\n" + "\n".join([table, *rows]) + "\n"


def experiment(text: str) -> tuple[str, dict[str, str]]:
    """The title of an experiment's page and its head: a list of the facts in HEAD, in that order, a line each."""
    lines = text.splitlines()
    head = [re.fullmatch(r"- \*\*(.+?)\*\*: (.+)", line) for line in lines[2 : 2 + len(HEAD)]]
    found = {match[1]: match[2] for match in head if match}
    if not lines[0].startswith("# ") or tuple(found) != HEAD:
        raise ValueError(f"An experiment's page begins with a title and a list of: {', '.join(HEAD)}.")
    return lines[0].removeprefix("# "), found


def with_table(page: str, name: str, head: str, rows: Iterable[str]) -> str:
    """``page`` with the table between its marks ``name`` and ``end`` made anew."""
    before, mark, rest = page.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    return before + mark + "\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows]) + "\n" + end + after


def files() -> str:
    """docs/files.md with the table of formats made anew."""
    rows = []
    for format in FORMATS.values():
        name = f"**{format.name}** {' '.join(format.suffixes)}"
        name += f"; needs `patchloom[{format.extra_name}]`" if format.extra_name else ""
        side = f"{format.largest_side:,}" if format.largest_side < 2**31 - 1 else "any"
        side = side if format.written else "only read"
        rows.append(f"| {name} | {format.samples} | {format.kept} | {format.said} | {side} |")
    head = "| format | samples | what is kept besides | what changes, and is said | largest side |"
    return with_table((HERE / "files.md").read_text(), "formats", head, rows)


def evaluation() -> str:
    """docs/evaluation.md with the tables of holes, methods and metrics made anew."""
    holes = [f"| `{spec}` | {what} |" for spec, what in SPECS.items()]
    holes.append("| a folder | masks with the pictures' names, white where to fill |")
    methods = [
        f"| {', '.join(f'`{name}`' for name in PRESETS)} | patchloom's presets |",
        "| `balanced+content=none+texture=vgg19` | a preset with other settings, as many as you like |",
        "| `fine=balanced+layers=relu1_1` | the same under a name of your choice |",
        *(f"| `{name}` | {peer.about} |" for name, peer in PEERS.items()),
        "| `lama='lama {image} {mask} {out}'` | any program that reads two PNG files and writes one; masks are "
        "white where to fill |",
    ]
    page = with_table((HERE / "evaluation.md").read_text(), "holes", "| `--holes` | what |", holes)
    page = with_table(page, "methods", "| method | what |", methods)
    metrics = [f"| `{name}` | " + what.replace("|", r"\|") + " |" for name, what in METRICS.items()]
    return with_table(page, "metrics", "| name | definition |", metrics)


def server() -> str:
    """docs/server.md with the table of limits made anew."""
    rows = [
        f"| `--{name.replace('_', '-')}` | {said['default']:g} | {said['description']} |"
        for name, said in schema_of(Limits)["properties"].items()
    ]
    return with_table((HERE / "server.md").read_text(), "limits", "| flag | default | what |", rows)


def overrides() -> str:
    """src/patchloom/overrides.py, which type checkers read."""
    parts = [OVERRIDES]
    for kind in (FillSettings, HarmoniseSettings):
        hints = get_type_hints(kind)
        given = [item.name for item in fields(kind) if item.name != "preset"]
        lines = [f"    {name}: {_spelled(hints[name])} | None" for name in given]
        name = kind.__name__.replace("Settings", "Overrides")
        about = f'    """Fields of :class:`~patchloom.settings.{kind.__name__}`; None is not given."""\n'
        parts.append("\n".join([f"class {name}(TypedDict, total=False):", about, *lines]))
    return "\n\n\n".join(parts) + "\n"


def _spelled(hint: Any) -> str:
    """A type as it is written."""
    if get_origin(hint) is Literal:
        return "Literal[" + ", ".join(f'"{word}"' for word in get_args(hint)) + "]"
    return " | ".join(map(_spelled, get_args(hint))) or str(hint.__name__)


PAGES = {
    "../src/patchloom/overrides.py": overrides,
    "files.md": files,
    "evaluation.md": evaluation,
    "server.md": server,
    "command-line.md": command_line,
    "settings.md": settings,
    "http-routes.md": http_routes,
    "experiments/README.md": experiments,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
        sys.stdout.write(f"wrote {HERE / name}\n")
