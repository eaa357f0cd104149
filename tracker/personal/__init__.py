"""A person's learners: what they see of a moment, how they are kept, and what they start from."""

from tracker.learning.kinds import EMOTION
from tracker.personal.cleaning import clean
from tracker.personal.contexts import context_at, without_context
from tracker.personal.drifting import drifted
from tracker.personal.learners import (
    Personal,
    Replay,
    as_of,
    consent_changed,
    current,
    live,
    load,
    rebase,
    renew,
    renew_all,
    replay,
    teach,
)
from tracker.personal.moments import forget_contexts, forget_past, look
from tracker.personal.pooling import digest, refit
from tracker.personal.sources import Source

__all__ = [
    "EMOTION",
    "Personal",
    "Replay",
    "Source",
    "as_of",
    "clean",
    "consent_changed",
    "context_at",
    "current",
    "digest",
    "drifted",
    "forget_contexts",
    "forget_past",
    "live",
    "load",
    "look",
    "rebase",
    "refit",
    "renew",
    "renew_all",
    "replay",
    "teach",
    "without_context",
]
