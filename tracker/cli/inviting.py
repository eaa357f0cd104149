"""``invite`` and ``members``: let people in by a link, and see who of the staff may do what."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import typer

from tracker.access import Access
from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, err, print_json
from tracker.cli.people import note_code
from tracker.domain.members import Member, MemberError, Role, UnknownMemberError
from tracker.domain.people import Person, UnknownParticipantError
from tracker.workflows import accounts, enrolment, studies
from tracker.workflows import members as staff

MADE_A_LINK = "made a link that logs in"

members = typer.Typer(no_args_is_help=True, help="Raters, researchers and operators.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="How they log in.")]
Roles = Annotated[list[Role], typer.Option("--role", help="What they are to the study; may be repeated.")]
InStudy = Annotated[str | None, typer.Option("--study", help="Id of the study; default: the one in force.")]


def invite(
    context: typer.Context,
    name: Name,
    role: Roles,
    zone: Annotated[
        str | None, typer.Option(help="Of a participant who is not enrolled yet: their IANA time zone.")
    ] = None,
    study: InStudy = None,
    address: Annotated[
        str, typer.Option(help="Where the web app is reached, e.g. https://study.example.org")
    ] = "http://127.0.0.1:8000",
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget their passkeys, app and recovery codes: they lost them.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a link that lets somebody in once, within seven days; no e-mail is needed."""
    access = opened(settings_of(context))
    whom = _whom(access, name, frozenset(role), zone, study)
    if isinstance(whom, Person):
        note_code(access, whom, MADE_A_LINK)
    if reset:
        accounts.reset_factors(access, whom, now())
    link = f"{address.rstrip('/')}/invited/{accounts.invite(access, whom, now())}"
    if as_json:
        print_json({"name": name, "roles": sorted(role), "link": link})
        return
    typer.echo(link)
    days = accounts.INVITATION_HOLDS.days
    err().print(
        f"Give this link to {name} alone; it is shown only now, works once and for {days} days.",
        highlight=False,
    )


@members.command("list")
def listed(context: typer.Context, as_json: AsJson = False) -> None:
    """List the members, with their roles by study."""
    found = staff.everyone(opened(settings_of(context)))
    if as_json:
        print_json([{"name": m.name, "roles": {s: sorted(r) for s, r in m.roles.items()}} for m in found])
        return
    for member in found:
        held = "; ".join(f"{study}: {', '.join(sorted(roles))}" for study, roles in member.roles.items())
        typer.echo(f"{member.name}  {held or 'no role'}")
    if not found:
        err().print("no members yet: affect-tracker invite NAME --role rater", highlight=False)


@members.command()
def revoke(context: typer.Context, name: Name, role: Roles, study: InStudy = None) -> None:
    """Take roles from a member, at once."""
    access = opened(settings_of(context))
    member = staff.find(access, name)
    where = _study(access, study, member.roles)  # a role can be taken wherever they have one
    for one in role:
        member = staff.revoke_role(access, member, one, where, now())
    typer.echo(f"{name}: {', '.join(sorted(member.in_study(where))) or 'no role'} in {where}")


@members.command()
def remove(context: typer.Context, name: Name) -> None:
    """Erase a member: their key is destroyed, every row of theirs deleted, their sessions end."""
    access = opened(settings_of(context))
    gone = staff.remove(access, staff.find(access, name), now())
    typer.echo(f"{name} is removed: {sum(gone.values())} rows")


def _study(access: Access, named: str | None, more: Collection[str] = ()) -> str:
    """The id of the study that is meant: of one that is in force here, or was, or of some more."""
    stands = studies.in_force(access).id
    known = {stands, *more, *(applied.study.id for applied in studies.history(access))}
    if named is not None and named not in known:
        raise MemberError(f"there is no study {named!r} here; known: {', '.join(sorted(known))}")
    return named or stands


def _whom(
    access: Access, name: str, roles: frozenset[Role], zone: str | None, study: str | None
) -> Person | Member:
    where = _study(access, study)
    if Role.PARTICIPANT in roles:
        if roles != {Role.PARTICIPANT}:
            raise MemberError("whoever takes part has no other role under the same name; invite them twice")
        return _participant(access, name, zone)
    try:
        member = staff.find(access, name)
    except UnknownMemberError:
        return staff.add(access, name, roles, where, now())
    for role in sorted(roles):
        member = staff.grant_role(access, member, role, where, now())
    return member


def _participant(access: Access, name: str, zone: str | None) -> Person:
    try:
        return access.person(name)
    except UnknownParticipantError:
        if zone is None and studies.in_force(access).zone is None:
            remedy = (
                f"to enrol them say where they live: invite {name!r} --role participant --zone Europe/Berlin"
            )
            raise UnknownParticipantError(name, remedy) from None
        return enrolment.enrol(access, name, zone, now()).person
