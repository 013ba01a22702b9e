"""Groups that name what was meant when a command is not there, and flags that stand elsewhere."""

import difflib
from collections.abc import Iterator

import click

from pop_stream.cli.help_page import HelpContext


class NearGroup(click.Group):
    """A group that names the nearest command for an unknown one, also where it is of a group."""

    context_class = HelpContext

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is an error that says what may be meant."""
        name = args[0]
        slip = not name.startswith("-") and self.get_command(ctx, name) is None
        # While a line is completed, nobody wants to be told.
        if slip and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{name}'.{self._hint(ctx, name)}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the flags of the group; one that it has not is told where flags stand."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not error.possibilities:
                error.message += f" of {ctx.command_path}; flags stand behind the command"
            raise

    def _hint(self, ctx: click.Context, name: str) -> str:
        if any(f"--{name}" in each.opts for each in self.get_params(ctx)):
            return f" Did you mean '--{name}'?"
        known = dict(self._reachable(ctx))
        near = difflib.get_close_matches(name.lower(), known, n=1)
        return f" Did you mean '{known[near[0]]}'?" if near else ""

    def _reachable(self, ctx: click.Context) -> Iterator[tuple[str, str]]:
        """Every command by its name, with what is typed for it; our own last, so that they win."""
        own = self.list_commands(ctx)
        for name in own:
            command = self.get_command(ctx, name)
            if isinstance(command, click.Group):
                for inner in command.list_commands(ctx):
                    yield inner, f"{name} {inner}"
        yield from zip(own, own, strict=True)
