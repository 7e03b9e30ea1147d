"""``patchloom serve``: the page and the HTTP API."""

import dataclasses
import secrets
import typing
from pathlib import Path

import click

from patchloom.cli.options import SectionedCommand, console_options, declared, run_options
from patchloom.console import Console
from patchloom.server.limits import Limits
from patchloom.settings import PRESETS, Preset, RunSettings

if typing.TYPE_CHECKING:
    from patchloom.server.operations import AccessLog

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@click.command(cls=SectionedCommand)
@click.option(
    "--host", default="localhost", help="Address to listen on; others than loopback need a token.  [localhost]"
)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="Port; 0 takes a free one.  [8080]")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--token", envvar="PATCHLOOM_TOKEN", default="", help="Let in only who knows this; also $PATCHLOOM_TOKEN."
)
@click.option("--allowed-host", "allowed_hosts", multiple=True, help="Another name this server is reached by.")
@click.option(
    "--allowed-origin",
    "allowed_origins",
    multiple=True,
    help="Another site whose pages may call, such as https://photos.example.",
)
@click.option(
    "--trusted-proxy", "trusted_proxies", multiple=True, help="Address of a proxy whose headers are believed."
)
@click.option("--root-path", default="", help="Sub-path behind a proxy, such as /tools/patchloom.")
@click.option(
    "--access-log",
    type=click.Choice(["off", "text", "json"]),
    default="off",
    help="A line for every request on standard error, with its id and the job's.  [off]",
)
@click.option(
    "--iopaint-preset",
    type=click.Choice(list(PRESETS)),
    default="balanced",
    help="The preset for clients of IOPaint's API, who cannot choose.  [balanced]",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where jobs' files lie for a while; in a folder that you give, jobs outlive the server.  [temporary]",
)
@declared(Limits, "limits")
@run_options
@console_options
def command(
    host: str,
    port: int,
    open_page: bool,
    token: str,
    allowed_hosts: tuple[str, ...],
    allowed_origins: tuple[str, ...],
    trusted_proxies: tuple[str, ...],
    root_path: str,
    access_log: "AccessLog",
    iopaint_preset: Preset,
    folder: Path | None,
    run: RunSettings,
    console: Console,
    limits: Limits,
) -> None:
    """Open a page to paint on, and an API to call.

    Everything stays on this machine. Without --host only this machine can reach the page; with another --host
    (0.0.0.0: every address) a token is asked for, made up here unless you give one.

    \b
    Examples:
      patchloom serve --open
      patchloom serve --host 0.0.0.0 --token "$(openssl rand -hex 16)"
      patchloom serve --root-path /tools/patchloom --allowed-host photos.example.org
    """
    import logging
    import signal
    import sys
    import webbrowser

    from patchloom.server import listener
    from patchloom.server.app import ServerSettings, create_app
    from patchloom.server.security import Access

    logging.basicConfig(
        format="%(message)s" if access_log == "json" else "%(asctime)s %(message)s",
        level=logging.INFO if console.verbose else logging.WARNING,
    )
    logging.getLogger("patchloom.access").setLevel(logging.INFO)
    outside = host not in LOOPBACK
    token = token or (secrets.token_urlsafe(24) if outside else "")
    access = Access(
        token=token,
        allowed_hosts=allowed_hosts,
        allowed_origins=tuple(origin.rstrip("/") for origin in allowed_origins),
        trusted_proxies=trusted_proxies,
        any_address=outside,
        root_path=root_path,
    )
    if run.device not in ("auto", "cpu"):
        from patchloom.tensors.border import device_named

        device_named(run.device)  # now, rather than in every job
    if run.time_limit:
        limits = dataclasses.replace(limits, job_seconds=min(limits.job_seconds, run.time_limit))
    settings = ServerSettings(
        limits=limits,
        access=access,
        run=run,
        folder=folder,
        access_log="text" if console.verbose and access_log == "off" else access_log,
        iopaint_preset=iopaint_preset,
    )
    sockets = listener.open_sockets(host, port)
    address = page_address(host, sockets[0].getsockname()[1], root_path, token)

    def started() -> None:
        console.say(f"patchloom is at {address}")
        if outside and not console.json:
            console.say(f"On a phone in the same network, scan this with its camera:\n{qr_code(address)}")
        console.say("Press Ctrl-C to stop.")
        if open_page:
            webbrowser.open(address)

    # uvicorn ends its work at SIGTERM and then raises it again: that must end the program as any end does, or the
    # worker's locks are left to the system.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        listener.server(create_app(settings), patience=settings.limits.patience_seconds, on_started=started).run(
            sockets
        )
    except KeyboardInterrupt:
        console.say("Stopped.")


def page_address(host: str, port: int, root_path: str, token: str) -> str:
    """What to type into a browser; with the token, which the page turns into a cookie. Of a server on every
    address it is one that other machines reach, since few know its name."""
    name = own_address() if host in ("0.0.0.0", "::", "") else host
    shown = f"[{name}]" if ":" in name else name
    return f"http://{shown}:{port}{root_path.rstrip('/')}/" + (f"?token={token}" if token else "")


def own_address() -> str:
    """An IPv4 address of this machine in its network: a private one before others, else its name."""
    import ipaddress
    import socket

    import psutil

    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = [
        ipaddress.IPv4Address(each.address)
        for name, addresses in psutil.net_if_addrs().items()
        for each in addresses
        if name in up and each.family == socket.AF_INET
    ]
    usable = [each for each in found if not each.is_loopback and not each.is_link_local]
    usual = sorted(usable, key=lambda each: (not each.is_private, each in ipaddress.IPv4Network("172.16.0.0/12")))
    return str(usual[0]) if usual else socket.gethostname()


def qr_code(text: str) -> str:
    """The text for a phone's camera, in half blocks."""
    import io

    import segno

    lines = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(lines, compact=True)
    return lines.getvalue()
