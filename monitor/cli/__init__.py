"""The command line: one file a command, each thin; data on stdout, everything else on stderr.

Rule: a command's module is imported only when the command runs, so `monitor --help` stays fast.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor import __version__
from monitor.cli.options import config_option
from monitor.cli.output import complain
from monitor.errors import MonitorError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

EXIT_INTERRUPTED = 130

COMMANDS = {
    "demo": ("demo", "Watch a live blog change: a real daemon, server and alerts, no set-up."),
    "run": ("run", "Run the daemon; --once polls every source once and exits."),
    "check": ("check", "Check the settings, run every rule's tests, reach sources and receivers."),
    "init": ("init", "Write a commented settings file to start from."),
    "parse": ("parse", "Print the entries of a page, feed or file."),
    "replay": ("replay", "Show what a series of saved pages would have announced."),
    "explain": ("explain", "Say why a rule does or does not match a text."),
    "backtest": ("backtest", "Show what a rule would have fired on in the stored history."),
    "tail": ("tail", "Follow the deltas as a subscriber, gap-free."),
    "status": ("status", "Show each source's state, the outbox and dead letters."),
    "top": ("top", "Show the same live, with activity."),
    "history": ("history", "Show an entry's revisions and the words that changed."),
    "alerts": ("alerts", "List, retry and drop deliveries; silence rules."),
    "republish": ("republish", "Send stored deltas to the stream again."),
    "backup": ("backup", "Copy the store while the daemon runs."),
    "restore": ("restore", "Put a backup in place of the store."),
    "reload": ("reload", "Ask the running daemon to read its settings again."),
    "schema": ("schema", "Print the settings' JSON Schema."),
}


class LazyCommands(click.Group):
    """A group that knows its commands' names and one-liners without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"monitor.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is meant, or say which one may have been."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], COMMANDS, 1)
            guess = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{args[0]}'.{guess}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete from the table alone: a key pressed in a shell must not import every command."""
        from click.shell_completion import CompletionItem

        named = [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with `monitor demo`, then `monitor init` and `monitor run`.",
)
@click.version_option(__version__, prog_name="monitor")
@config_option("The settings file, for the command that follows.")
def cli(config: Path | None) -> None:
    """Poll live blogs, publish each change as a delta to Redis, alert on the words you care about."""


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error of ours ends here, in one line on stderr."""
    try:
        outcome = cli.main(args=list(arguments), prog_name="monitor", standalone_mode=False)
    except click.exceptions.Abort:
        return EXIT_INTERRUPTED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except MonitorError as error:
        complain(str(error))
        return error.exit_code
    return outcome if isinstance(outcome, int) else 0
