"""Where a study runs, and where none may: the refused list of the design, after EU AI Act Art. 5(1)(f)."""

from __future__ import annotations

from enum import StrEnum


class Deployment(StrEnum):
    """In what surroundings, and to what end, the software is put to use.

    This is about the study as a whole. The place category of a context ("work", "home") says where one person
    was at one moment, and has nothing to do with it.
    """

    PRIVATE = "private"
    RESEARCH_HOME = "research_home"
    RESEARCH_LABORATORY = "research_laboratory"
    CLINICAL = "clinical"
    PUBLIC_SPACE = "public_space"
    WORKPLACE = "workplace"
    EDUCATION = "education"
    SURVEILLANCE = "surveillance"
    MARKETING = "marketing"
    INSURANCE = "insurance"
    HIRING = "hiring"
    POLICING = "policing"
    BORDER_CONTROL = "border_control"


ATTESTED = frozenset({Deployment.WORKPLACE, Deployment.EDUCATION})
"""Forbidden, but for medical or safety reasons that somebody answers for."""

REFUSED = frozenset(
    {
        Deployment.SURVEILLANCE,
        Deployment.MARKETING,
        Deployment.INSURANCE,
        Deployment.HIRING,
        Deployment.POLICING,
        Deployment.BORDER_CONTROL,
    }
)
"""Forbidden, whatever anybody attests."""
