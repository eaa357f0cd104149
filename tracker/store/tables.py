"""All tables of the series database, one schema for SQLite and PostgreSQL.

Participants stand on one side (their names sealed), series rows on the other: these hang on a random
subject id, and the link from person to subject is sealed in `participants.subject_sealed`. Every column
is declared in `tracker.privacy.datamap`; a test fails for one that is not.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)

from tracker.domain.affect import EMOTIONS
from tracker.store.types import Instant, RowId

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _emotions(nullable: bool = False) -> list[Column[float]]:
    """One probability column per emotion, in the one order."""
    return [Column(f"p_{e.value}", Double, nullable=nullable) for e in EMOTIONS]


def _subject() -> Column[str]:
    return Column("subject", String(32), ForeignKey("subjects.id"), nullable=False)


def _grant() -> Column[int]:
    """Under which grant a row was written; a trigger looks that it stands. 0: before grants had numbers."""
    return Column("grant_id", BigInteger, nullable=False, server_default=text("0"))


studies = Table(
    "studies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("document", JSON, nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("applied_by", String(64), nullable=False),
)


def _study() -> Column[int]:
    """Which version of the study governed as a row was written, by its number in `studies`, which has its SHA-256.

    The database itself looks it up as it inserts, so no writer can forget it. None: no study was applied, or the row
    is older than this column. No foreign key: what a participant's rows point to would be the participant's.
    """
    return Column("study", RowId, default=select(func.max(studies.c.id)).scalar_subquery())


def _log(name: str) -> Table:
    """A chain of commitments, which stays for ever and names nobody."""
    return Table(
        name,
        metadata,
        Column("seq", RowId, primary_key=True, autoincrement=False),
        Column("commitment", String(64), nullable=False),
        Column("recorded_at", Instant, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
    )


def _events(name: str, log: Table, *more: Column[int]) -> Table:
    """What the rows of a log commit to, sealed under the person's key."""
    return Table(
        name,
        metadata,
        Column("seq", RowId, ForeignKey(log.c.seq), primary_key=True, autoincrement=False),
        Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
        Column("recorded_at", Instant, nullable=False),
        Column("sealed", LargeBinary, nullable=False),
        Column("salt", LargeBinary, nullable=False),
        *more,
    )


participants = Table(
    "participants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name_digest", String(64), nullable=False, unique=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("subject_sealed", LargeBinary, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("enrolled_at", Instant, nullable=False),
    Column("paused_at", Instant),
)

accounts = Table(
    "accounts",
    metadata,
    Column("participant", String(32), ForeignKey("participants.id"), primary_key=True),
    Column("code_hash", String(200)),
    Column("code_expires_at", Instant),
    Column("password_hash", String(200)),
    Column("session_version", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
)

# Raters, researchers and operators: each under a key of their own, as participants are.
members = Table(
    "members",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name_digest", String(64), nullable=False, unique=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("password_hash", String(200)),
    Column("session_version", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("created_at", Instant, nullable=False),
)

member_roles = Table(
    "member_roles",
    metadata,
    Column("member", String(32), ForeignKey("members.id"), primary_key=True),
    Column("study", String(64), primary_key=True),
    Column("role", String(16), primary_key=True),
)


def _whose() -> list[Column[str]]:
    """Whose sign-in a row is: a participant's, or a member's."""
    return [
        Column("participant", String(32), ForeignKey("participants.id"), index=True),
        Column("member", String(32), ForeignKey("members.id"), index=True),
    ]


# A link that lets somebody in once; only its digest is here.
invitations = Table(
    "invitations",
    metadata,
    Column("digest", String(64), primary_key=True),
    *_whose(),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

# What somebody logs in with beside a password: passkeys, the secret of an authenticator app, recovery codes.
factors = Table(
    "factors",
    metadata,
    Column("id", String(32), primary_key=True),
    *_whose(),
    Column("kind", String(16), nullable=False),
    # Of a passkey or a recovery code, to find it by.
    Column("digest", String(64), unique=True),
    Column("sealed", LargeBinary, nullable=False),
    # The last counter of a passkey, or time step of an app, that was accepted: none is accepted twice.
    Column("counter", BigInteger, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", RowId, primary_key=True),
    *_whose(),
    Column("at", Instant, nullable=False),
    Column("how", String(16), nullable=False),
    Column("browser", String(64), nullable=False),
    # When its session was logged out: a copy of the cookie is good no longer.
    Column("ended_at", Instant),
    CheckConstraint("(participant IS NULL) <> (member IS NULL)", name="whose"),
)

subjects = Table("subjects", metadata, Column("id", String(32), primary_key=True))

consent_log = _log("consent_log")
# Scope, state, notice, starts and ends, recorder and evidence of each choice.
consent_events = _events("consent_events", consent_log, _study())
# Who of the staff looked at whom and at what: the same kind of chain.
access_log = _log("access_log")
access_events = _events("access_events", access_log)

# What was said and who looked in the installation that somebody's data were imported from: it allows nothing here.
former_records = Table(
    "former_records",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

# The keyed table of grants in force: one row per subject and scope, replaced by a new grant, deleted by a withdrawal.
# It has no clock: what has expired stands here still, and is refused by the permit.
grants = Table(
    "grants",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=False),
    _subject(),
    Column("scope", String(32), nullable=False),
    UniqueConstraint("subject", "scope"),
)

notices = Table(
    "notices",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("version", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("document", JSON, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("retired_at", Instant),
    # Pairs of instants (ISO 8601) between which it did not stand, for a text that stood again afterwards.
    Column("absent", JSON),
)

observations = Table(
    "observations",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("source", String(64), nullable=False),
    Column("pts_us", RowId, nullable=False),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("time_source", String(16), nullable=False),
    Column("reason", String(16)),
    Column("faces", Integer, nullable=False),
    Column("box_x", Double),
    Column("box_y", Double),
    Column("box_w", Double),
    Column("box_h", Double),
    Column("detector", String(32)),
    Column("score", Double),
    Column("sharpness", Double),
    Column("aligned", Boolean),
    # How many observations it stands for: more than itself once retention made the series coarser.
    Column("samples", Integer, nullable=False, server_default=text("1")),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("subject", "source", "pts_us"),
    Index(None, "subject", "at"),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("target", String(32), nullable=False),
    Column("prior", String(64), nullable=False),
    Column("rebased_at", Instant, nullable=False),
    Column("log_position", RowId, nullable=False),
    # From which instant on it learns each kind of thing; None where the scope is not in force.
    Column("learn_since", Instant, nullable=False),
    Column("context_since", Instant),
    Column("prompts_since", Instant),
    Column("raters_since", Instant),
    # What was learned before counts less: the instant of the newest drift.
    Column("faded_before", Instant),
    Column("parameters", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    _grant(),
    _study(),
    Column("created_at", Instant, nullable=False),
    Index(None, "subject", "target", "id"),
    # Estimates name snapshots by number; a number must not come back after its snapshot was deleted.
    sqlite_autoincrement=True,
)

estimates = Table(
    "estimates",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False),
    Column("network", String(64), nullable=False),
    # 0 is the network itself: a NULL would not take part in the unique key.
    Column("snapshot", RowId, nullable=False),
    *_emotions(),
    # How many readings it is the mean of.
    Column("samples", Integer, nullable=False, server_default=text("1")),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("observation", "network", "snapshot"),
)

summaries = Table(
    "summaries",
    metadata,
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
    Column("bucket", Instant, primary_key=True),
    Column("series", String(80), primary_key=True),
    Column("n", Integer, nullable=False),
    *_emotions(),
)

contexts = Table(
    "contexts",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("place", String(64)),
    Column("activity", String(64)),
    Column("company", String(64)),
    # The random key of the answer that it is part of; NULL where it was said by itself.
    Column("key", String(36)),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "at"),
    Index(None, "subject", "key", unique=True),
)

prompts = Table(
    "prompts",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("slot", String(64), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("scheduled_at", Instant, nullable=False),
    Column("notified_at", Instant),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("state", String(16), nullable=False),
    # Why it was put, where the program chose the moment; and whether chance did, so that it speaks for all moments.
    Column("reason", String(16)),
    Column("random", Boolean, nullable=False),
    # From when on it cannot be answered, whoever has written that down; when it was recalled last, and how often.
    Column("expires_at", Instant),
    Column("reminded_at", Instant),
    Column("reminders", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", Instant),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("subject", "slot"),
)

# Where a participant said that they were, and since when; the zone that holds now stands in `participants`.
zones = Table(
    "zones",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("zone", String(64), nullable=False),
    Column("since", Instant, nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "since"),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("observation", RowId, ForeignKey("observations.id"), index=True),
    Column("prompt", RowId, ForeignKey("prompts.id"), index=True),
    Column("at", Instant, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("target", String(32), nullable=False),
    Column("value", Double),
    *_emotions(nullable=True),
    Column("rater", String(32), nullable=False),
    Column("suggestion_shown", Boolean, nullable=False),
    Column("supersedes", RowId, ForeignKey("corrections.id"), unique=True),
    # Of an answer in the web app: how strong it was, how long it took, and the random key under which it counts once.
    Column("intensity", Double),
    Column("response_ms", Integer),
    Column("key", String(36)),
    # Under which grant of share_with_raters it was put together from what raters said; NULL where nobody else said it.
    Column("rated_grant", BigInteger),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "at"),
    Index(None, "subject", "key", "target", unique=True),
)

learning_events = Table(
    "learning_events",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("correction", RowId, ForeignKey("corrections.id"), nullable=False, unique=True),
    Column("target", String(32), nullable=False),
    Column("features", JSON, nullable=False),
    # The label: a distribution for the target emotion, a value for every other.
    *_emotions(nullable=True),
    Column("value", Double),
    Column("weight", Double, nullable=False),
    # Predict before learn: what the learner and the network said while they did not know the answer.
    Column("predicted", JSON, nullable=False),
    Column("machine", JSON),
    # For targets other than emotion: what was known at the moment, what the features would be without contexts or
    # without the person's past, and the earliest instant of each kind of thing that the features rest on.
    Column("situation", JSON),
    Column("cut", JSON),
    Column("seen_from", Instant),
    Column("past_from", Instant),
    Column("context_from", Instant),
    Column("prompts_from", Instant),
    Column("snapshot_before", RowId, nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "target", "id"),
)

priors = Table(
    "priors",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("target", String(32), nullable=False, index=True),
    Column("parameters", JSON, nullable=False),
    Column("people", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("fitted_at", Instant, nullable=False),
    # Somebody whose answers are in it has left: nothing starts from it any more, and what did is not asked.
    Column("retired_at", Instant),
)

prior_members = Table(
    "prior_members",
    metadata,
    Column("prior", String(64), ForeignKey("priors.id"), primary_key=True),
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
    # What each allowed when it was fitted, as in a snapshot.
    Column("learn_since", Instant, nullable=False),
    Column("context_since", Instant),
    Column("prompts_since", Instant),
    _grant(),
    _study(),
)

drifts = Table(
    "drifts",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("target", String(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("detail", JSON, nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject", "target", "at"),
)

crops = Table(
    "crops",
    metadata,
    Column("id", String(32), primary_key=True),
    _subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(32), primary_key=True),
    _subject(),
    Column("correction", RowId, ForeignKey("corrections.id"), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

# What a participant lets nobody else see. It rests on no grant: whoever withdrew everything may still hide something.
hidden = Table(
    "hidden",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # When it was shown again: what was exported meanwhile can be exported again as it was.
    Column("shown_at", Instant),
    Index(None, "subject", "starts_at"),
)

# What raters are given, say and decide about a participant: rows under the participant's grant of share_with_raters.
# `member` is a rater's id without a foreign key: what a participant's rows point to would be the participant's.
rating_tasks = Table(
    "rating_tasks",
    metadata,
    # Random: what a rater opens is a task of their own, never an observation by its number.
    Column("id", String(32), primary_key=True),
    _subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("kind", String(8), nullable=False),
    # The how manieth of its rater's.
    Column("turn", Integer, nullable=False),
    Column("because", String(16), nullable=False),
    # Whether chance alone chose it, so that its answer speaks for all items; whether the answer is known already.
    Column("random", Boolean, nullable=False),
    Column("gold", Boolean, nullable=False),
    Column("offered_at", Instant, nullable=False),
    Column("leased_until", Instant, nullable=False),
    Column("put_off_at", Instant),
    Column("done_at", Instant),
    _grant(),
    _study(),
    UniqueConstraint("member", "kind", "observation"),
    Index(None, "subject"),
)

rating_votes = Table(
    "rating_votes",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("task", String(32), ForeignKey("rating_tasks.id"), nullable=False, index=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("verdict", String(16), nullable=False),
    *_emotions(nullable=True),
    Column("valence", Double),
    Column("arousal", Double),
    Column("suggestion_shown", Boolean, nullable=False),
    Column("shown_at", Instant, nullable=False),
    Column("response_ms", Integer),
    Column("visible_ms", Integer),
    Column("key", String(64), nullable=False),
    Column("supersedes", RowId, ForeignKey("rating_votes.id"), unique=True),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("member", "key"),
    Index(None, "subject"),
)

rating_traces = Table(
    "rating_traces",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("task", String(32), ForeignKey("rating_tasks.id"), nullable=False, index=True),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("member", String(32), nullable=False),
    Column("dimension", String(16), nullable=False),
    # As they were drawn: instant (microseconds since 1970 UTC), value, observation shown. The lag is for the reader.
    Column("samples", JSON, nullable=False),
    Column("lag_s", Double, nullable=False),
    Column("key", String(64), nullable=False),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("member", "key"),
    Index(None, "subject"),
)

# Items whose answer is known: put among the others, where nobody who rates can tell them.
rating_gold = Table(
    "rating_gold",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, unique=True),
    *_emotions(),
    Column("decided_by", String(32)),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    Index(None, "subject"),
)

# What somebody else than the raters decided about an item.
adjudications = Table(
    "adjudications",
    metadata,
    Column("id", RowId, primary_key=True),
    _subject(),
    Column("observation", RowId, ForeignKey("observations.id"), nullable=False, index=True),
    Column("decided_by", String(32)),
    Column("verdict", String(16), nullable=False),
    *_emotions(nullable=True),
    Column("key", String(64), nullable=False),
    Column("supersedes", RowId, ForeignKey("adjudications.id"), unique=True),
    _grant(),
    _study(),
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("decided_by", "key"),
    Index(None, "subject"),
)

# What raters agreed to be measured in, and how they set up their keys.
rater_consents = Table(
    "rater_consents",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("member", String(32), ForeignKey("members.id"), nullable=False, index=True),
    Column("scope", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("notice", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

rater_settings = Table(
    "rater_settings",
    metadata,
    Column("member", String(32), ForeignKey("members.id"), primary_key=True),
    Column("keys", JSON, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# Differentially private figures that were given out, and whom each was charged to.
releases = Table(
    "releases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("study", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("query", JSON, nullable=False),
    Column("epsilon", Double, nullable=False),
    Column("delta", Double, nullable=False),
    Column("result", JSON, nullable=False),
)

release_members = Table(
    "release_members",
    metadata,
    Column("release", RowId, ForeignKey("releases.id"), primary_key=True),
    Column("subject", String(32), ForeignKey("subjects.id"), primary_key=True),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("request", JSON, nullable=False),
    Column("manifest_sha256", String(64), nullable=False),
    Column("outdated_at", Instant),
)

export_members = Table(
    "export_members",
    metadata,
    Column("export", String(32), ForeignKey("exports.id"), primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), primary_key=True),
)

erasure_requests = Table(
    "erasure_requests",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("participant", String(32), ForeignKey("participants.id"), nullable=False, index=True),
    Column("scope", String(32), nullable=False),
    Column("due_at", Instant),
    Column("answer", String(16), nullable=False),
    _study(),
    Column("recorded_at", Instant, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("subject_digest", String(64), nullable=False, unique=True),
    Column("erased_at", Instant, nullable=False),
    Column("counts", JSON, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("job", String(64), primary_key=True),
    Column("slot", String(64), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", Text),
)

# The number that this database shares with its key store, so that neither is taken for another's.
installation = Table("installation", metadata, Column("id", String(32), primary_key=True))
