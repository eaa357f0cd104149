"""How much a correction counts when a learner learns from it: by who said it, and how."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import StrEnum

MAX_WEIGHT = 1.0
"""Nothing outweighs the participants' own word about themselves."""


class RaterKind(StrEnum):
    """Who corrects."""

    PARTICIPANT = "participant"
    EXPERT = "expert"
    CROWD = "crowd"


def kind_of_rater(rater: str) -> RaterKind:
    """Who a rater is, by the id that their corrections carry.

    Examples
    --------
    >>> kind_of_rater("participant").value, kind_of_rater("expert-2").value, kind_of_rater("r17").value
    ('participant', 'expert', 'crowd')
    """
    if rater == RaterKind.PARTICIPANT.value:
        return RaterKind.PARTICIPANT
    return RaterKind.EXPERT if rater.startswith(RaterKind.EXPERT.value) else RaterKind.CROWD


# The order is the design's (a participant's word outranks a rater's); the values are judgement, to be
# replaced by measured reliability once raters have overlapping labels.
_BY_RATER: dict[RaterKind, float] = {
    RaterKind.PARTICIPANT: MAX_WEIGHT,
    RaterKind.EXPERT: 0.7,
    RaterKind.CROWD: 0.3,
}

_ACCEPTED = 0.3


_TOGETHER = 0.7
"""What the words of raters together weigh at most: as much as a trained expert's."""


def together_weight(reliabilities: Iterable[float]) -> float:
    """Weigh what several raters say together: the more, and the more reliable, the more; never as much as one's own.

    Parameters
    ----------
    reliabilities
        Of each rater, from chance to 1 (`tracker.learning.agreement_skills.reliability`).

    Examples
    --------
    >>> round(together_weight([0.8]), 2), round(together_weight([0.8, 0.8, 0.8]), 2)
    (0.56, 0.69)
    >>> round(together_weight([0.125]), 4)
    0.0875
    """
    # As if each were right by themselves: it falls with every rater who might have noticed an error.
    return _TOGETHER * (1 - math.prod(1 - r for r in reliabilities))


def correction_weight(rater: RaterKind, *, accepted: bool = False) -> float:
    """Weigh one correction, in (0, 1].

    Parameters
    ----------
    rater
        The participants themselves, a trained expert, or a single crowd annotator. FER+ needed ten
        crowd votes a face for a stable label (Barsoum et al. 2016), hence the low weight of one.
    accepted
        True for one click on "that's right" under a shown estimate. Agreeing with what is shown is
        easier than saying it unprompted (anchoring, Tversky & Kahneman 1974), so it counts less, and
        a learner that fed on its own accepted answers would only grow surer.

    Examples
    --------
    >>> correction_weight(RaterKind.PARTICIPANT)
    1.0
    >>> correction_weight(RaterKind.PARTICIPANT, accepted=True) < 1.0
    True
    """
    return _BY_RATER[rater] * (_ACCEPTED if accepted else 1.0)
