"""What can go wrong when somebody rates: each says what to do."""

from __future__ import annotations

from tracker.domain.consent import ConsentError
from tracker.domain.rating import RatingError


class NoRaterError(ConsentError):
    """Whoever asks has no part in rating, or has not agreed to be measured.

    Parameters
    ----------
    why
        What is missing, as a sentence.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)


class NoticeFirstError(NoRaterError):
    """A rater has not agreed to the notice that stands now."""

    def __init__(self) -> None:
        super().__init__("read what is stored about raters and agree to it first; then the first item comes")


class UnknownItemError(LookupError):
    """There is no such item of this rater's."""

    def __init__(self) -> None:
        super().__init__("this is no item of yours; go on with the next one")


class ItemClosedError(ConsentError):
    """The participant does not allow it any more, or the picture is gone: nobody sees or rates it."""

    def __init__(self) -> None:
        super().__init__(
            "this item is closed: its participant does not show it any more. Go on with the next one"
        )


class NothingToUndoError(RatingError):
    """An item has no answer that could be taken back."""

    def __init__(self) -> None:
        super().__init__("you have not answered this item, or took it back already")


class DecidedError(RatingError):
    """Somebody who decided about an item would rate it."""

    def __init__(self) -> None:
        super().__init__(
            "you decided about this item yourself, so you do not rate it too; go on with the next"
        )


class OwnDecisionError(RatingError):
    """Somebody who rated an item would decide about it."""

    def __init__(self) -> None:
        super().__init__("you rated this item yourself; somebody else has to decide about it")
