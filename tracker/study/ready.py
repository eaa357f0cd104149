"""Studies that are ready: files that work as they are, with a comment for each key, to begin one's own from."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources


class Ready(StrEnum):
    """The studies that come with the software."""

    DIARY = "diary"
    COHORT = "cohort"
    REPLAY = "replay"

    @property
    def words(self) -> str:
        """What it is, in a line."""
        return _WORDS[self]


_WORDS = {
    Ready.DIARY: "a diary of one person over 30 days, on their own machine",
    Ready.COHORT: "100 people at home over a month, with questions and raters",
    Ready.REPLAY: "recorded videos that are read again, without questions",
}


def text_of(ready: Ready) -> str:
    """The file of a study that is ready, as YAML.

    Examples
    --------
    >>> from tracker.study import parse
    >>> [parse(text_of(ready), f"{ready}.yaml").id for ready in Ready]
    ['diary', 'cohort', 'replay']
    """
    return resources.files("tracker.study").joinpath("files", f"{ready.value}.yaml").read_text("utf-8")
