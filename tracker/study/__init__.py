"""The study file: what a study is, checked before anything rests on it."""

from tracker.study.deployment import Deployment
from tracker.study.errors import (
    ForbiddenStudyError,
    NetworkNotNamedError,
    ScopeNotAskedError,
    StudyClosedError,
    StudyError,
)
from tracker.study.keeping import horizons, kept_days, readable_from, taken_from
from tracker.study.reading import from_document, load, load_as, parse
from tracker.study.texts import notice_hashes, notice_text, notice_texts, question_text
from tracker.study.whole import DEFAULT, Study

__all__ = [
    "DEFAULT",
    "Deployment",
    "ForbiddenStudyError",
    "NetworkNotNamedError",
    "ScopeNotAskedError",
    "Study",
    "StudyClosedError",
    "StudyError",
    "from_document",
    "horizons",
    "kept_days",
    "load",
    "load_as",
    "notice_hashes",
    "notice_text",
    "notice_texts",
    "parse",
    "question_text",
    "readable_from",
    "taken_from",
]
