"""What people say: corrections, contexts and answers, and what their learners make of them."""

from tracker.workflows.feedback.answering import Answered, Offers, answer, offers
from tracker.workflows.feedback.contexts import LONGEST_WORD, ContextError, add_context
from tracker.workflows.feedback.correcting import NEAR, correct, demand_correcting
from tracker.workflows.feedback.outcome import Corrected, PromptError

__all__ = [
    "LONGEST_WORD",
    "NEAR",
    "Answered",
    "ContextError",
    "Corrected",
    "Offers",
    "PromptError",
    "add_context",
    "answer",
    "correct",
    "demand_correcting",
    "offers",
]
