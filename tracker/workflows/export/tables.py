"""The columns of a dataset, declared once: files, data package and codebook are all made from here."""

from __future__ import annotations

from tracker.domain.series import Reason, TimeSource
from tracker.workflows.export.columns import (
    HIDDEN,
    OBSERVATION,
    ORIGIN_COLUMN,
    PARTICIPANT_COLUMN,
    ZONE_COLUMN,
    emotion_columns,
    instant_columns,
)
from tracker.workflows.export.declaring import Column, Kind, Table
from tracker.workflows.export.rated_tables import RATINGS, TRACES

NETWORK, LEARNER, LEARNER_NOW = "network", "learner", "learner_now"
"""Who says an estimate: the network, the learner when it was captured, the learner as the export finds it."""

_RECORDED_AT = instant_columns("recorded_at", "When the row was stored.")

PARTICIPANTS = Table(
    "participants",
    "One participant whose rows are here.",
    (
        PARTICIPANT_COLUMN,
        Column(
            "zone",
            Kind.STRING,
            "IANA time zone of the participant; told more coarsely where manifest.json says so under `anonymity`.",
            missing=HIDDEN,
        ),
        *(
            Column(
                f"{what}_granted",
                Kind.BOOLEAN,
                f"Whether {rows} could be exported; where not, none are here.",
                missing=HIDDEN,
            )
            for what, rows in (
                ("series", "observations, the network's estimates and corrections"),
                ("learner", "estimates and drifts of the personal learner"),
                ("contexts", "contexts"),
                ("prompts", "prompts and their answers"),
                ("ratings", "ratings and traces of raters"),
            )
        ),
        *(
            Column(f"n_{rows}", Kind.INTEGER, f"How many rows they have in {rows}.", missing=HIDDEN)
            for rows in (
                "observations",
                "estimates",
                "corrections",
                "contexts",
                "prompts",
                "drifts",
                "ratings",
                "traces",
            )
        ),
        ORIGIN_COLUMN,
    ),
    ("participant",),
    (),
    "affect_series or prompts",
)

OBSERVATIONS = Table(
    "observations",
    "What was captured at one instant, or the reason why nothing was.",
    (
        Column("observation", Kind.INTEGER, OBSERVATION, key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "The instant of the frame: start of the recording plus `pts_us`."),
        ZONE_COLUMN,
        Column("recording", Kind.STRING, "Random name of the recording, made anew for every export."),
        Column("pts_us", Kind.INTEGER, "Presentation time within the recording.", "µs"),
        Column(
            "time_source",
            Kind.STRING,
            "Where the start of the recording was taken from.",
            levels=tuple(t.value for t in TimeSource),
        ),
        Column(
            "reason",
            Kind.STRING,
            "Why nothing was read.",
            levels=tuple(r.value for r in Reason),
            missing="a face was read",
        ),
        Column("faces", Kind.INTEGER, "How many faces were seen; only the participant's was read."),
        *(
            Column(
                f"box_{side}", Kind.NUMBER, f"The face's box in the frame: {what}.", "px", missing="no face"
            )
            for side, what in (("x", "left"), ("y", "top"), ("w", "width"), ("h", "height"))
        ),
        Column("detector", Kind.STRING, "What found the face.", missing="no face"),
        Column(
            "score",
            Kind.NUMBER,
            "The detector's own score; not a probability.",
            missing="no face or no score",
        ),
        Column("sharpness", Kind.NUMBER, "Sharpness of the face crop; higher is sharper.", missing="no face"),
        Column("aligned", Kind.BOOLEAN, "Whether the crop was turned by the eyes.", missing="no face"),
        Column(
            "samples",
            Kind.INTEGER,
            "For how many observations the row stands: more than 1 where the study made an old series coarser. Then "
            "`at` is the start of its minute or hour, `score` and `sharpness` are means, `faces` is the most that were "
            "seen, and `recording` names no single one.",
        ),
        *_RECORDED_AT,
        ORIGIN_COLUMN,
    ),
    ("observation",),
    (("participant", "participants", "participant"),),
    "affect_series",
    "at",
)

ESTIMATES = Table(
    "estimates",
    "What one network, or one state of a personal learner over it, says about an observation.",
    (
        Column("observation", Kind.INTEGER, OBSERVATION, key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "The instant of the observation."),
        ZONE_COLUMN,
        Column(
            "source",
            Kind.STRING,
            "network: the same for everybody. learner: adapted to this person by their corrections, as it stood when "
            "the moment was captured. learner_now: as it stood at the export's instant, so with corrections that came "
            "later; computed for the export, and good for describing, not for judging the learner.",
            levels=(NETWORK, LEARNER, LEARNER_NOW),
        ),
        Column("network", Kind.STRING, "Name and hash of the network; manifest.json names its card."),
        Column(
            "snapshot",
            Kind.INTEGER,
            "State of the person's learner, 1 being the oldest here; 0 is the network itself.",
            key=True,
        ),
        *emotion_columns(missing="the network does not read it"),
        *(
            Column(
                f"{what}_derived",
                Kind.NUMBER,
                f"{what.capitalize()}, *derived* from the probabilities by fixed positions; not measured.",
                bounds=(-1, 1),
            )
            for what in ("valence", "arousal")
        ),
        Column("samples", Kind.INTEGER, "Of how many readings the probabilities are the mean; mostly 1."),
        *instant_columns(
            "recorded_at", "When the row was stored; of `learner_now`, when that state was learned."
        ),
        ORIGIN_COLUMN,
    ),
    ("observation", "network", "source", "snapshot"),
    (("participant", "participants", "participant"), ("observation", "observations", "observation")),
    "affect_series; for the learner's also personal_learning",
    "at",
)

CORRECTIONS = Table(
    "corrections",
    "What a human says about a moment; a later word supersedes an earlier one, and both are here.",
    (
        Column("correction", Kind.INTEGER, "Number of the correction in this export.", key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "The moment spoken of."),
        ZONE_COLUMN,
        Column("observation", Kind.INTEGER, OBSERVATION, missing="none near, or it is not here", key=True),
        Column("prompt", Kind.INTEGER, "The prompt that this answers.", missing="unprompted", key=True),
        Column(
            "target", Kind.STRING, "What was asked: `emotion`, or another target whose answer is in `value`."
        ),
        Column(
            "value", Kind.NUMBER, "The answer for targets other than `emotion`.", missing="target is emotion"
        ),
        *emotion_columns(missing="target is not emotion"),
        Column(
            "rater",
            Kind.STRING,
            "`participant`, or the random name of another rater, made anew for every export.",
        ),
        Column(
            "suggestion_shown", Kind.BOOLEAN, "Whether the estimate was seen before answering; it biases."
        ),
        Column(
            "intensity",
            Kind.NUMBER,
            "How strong the emotion was, as the person said.",
            missing="not said",
            bounds=(0, 1),
        ),
        Column(
            "response_ms",
            Kind.INTEGER,
            "From the page being shown to the answer, as the browser measured it.",
            "ms",
            missing="not measured",
        ),
        Column(
            "supersedes",
            Kind.INTEGER,
            "The correction that this replaces; it also replaces an earlier one by the same rater of the same "
            "target at exactly the same instant or of the same observation.",
            missing="a first word",
            key=True,
        ),
        *instant_columns(
            "recorded_at", "When the answer was given; the lag since `at` makes it retrospective."
        ),
        ORIGIN_COLUMN,
    ),
    ("correction",),
    (
        ("participant", "participants", "participant"),
        ("observation", "observations", "observation"),
        ("prompt", "prompts", "prompt"),
        ("supersedes", "corrections", "correction"),
    ),
    "affect_series; for answers to prompts: prompts",
    "at",
)

CONTEXTS = Table(
    "contexts",
    "What surrounded the face from an instant on, for at most two hours; join as of that instant.",
    (
        Column("context", Kind.INTEGER, "Number of the context in this export.", key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "From when on."),
        ZONE_COLUMN,
        *(
            Column(
                what,
                Kind.STRING,
                f"{what.capitalize()}, in the words that were given; with `--k` and in public those that at least k "
                "people gave.",
                missing=f"not said, or {HIDDEN}",
            )
            for what in ("place", "activity", "company")
        ),
        *_RECORDED_AT,
        ORIGIN_COLUMN,
    ),
    ("context",),
    (("participant", "participants", "participant"),),
    "affect_series and context",
    "at",
)

PROMPTS = Table(
    "prompts",
    "A question that was put to the participant or withheld, with its four times as known at the export's instant.",
    (
        Column("prompt", Kind.INTEGER, "Number of the prompt in this export.", key=True),
        PARTICIPANT_COLUMN,
        Column("slot", Kind.STRING, "Name of the slot in the participant's schedule."),
        ZONE_COLUMN,
        *instant_columns("scheduled_at", "When it was due."),
        *instant_columns(
            "notified_at",
            "When it was put: the web app showed from then on that it waits. That a device was told is `pushed_at`.",
            missing="not put, or hidden",
        ),
        *instant_columns("started_at", "When it was opened.", missing="not opened, or hidden"),
        *instant_columns("completed_at", "When it was answered.", missing="not answered, or hidden"),
        *instant_columns(
            "pushed_at",
            "When a push service first took a message for a device of theirs; whether it was shown is not known.",
            missing="no device was told, or hidden",
        ),
        Column(
            "state",
            Kind.STRING,
            "What became of it: `completed`, `expired`, `withheld`, `cancelled`; `open` where that was not known yet.",
        ),
        Column(
            "reason",
            Kind.STRING,
            "Why this moment was chosen (`warm_up`, `unsure`, `random`), or why it was withheld or cancelled.",
            missing="a schedule chose it",
        ),
        Column(
            "random",
            Kind.BOOLEAN,
            "Whether chance chose the moment: only the answers to these speak for all such moments without bias.",
        ),
        *_RECORDED_AT,
        ORIGIN_COLUMN,
    ),
    ("prompt",),
    (("participant", "participants", "participant"),),
    "prompts",
    "scheduled_at",
)

DRIFTS = Table(
    "drifts",
    "That the personal learner noticed that its estimates had begun to fit less well.",
    (
        Column("drift", Kind.INTEGER, "Number of the drift in this export.", key=True),
        PARTICIPANT_COLUMN,
        *instant_columns("at", "Since about when."),
        ZONE_COLUMN,
        Column("target", Kind.STRING, "What had been asked."),
        Column("kind", Kind.STRING, "How it was noticed: `page_hinkley`, a Page-Hinkley test."),
        Column(
            "before", Kind.NUMBER, "Mean surprise of the answers before; 0 for a calibrated learner.", "nats"
        ),
        Column("after", Kind.NUMBER, "Mean surprise of the answers from then on.", "nats"),
        Column("answers", Kind.INTEGER, "How many answers from then until it was noticed."),
        *instant_columns("recorded_at", "When it was noticed."),
        ORIGIN_COLUMN,
    ),
    ("drift",),
    (("participant", "participants", "participant"),),
    "affect_series and personal_learning",
    "at",
)

RATERS = Table(
    "raters",
    "Somebody, or a kind of people, whose words are in corrections, ratings or traces.",
    (
        Column("rater", Kind.STRING, "As in `corrections`, `ratings` and `traces`."),
        Column(
            "kind",
            Kind.STRING,
            "participant: about themselves. rater: of the study, who agreed to be in data sets like this. other: "
            "somebody else, whose words came with an import.",
            levels=("participant", "rater", "other"),
        ),
        Column("n_corrections", Kind.INTEGER, "How many corrections of theirs are here."),
        Column("n_ratings", Kind.INTEGER, "How many ratings of theirs are here."),
        Column("n_participants", Kind.INTEGER, "About how many participants."),
    ),
    ("rater",),
    (),
    "those of the rows that it counts",
)

TABLES = (
    PARTICIPANTS,
    OBSERVATIONS,
    ESTIMATES,
    CORRECTIONS,
    CONTEXTS,
    PROMPTS,
    DRIFTS,
    RATINGS,
    TRACES,
    RATERS,
)
"""The tables of every export, in the order in which they are described."""

ABOUT_ALL = (PARTICIPANTS, RATERS)
"""Those of them that are written last, when everybody was read."""
