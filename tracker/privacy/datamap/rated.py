"""What raters are given, say and decide, and what they agreed to themselves."""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.declaring import PROBABILITIES, Ground, Retention, Stored, declared

_S, _R = Ground.STAFF, Retention

RATED: tuple[Stored, ...] = (
    *(
        Stored(
            name,
            what,
            declared(name, Scope.SHARE_WITH_RATERS, _R.ERASED, columns, derives_from="observations.id"),
        )
        for name, what, columns in (
            (
                "rating_tasks",
                "Which moment was put before which rater, why, and until when it was kept for them.",
                "id subject observation member kind turn because random gold offered_at leased_until put_off_at "
                "done_at grant_id study",
            ),
            (
                "rating_votes",
                "What a rater said a face looks like, or that they could not tell; how long they took, if allowed.",
                f"id subject task observation member verdict {PROBABILITIES} valence arousal suggestion_shown shown_at "
                "response_ms visible_ms key supersedes grant_id study recorded_at",
            ),
            (
                "rating_traces",
                "How pleasant or how aroused a stretch looked to a rater, drawn as a line.",
                "id subject task observation member dimension samples lag_s key grant_id study recorded_at",
            ),
            (
                "rating_gold",
                "Moments whose answer is known, put among the others to see how well raters do.",
                f"id subject observation {PROBABILITIES} decided_by grant_id study recorded_at",
            ),
            (
                "adjudications",
                "What a researcher who was not given the face decided where raters did not agree.",
                f"id subject observation decided_by verdict {PROBABILITIES} key supersedes grant_id study recorded_at",
            ),
        )
    ),
    Stored(
        "rater_consents",
        "What raters agreed to be measured in, and when.",
        declared("rater_consents", _S, _R.MEMBER, "id member scope state notice recorded_at"),
    ),
    Stored(
        "rater_settings",
        "Which keys a rater uses.",
        declared("rater_settings", _S, _R.MEMBER, "member keys changed_at"),
    ),
)
