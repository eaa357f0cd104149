"""What was seen of a participant."""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.declaring import PROBABILITIES, Retention, Stored, declared

_R = Retention

SERIES: tuple[Stored, ...] = (
    Stored(
        "observations",
        "For each moment of a recording: when, whether a face was seen and where in the frame, or why not.",
        declared(
            "observations",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            "id subject source pts_us at zone time_source reason faces box_x box_y box_w box_h detector "
            "score sharpness aligned samples imported_from grant_id study recorded_at",
        ),
    ),
    Stored(
        "estimates",
        "Which emotion the face looked like, to the network and to the participant's own learner.",
        declared(
            "estimates",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            "id observation network samples grant_id study recorded_at",
        )
        + declared(
            "estimates",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            PROBABILITIES,
            derives_from="observations.id snapshots.parameters",
        )
        # Where it names a learner's snapshot, the row is that learner's word.
        + declared(
            "estimates",
            Scope.PERSONAL_LEARNING,
            _R.ERASED,
            "snapshot",
            derives_from="observations.id snapshots.parameters",
        ),
    ),
    Stored(
        "summaries",
        "Sums of the estimates by quarter hour, for quick pages.",
        declared(
            "summaries",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            f"subject bucket series n {PROBABILITIES}",
            derives_from="observations.at estimates.snapshot",
        ),
    ),
)
