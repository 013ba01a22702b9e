"""`pop-stream completion`: what a shell needs to complete our commands, flags and files."""

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from pop_stream.cli.main import COMPLETE, PROGRAM, cli

_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def completion(*, shell: str) -> None:
    r"""Print the script that completes commands, flags and files with the Tab key.

    Put it once where the shell looks for such scripts, as below; the next shell has it. (zsh looks
    in the folders of $fpath, and needs compinit.) The last line is for this shell only. Kafka is
    not asked anything.

    \b
    Example:
      pop-stream completion bash \
        > ~/.local/share/bash-completion/completions/pop-stream
      pop-stream completion zsh > "${fpath[1]}/_pop-stream"
      pop-stream completion fish > ~/.config/fish/completions/pop-stream.fish
      eval "$(pop-stream completion bash)"
    """
    click.echo(_SHELLS[shell](cli, {}, PROGRAM, COMPLETE).source())
