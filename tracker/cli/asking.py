"""``ask``: whether to put a question to a participant now, and why."""

from __future__ import annotations

import random
from typing import Annotated

import typer

from tracker.cli.installation import now, opened, settings_of
from tracker.cli.output import AsJson, print_json
from tracker.cli.people import Participant
from tracker.cli.reader import reader
from tracker.learning.asking import AskingPolicy
from tracker.workflows import prompts


def ask(
    context: typer.Context,
    participant: Participant,
    per_day: Annotated[int, typer.Option(min=0, help="Questions a day at most.")] = AskingPolicy().per_day,
    as_json: AsJson = False,
) -> None:
    """Decide by the asking policy whether to ask a participant now, and keep the question with its reason."""
    access = opened(settings_of(context))
    # The clock and chance stop here: below, both are arguments.
    chance = random.SystemRandom().random()
    person = access.person(participant)
    at = now()
    prompts.demand_asking(access, person, at)  # what is refused shows nothing, so nobody looked
    # The reasons tell what the program makes of the person at this moment.
    access.record_look(person.id, at, reader=reader().told, what="whether to ask you now, and why")
    asked = prompts.ask_now(access, person, at, chance, policy=AskingPolicy(per_day=per_day))
    decision = asked.decision
    if as_json:
        print_json(
            {
                "action": decision.action.name.lower(),
                "because": decision.because.value,
                "random": decision.audit,
                "words": decision.words,
                "prompt": asked.prompt,
            }
        )
        return
    typer.echo(decision.words)
    if asked.prompt is not None:
        typer.echo(f"question {asked.prompt} is put; answer it with correct … --prompt {asked.prompt}")
