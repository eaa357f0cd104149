"""The reference of the command line says what the command line does: no more, no less."""

import re
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption

from tracker import cli
from tracker.cli.exits import Exit

REFERENCE = Path(__file__).parents[1] / "docs" / "cli.md"


def commands(command: object, path: tuple[str, ...] = ()) -> dict[str, TyperCommand]:
    """Every command that does something, by the words a person types after ``affect-tracker``."""
    if isinstance(command, TyperCommand):
        return {} if command.hidden else {" ".join(path): command}
    assert isinstance(command, TyperGroup)
    found: dict[str, TyperCommand] = {}
    for name, below in command.commands.items():
        found |= commands(below, (*path, name))
    return found


@pytest.fixture(scope="module")
def typed() -> dict[str, TyperCommand]:
    return commands(typer.main.get_command(cli.app))


@pytest.fixture(scope="module")
def reference() -> str:
    return REFERENCE.read_text("utf-8")


def documented_commands(text: str) -> set[str]:
    """Each command has a heading of its own in the reference, such as ``### `consent grant` ``."""
    return set(re.findall(r"^#+ `(?:affect-tracker )?([a-z][a-z -]*?)`", text, flags=re.MULTILINE))


def test_every_command_has_its_heading_in_the_reference_and_no_other_has(
    typed: dict[str, TyperCommand], reference: str
) -> None:
    assert documented_commands(reference) == set(typed)


def test_every_option_of_every_command_is_in_the_reference(
    typed: dict[str, TyperCommand], reference: str
) -> None:
    missing = [
        f"{name} {option}"
        for name, command in typed.items()
        for parameter in command.params
        if isinstance(parameter, TyperOption) and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--") and option != "--help" and f"`{option}" not in reference
    ]
    assert missing == []


def test_every_exit_code_is_documented(reference: str) -> None:
    documented = {int(code) for code in re.findall(r"^\| `?(\d+)`? \|", reference, flags=re.MULTILINE)}
    assert documented == {int(code) for code in Exit}
