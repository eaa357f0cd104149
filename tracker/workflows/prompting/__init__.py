"""Prompts by schedule: put, recalled, opened, answered or not; what a participant sees of them, and where they are.

`tick` does what is due for one person, and is called every minute by whichever process gets there first; the pages of a
participant read `live`, `upcoming` and `history`, and call `start`, `complete` and `dismiss`. That a prompt has expired
is true without any of them: it follows from its times.
"""

from tracker.personal.answered import NoPromptError, PromptOverError, complete, demand_answerable
from tracker.workflows.prompting.answering import dismiss, start
from tracker.workflows.prompting.complying import Asked, complied, complied_each, told_from
from tracker.workflows.prompting.delivering import deliver
from tracker.workflows.prompting.devices import (
    PUBLIC,
    Device,
    NoPushError,
    TooManyDevicesError,
    application_key,
    devices_of,
    follow,
    forget_unused,
    possible,
    switch_off,
    switch_off_at,
    switch_on,
)
from tracker.workflows.prompting.moving import Moved, move, zones
from tracker.workflows.prompting.posting import Poster
from tracker.workflows.prompting.pushing import Pushed, push
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
    "PUBLIC",
    "Ahead",
    "Asked",
    "Device",
    "Live",
    "Moved",
    "NoPromptError",
    "NoPushError",
    "Past",
    "Poster",
    "PromptOverError",
    "Pushed",
    "Ticked",
    "TooManyDevicesError",
    "application_key",
    "complete",
    "compliance",
    "complied",
    "complied_each",
    "deliver",
    "demand_answerable",
    "demand_for_staff",
    "devices_of",
    "dismiss",
    "follow",
    "forget_unused",
    "history",
    "history_for_staff",
    "live",
    "month",
    "move",
    "possible",
    "push",
    "start",
    "switch_off",
    "switch_off_at",
    "switch_on",
    "tick",
    "told_from",
    "upcoming",
    "zones",
]
