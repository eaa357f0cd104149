"""The columns of what raters said, declared once like those of `tracker.workflows.export.tables`."""

from __future__ import annotations

from tracker.domain.rating import Dimension, Verdict
from tracker.workflows.export.columns import (
    OBSERVATION,
    ORIGIN_COLUMN,
    PARTICIPANT_COLUMN,
    ZONE_COLUMN,
    emotion_columns,
    instant_columns,
)
from tracker.workflows.export.declaring import Column, Kind, Table

_NEEDS = "affect_series, face_crops and share_with_raters; and each rater's own word that their answers may be exported"
_RATER = Column("rater", Kind.STRING, "Random name of the rater, made anew for every export.")
_UNTRUE = "nothing is known or decided, or no emotion is"
_TOLD = (Verdict.EMOTION, Verdict.CANNOT_TELL, Verdict.NOT_A_FACE)

RATINGS = Table(
    "ratings",
    "What one rater said a moment of somebody looks like, or that they could not tell; never in a public export.",
    (
        Column("rating", Kind.INTEGER, "Number of the rating in this export.", key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "The moment that was shown; of a clip its first."),
        ZONE_COLUMN,
        Column("observation", Kind.INTEGER, OBSERVATION, key=True),
        Column(
            "item",
            Kind.STRING,
            "crop: the picture of one moment. series: a clip that begins with it, rated as a whole.",
            levels=("crop", "series"),
        ),
        _RATER,
        Column(
            "verdict",
            Kind.STRING,
            "emotion: see the eight columns. cannot_tell, not_a_face: why there is none.",
            levels=tuple(v.value for v in _TOLD),
        ),
        *emotion_columns(missing="verdict is not emotion", what="How much of the answer was {}."),
        *(
            Column(
                what,
                Kind.NUMBER,
                f"{what.capitalize()}, as the rater said.",
                missing="not said",
                bounds=(-1, 1),
            )
            for what in ("valence", "arousal")
        ),
        Column(
            "suggestion_shown", Kind.BOOLEAN, "Whether the estimate was seen before answering; it biases."
        ),
        Column(
            "response_ms",
            Kind.INTEGER,
            "From the item being shown to the answer, as the browser measured it.",
            "ms",
            missing="not measured, or the rater refuses to be timed",
        ),
        Column(
            "random",
            Kind.BOOLEAN,
            "Whether chance chose the item: only these speak for all items without bias.",
        ),
        Column(
            "gold", Kind.BOOLEAN, "Whether it was put to the rater as an item whose answer was known already."
        ),
        Column(
            "truth",
            Kind.STRING,
            "Where a true answer comes from: known beforehand, or decided by a researcher where raters disagreed.",
            levels=("known", "decided"),
            missing="nothing is known or decided",
        ),
        Column(
            "truth_verdict",
            Kind.STRING,
            "What is held to be true, as `verdict`.",
            levels=tuple(v.value for v in _TOLD),
            missing="nothing is known or decided",
        ),
        *emotion_columns("truth_p_", _UNTRUE, "How much of what is held to be true is {}."),
        *instant_columns("recorded_at", "When the answer was given."),
        ORIGIN_COLUMN,
    ),
    ("rating",),
    (
        ("participant", "participants", "participant"),
        ("observation", "observations", "observation"),
        ("rater", "raters", "rater"),
    ),
    _NEEDS,
    "at",
)

TRACES = Table(
    "traces",
    "One point of a line that a rater drew while a clip played; never in a public export.",
    (
        Column("trace", Kind.INTEGER, "Number of the line in this export.", key=True),
        Column("sample", Kind.INTEGER, "The how manieth point of the line.", key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "The instant of what was on the screen; people answer `lag_s` later."),
        ZONE_COLUMN,
        Column(
            "observation",
            Kind.INTEGER,
            OBSERVATION,
            missing="none was on the screen, or it is not here",
            key=True,
        ),
        _RATER,
        Column(
            "dimension",
            Kind.STRING,
            "What the line follows.",
            levels=tuple(dimension.value for dimension in Dimension),
        ),
        Column("value", Kind.NUMBER, "How high the line was.", bounds=(-1, 1)),
        Column(
            "lag_s",
            Kind.NUMBER,
            "By how much the hand is held to come after what was seen; not yet taken off `at`.",
            "s",
            bounds=(0, 10),
        ),
        *instant_columns("recorded_at", "When the line was kept."),
        ORIGIN_COLUMN,
    ),
    ("trace", "sample"),
    (
        ("participant", "participants", "participant"),
        ("observation", "observations", "observation"),
        ("rater", "raters", "rater"),
    ),
    _NEEDS,
    "recorded_at",
)
