"""Prompts by schedule: put, recalled, opened, answered or not; what a participant sees of them, and where they are.

`tick` does what is due for one person, and is called every minute by whichever process gets there first; the pages of a
participant read `live`, `upcoming` and `history`, and call `start`, `complete` and `dismiss`. That a prompt has expired
is true without any of them: it follows from its times.
"""

from tracker.personal.answered import NoPromptError, PromptOverError, complete, demand_answerable
from tracker.workflows.prompting.answering import dismiss, start
from tracker.workflows.prompting.complying import Asked, complied, complied_each, told_from
from tracker.workflows.prompting.moving import Moved, move, zones
from tracker.workflows.prompting.shown import (
    Ahead,
    Live,
    Past,
    compliance,
    demand_for_staff,
    history,
    history_for_staff,
    live,
    upcoming,
)
from tracker.workflows.prompting.simulating import month
from tracker.workflows.prompting.ticking import Ticked, tick

__all__ = [
    "Ahead",
    "Asked",
    "Live",
    "Moved",
    "NoPromptError",
    "Past",
    "PromptOverError",
    "Ticked",
    "complete",
    "compliance",
    "complied",
    "complied_each",
    "demand_answerable",
    "demand_for_staff",
    "dismiss",
    "history",
    "history_for_staff",
    "live",
    "month",
    "move",
    "start",
    "tick",
    "told_from",
    "upcoming",
    "zones",
]
