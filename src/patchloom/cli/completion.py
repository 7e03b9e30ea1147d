"""``patchloom completion``: the script that lets a shell complete commands and options."""

import sys

import click
from click.shell_completion import get_completion_class

_WHERE = {
    "bash": 'eval "$(patchloom completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(patchloom completion zsh)"   in ~/.zshrc',
    "fish": "patchloom completion fish > ~/.config/fish/completions/patchloom.fish",
}


@click.command(epilog="\b\nTo have it always:\n" + "\n".join(f"  {line}" for line in _WHERE.values()))
@click.argument("shell", type=click.Choice(list(_WHERE)))
def command(shell: str) -> None:
    """Print the completion script for SHELL."""
    from patchloom.cli import main

    completion = get_completion_class(shell)
    assert completion is not None  # click knows the three
    script = completion(main, {}, "patchloom", "_PATCHLOOM_COMPLETE")
    # Not script.source(): for bash that starts bash to ask its version, which may be absent where this runs.
    sys.stdout.write(script.source_template % script.source_vars())
