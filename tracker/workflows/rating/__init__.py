"""Raters: what they are given, say and decide; consent is asked for in the moment of each look and each word."""

from tracker.workflows.rating.adjudicating import (
    Dispute,
    Disputed,
    SeenVote,
    adjudicate,
    open_dispute,
    open_disputed_crop,
    to_adjudicate,
)
from tracker.workflows.rating.agreement import Agreement, RaterFigures, agreement, own_figures
from tracker.workflows.rating.errors import (
    ItemClosedError,
    NoRaterError,
    NothingToUndoError,
    NoticeFirstError,
    OwnDecisionError,
    UnknownItemError,
)
from tracker.workflows.rating.gold import Gold, gold, remove_gold, set_gold
from tracker.workflows.rating.looking import open_crop
from tracker.workflows.rating.people import (
    Agreed,
    agree,
    agreed,
    erase,
    key_map,
    notice,
    own_data,
    set_key_map,
    stored,
)
from tracker.workflows.rating.progress import Progress, progress
from tracker.workflows.rating.queue import Item, gone, next_items
from tracker.workflows.rating.series import (
    Frame,
    Series,
    Stretch,
    keep_trace,
    open_frame,
    open_series,
    stretches,
)
from tracker.workflows.rating.teaching import Taught, teach
from tracker.workflows.rating.voting import (
    Decided,
    Voted,
    last_ten,
    reopen,
    skip,
    standing_vote,
    undo,
    vote,
)
from tracker.workflows.rating.waiting import Waiting, waiting

__all__ = [
    "Agreed",
    "Agreement",
    "Decided",
    "Dispute",
    "Disputed",
    "Frame",
    "Gold",
    "Item",
    "ItemClosedError",
    "NoRaterError",
    "NothingToUndoError",
    "NoticeFirstError",
    "OwnDecisionError",
    "Progress",
    "RaterFigures",
    "SeenVote",
    "Series",
    "Stretch",
    "Taught",
    "UnknownItemError",
    "Voted",
    "Waiting",
    "adjudicate",
    "agree",
    "agreed",
    "agreement",
    "erase",
    "gold",
    "gone",
    "keep_trace",
    "key_map",
    "last_ten",
    "next_items",
    "notice",
    "open_crop",
    "open_dispute",
    "open_disputed_crop",
    "open_frame",
    "open_series",
    "own_data",
    "own_figures",
    "progress",
    "remove_gold",
    "reopen",
    "set_gold",
    "set_key_map",
    "skip",
    "standing_vote",
    "stored",
    "stretches",
    "teach",
    "to_adjudicate",
    "undo",
    "vote",
    "waiting",
]
