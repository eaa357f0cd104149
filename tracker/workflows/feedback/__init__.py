"""What people say: corrections, contexts and answers, and what their learners make of them."""

from tracker.workflows.feedback.contexts import LONGEST_WORD, ContextError, add_context
from tracker.workflows.feedback.correcting import NEAR, correct, demand_correcting
from tracker.workflows.feedback.outcome import Corrected, PromptError

__all__ = [
    "LONGEST_WORD",
    "NEAR",
    "ContextError",
    "Corrected",
    "PromptError",
    "add_context",
    "correct",
    "demand_correcting",
]
