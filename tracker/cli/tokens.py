"""``tokens``: what programs ask with in a person's name; made, listed and revoked for whoever cannot log in for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tracker.access import Access, credentials
from tracker.access.credentials import Whom
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.people import note_code
from tracker.domain.members import Member, Role
from tracker.domain.people import Person, UnknownParticipantError
from tracker.domain.tokens import LONGEST, THEIR_OWN, USUAL, Purpose, Token, TokenError
from tracker.workflows import studies
from tracker.workflows import tokens as workflow

MADE_A_TOKEN = "made a token that asks in their name"

app = typer.Typer(no_args_is_help=True, help="Tokens with which programs ask in somebody's name.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="A participant, or a member of the staff.")]


@app.command()
def new(
    context: typer.Context,
    name: Name,
    purpose: Annotated[list[Purpose], typer.Option("--for", help="What it is for; may be repeated.")],
    called: Annotated[str, typer.Option("--called", help="What they know it by.")] = "made by an operator",
    days: Annotated[
        int, typer.Option(min=1, max=LONGEST.days, help="For how many days it works.")
    ] = USUAL.days,
    as_json: AsJson = False,
) -> None:
    """Make a token for somebody and print it, once; it may never do more than they may themselves."""
    if own := THEIR_OWN.intersection(purpose):
        raise TokenError(
            f"a token for {', '.join(sorted(own))} allows things as its person's own word; they make it themselves, on "
            "the page Account"
        )
    access = opened(settings_of(context))
    whom, study = _whom(access, name), studies.in_force(access).id
    roles = whom.in_study(study) if isinstance(whom, Member) else frozenset({Role.PARTICIPANT})
    made = workflow.make(access, whom, roles, called, purpose, study, now(), lasts=timedelta(days=days))
    if isinstance(whom, Person):
        # Before it is shown: where the person sees who looked, they see that somebody holds a token of theirs.
        note_code(access, whom, MADE_A_TOKEN)
    if as_json:
        print_json({"token": made.text, **_told(made.token)})
        return
    typer.echo(made.text)
    err().print(
        f"Give this to {name} alone, or to their program; it is shown only now and works for {days} days.",
        highlight=False,
    )


@app.command("list")
def listed(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """List somebody's tokens that work: what for, until when, and when they were last used; never the tokens."""
    access = opened(settings_of(context))
    found = workflow.mine(access, _whom(access, name), now())
    if as_json:
        print_json([_told(token) for token in found])
        return
    for token in found:
        used = f"last used on {token.used_on}" if token.used_on is not None else "never used"
        purposes = ", ".join(sorted(token.purposes))
        typer.echo(f"{token.id}  {token.name}  for {purposes}  until {token.expires_at:%Y-%m-%d}  {used}")
    if not found:
        err().print(f"{name} has no token that works", highlight=False)


@app.command()
def revoke(
    context: typer.Context,
    name: Name,
    token: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` prints it.")],
) -> None:
    """End a token at once."""
    access = opened(settings_of(context))
    if not workflow.revoke(access, _whom(access, name), token, now()):
        raise TokenError(f"{name} has no token {token!r}; look: affect-tracker tokens list {name}")
    typer.echo("revoked")


def _whom(access: Access, name: str) -> Whom:
    found = credentials.find(access, name)
    if found is None:
        remedy = "check the spelling (capital letters count)"
        raise UnknownParticipantError(name, remedy)
    return found


def _told(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "study": token.study,
        "purposes": sorted(token.purposes),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "used_on": token.used_on.isoformat() if token.used_on is not None else None,
    }
