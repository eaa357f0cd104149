"""What participants say, and which questions they were put."""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.declaring import PROBABILITIES, Retention, Stored, declared

_R = Retention

ANSWERS: tuple[Stored, ...] = (
    Stored(
        "contexts",
        "Place, activity and company, as the participant named them.",
        declared(
            "contexts",
            Scope.CONTEXT,
            _R.ERASED,
            "id subject at zone place activity company key imported_from grant_id study recorded_at",
        ),
    ),
    Stored(
        "prompts",
        "Which question was put when, and what became of it.",
        declared(
            "prompts",
            Scope.PROMPTS,
            _R.ERASED,
            "id subject slot zone scheduled_at notified_at started_at completed_at state reason random "
            "expires_at reminded_at reminders ended_at pushed_at grant_id study recorded_at",
        ),
    ),
    Stored(
        "push_devices",
        "Which devices of a participant are told that a question waits: their address at the push service of the "
        "browser's maker, encrypted.",
        declared(
            "push_devices", Scope.PROMPTS, _R.SWITCHED, "id subject digest sign_in grant_id study recorded_at"
        )
        + declared("push_devices", Scope.PROMPTS, _R.SWITCHED, "sealed", sealed=True),
    ),
    Stored(
        "push_messages",
        "When a device was told that a question waits, and whether its push service took it.",
        declared(
            "push_messages",
            Scope.PROMPTS,
            _R.ERASED,
            "id subject device prompt number due_at tries outcome grant_id study recorded_at",
        ),
    ),
    Stored(
        "zones",
        "In which time zones the participant said that they were, and since when, for the hours of questions.",
        declared("zones", Scope.PROMPTS, _R.ERASED, "id subject zone since grant_id study recorded_at"),
    ),
    Stored(
        "corrections",
        "What the participant says about a moment, and what raters together said. An answer to a prompt rests on the "
        "scope prompts, a word of raters on share_with_raters too.",
        declared(
            "corrections",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            f"id subject observation at zone target value {PROBABILITIES} rater suggestion_shown supersedes "
            "intensity response_ms key imported_from grant_id study recorded_at",
        )
        + declared("corrections", Scope.PROMPTS, _R.ERASED, "prompt")
        + declared(
            "corrections",
            Scope.SHARE_WITH_RATERS,
            _R.ERASED,
            "rated_grant",
            derives_from="rating_votes.id adjudications.id",
            also=True,
        ),
    ),
)
