"""``affect-tracker``: the command line. Commands parse, call one workflow, and print."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer
from typer._click.exceptions import ClickException

from tracker.cli import commands, installation
from tracker.cli.exits import Exit, exit_of

app = typer.Typer(
    name="affect-tracker",
    help="Longitudinal affect tracking with human feedback, under consent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
commands.register(app)


@app.callback()
def _global(
    context: typer.Context,
    db: Annotated[
        str | None,
        typer.Option(
            "--db",
            metavar="URL",
            help="Database; may stand after the command too. "
            "Else AFFECT_DATABASE_URL, else a SQLite file in the user's data folder.",
        ),
    ] = None,
) -> None:
    context.obj = {"db": db}


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Errors that users can cause are one line on stderr."""
    command = typer.main.get_command(app)
    try:
        code = command.main(_hoist_db(arguments), prog_name="affect-tracker", standalone_mode=False)
    except typer.Exit as ended:
        return ended.exit_code
    except ClickException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()
            return Exit.USAGE
        message = error.format_message().replace("Value error, ", "")
        typer.echo(f"affect-tracker: {message} (see --help)", err=True)
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted; what was stored is whole, run the same command to go on", err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return _unread()
    except SystemExit as ended:
        # The parser makes this of a pipe that was closed, though it was told to leave the process alone.
        if isinstance(ended.__context__, OSError) and ended.__context__.errno == errno.EPIPE:
            return _unread()
        raise
    except Exception as error:
        known = exit_of(error)
        if known is None:
            raise
        typer.echo(f"affect-tracker: {error}", err=True)
        return known
    finally:
        installation.close_all()
    return code if isinstance(code, int) else Exit.OK


def _unread() -> Exit:
    """The reader, such as ``head``, has seen enough and went away: what is still to be printed goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):
        os.dup2(nowhere, 1)
    os.close(nowhere)
    return Exit.OK


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def _hoist_db(arguments: Sequence[str]) -> list[str]:
    """Let ``--db URL`` stand anywhere: move it to the front, where the parser expects it."""
    hoisted: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == "--db":
            hoisted += [word, *([value] if (value := next(words, None)) is not None else [])]
        elif word.startswith("--db="):
            hoisted.append(word)
        else:
            rest.append(word)
    return hoisted + rest
