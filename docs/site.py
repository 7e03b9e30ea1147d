"""What mkdocs needs beyond its settings: files outside docs/ that pages link to, and roles in docstrings as code.

A link from a page to a file of the repository (``../examples/one_call.py``) works on any forge that shows the
repository. In the site such files are served from repo/: Markdown as pages, the rest as it is.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?\)")
SHIM = re.compile(r"https://unpkg\.com/iframe-worker/shim")
ROLE = re.compile(r":(?:class|func|meth|mod|attr):(?=<code>)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what pages link to, and what those files link to in turn."""
    todo = [f"docs/{file.src_uri}" for file in files if file.src_uri.endswith(".md")]
    seen = set(todo)
    while todo:
        for target in _linked(todo.pop()):
            if target in seen or target.startswith("docs/") or not (ROOT / target).is_file():
                continue
            seen.add(target)
            files.append(File.generated(config, f"repo/{target}", content=(ROOT / target).read_bytes()))
            if target.endswith(".md"):
                todo.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links of the repository become links of the site."""
    source = _in_repository(page.file.src_uri)
    folder = posixpath.dirname(page.file.src_uri)

    def moved(match: re.Match[str]) -> str:
        target = _resolved(match[2], source)
        if target is None:
            return match[0]
        place = target.removeprefix("docs/") if target.startswith("docs/") else f"repo/{target}"
        return f"{match[1]}{posixpath.relpath(place, folder or '.')}{match[3] or ''})"

    return LINK.sub(moved, markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return ROLE.sub("", html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """The script that lets the search work without a server comes with the site, not from another one."""
    here = posixpath.relpath("assets/iframe-worker.js", posixpath.dirname(page.file.dest_uri) or ".")
    return SHIM.sub(here, output)


def on_post_template(output: str, template_name: str, config: MkDocsConfig) -> str:
    return SHIM.sub("assets/iframe-worker.js", output)  # of 404.html


def _in_repository(uri: str) -> str:
    return uri.removeprefix("repo/") if uri.startswith("repo/") else f"docs/{uri}"


def _linked(source: str) -> list[str]:
    text = re.sub(r"```.*?```", "", (ROOT / source).read_text(), flags=re.DOTALL)
    return [target for match in LINK.finditer(text) if (target := _resolved(match[2], source)) is not None]


def _resolved(link: str, source: str) -> str | None:
    """The linked file, from the repository's root; None for an address or a file that is not there."""
    if re.match(r"[a-z]+:|/", link):
        return None
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    return target if (ROOT / target).is_file() else None
