"""The data map: for each stored column, on what it rests, how long it is kept and what it derives from.

One table in code (files stand in `tracker.privacy.files`). A test walks the schemas and fails for a column that
is not declared here; the privacy page and ``docs/privacy.md`` are made from it, so they cannot say anything else
than what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tracker.domain.affect import EMOTIONS
from tracker.domain.consent import Scope


class Ground(StrEnum):
    """What a column rests on where it rests on no scope."""

    IDENTITY = "identity"
    OPERATION = "operation"
    STAFF = "staff"


class Retention(StrEnum):
    """How long something is kept."""

    ERASED = (
        "until the participant erases it, withdraws and lets the time for an answer pass, or the study's days for it "
        "are over"
    )
    PERSON = "until the participant is erased"
    WINDOW = "30 days, as the learner's memory"
    CODE = "until it is used, at most 14 days"
    EVIDENCE = "stays after an erasure, and names nobody"
    SLOT = "90 days after the job ran"
    SIGN_IN = "90 days"
    MEMBER = "until the member is removed"
    STANDING = "as long as the grant stands"
    NOTICE = "as long as the installation, as proof"
    EXPORT = "as long as the list of exports"
    PRIOR = (
        "until it is fitted anew; when somebody in it leaves, it is retired at once and deleted once no "
        "learner holds anything of it"
    )


@dataclass(frozen=True, slots=True)
class Column:
    """One stored column.

    Attributes
    ----------
    table, name
        Where it lies.
    ground
        The scope it rests on, or why it is there without one.
    retention
        How long.
    sealed
        Whether it is encrypted under the participant's own key, or the member's.
    derives_from
        Columns from which it is computed or copied; what is erased there is erased or recomputed here.
    also
        Whether a row that holds something here rests on the ground of its table too, and not on this one instead.
    """

    table: str
    name: str
    ground: Scope | Ground
    retention: Retention
    sealed: bool = False
    derives_from: tuple[str, ...] = ()
    also: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """One table: what it holds, in a participant's words, and its columns."""

    name: str
    what: str
    columns: tuple[Column, ...]


_EMOTIONS = " ".join(f"p_{emotion.value}" for emotion in EMOTIONS)


def _columns(
    table: str,
    ground: Scope | Ground,
    retention: Retention,
    names: str,
    *,
    sealed: bool = False,
    derives_from: str = "",
    also: bool = False,
) -> tuple[Column, ...]:
    origins = tuple(derives_from.split())
    return tuple(Column(table, n, ground, retention, sealed, origins, also) for n in names.split())


_I, _O, _S = Ground.IDENTITY, Ground.OPERATION, Ground.STAFF
_R = Retention

TABLES: tuple[Stored, ...] = (
    Stored(
        "participants",
        "Who takes part, under a random id. The name and the link to the series are encrypted.",
        _columns("participants", _I, _R.PERSON, "id zone simulated enrolled_at paused_at")
        + _columns("participants", _I, _R.PERSON, "name_sealed subject_sealed", sealed=True)
        + _columns("participants", _I, _R.PERSON, "name_digest", derives_from="participants.name_sealed"),
    ),
    Stored(
        "subjects",
        "The random ids on which the series hang.",
        _columns("subjects", _I, _R.PERSON, "id"),
    ),
    Stored(
        "accounts",
        "How a participant logs in; codes and passwords are hashed.",
        _columns("accounts", _I, _R.PERSON, "participant password_hash session_version failures locked_until")
        + _columns("accounts", _I, _R.CODE, "code_hash code_expires_at"),
    ),
    Stored(
        "invitations",
        "Links that let somebody in once, as digests.",
        _columns("invitations", _I, _R.CODE, "participant member digest created_at expires_at"),
    ),
    Stored(
        "factors",
        "What somebody logs in with beside a password: passkeys, an authenticator app, recovery codes.",
        _columns("factors", _I, _R.PERSON, "id participant member kind digest counter added_at used_at")
        + _columns("factors", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "sign_ins",
        "When somebody logged in, how, and with what kind of browser: shown to them, so that they notice others.",
        _columns("sign_ins", _I, _R.SIGN_IN, "id participant member at how browser ended_at"),
    ),
    Stored(
        "members",
        "Raters, researchers and operators, under a random id each. The name is encrypted, the password hashed.",
        _columns(
            "members", _S, _R.MEMBER, "id password_hash session_version failures locked_until created_at"
        )
        + _columns("members", _S, _R.MEMBER, "name_sealed", sealed=True)
        + _columns("members", _S, _R.MEMBER, "name_digest", derives_from="members.name_sealed"),
    ),
    Stored(
        "member_roles",
        "Which member may do what in which study.",
        _columns("member_roles", _S, _R.MEMBER, "member study role"),
    ),
    Stored(
        "consent_log",
        "A chain of commitments: that something was said at a time, not by whom or what.",
        _columns("consent_log", _O, _R.EVIDENCE, "seq recorded_at")
        + _columns("consent_log", _O, _R.EVIDENCE, "commitment previous hash"),
    ),
    Stored(
        "consent_events",
        "What a participant granted, refused or withdrew: scope, notice, start, end and evidence, encrypted.",
        _columns("consent_events", _I, _R.PERSON, "seq participant recorded_at salt study")
        + _columns("consent_events", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "grants",
        "Which grants stand, by number: rows are written under a number, and a trigger looks that it stands.",
        _columns("grants", _I, _R.STANDING, "id subject scope", derives_from="consent_events.sealed"),
    ),
    Stored(
        "notices",
        "The exact texts that people were asked to agree to.",
        _columns("notices", _O, _R.NOTICE, "sha256 version language document published_at retired_at absent"),
    ),
    Stored(
        "studies",
        "The study that governs, with every version before it.",
        _columns("studies", _O, _R.NOTICE, "id sha256 document applied_at applied_by"),
    ),
    Stored(
        "access_log",
        "A chain of commitments: that somebody of the staff looked, not who, at whom or what.",
        _columns("access_log", _O, _R.EVIDENCE, "seq recorded_at commitment previous hash"),
    ),
    Stored(
        "access_events",
        "Who of the staff looked at a participant's data, and at what; encrypted.",
        _columns("access_events", _I, _R.PERSON, "seq participant recorded_at salt")
        + _columns("access_events", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "former_records",
        "What a participant chose, and who looked, where their data were before they were imported here.",
        _columns("former_records", _I, _R.PERSON, "id participant recorded_at")
        + _columns("former_records", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "erasure_requests",
        "What a participant wants done with what a withdrawn scope covers.",
        _columns("erasure_requests", _I, _R.PERSON, "id participant scope due_at answer study recorded_at"),
    ),
    Stored(
        "observations",
        "For each moment of a recording: when, whether a face was seen and where in the frame, or why not.",
        _columns(
            "observations",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            "id subject source pts_us at zone time_source reason faces box_x box_y box_w box_h detector "
            "score sharpness aligned samples grant_id study recorded_at",
        ),
    ),
    Stored(
        "estimates",
        "Which emotion the face looked like, to the network and to the participant's own learner.",
        _columns(
            "estimates",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            "id observation network samples grant_id study recorded_at",
        )
        + _columns(
            "estimates",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            _EMOTIONS,
            derives_from="observations.id snapshots.parameters",
        )
        # Where it names a learner's snapshot, the row is that learner's word.
        + _columns(
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
        _columns(
            "summaries",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            f"subject bucket series n {_EMOTIONS}",
            derives_from="observations.at estimates.snapshot",
        ),
    ),
    Stored(
        "contexts",
        "Place, activity and company, as the participant named them.",
        _columns(
            "contexts",
            Scope.CONTEXT,
            _R.ERASED,
            "id subject at zone place activity company key grant_id study recorded_at",
        ),
    ),
    Stored(
        "prompts",
        "Which question was put when, and what became of it.",
        _columns(
            "prompts",
            Scope.PROMPTS,
            _R.ERASED,
            "id subject slot zone scheduled_at notified_at started_at completed_at state reason random "
            "expires_at reminded_at reminders ended_at grant_id study recorded_at",
        ),
    ),
    Stored(
        "zones",
        "In which time zones the participant said that they were, and since when, for the hours of questions.",
        _columns("zones", Scope.PROMPTS, _R.ERASED, "id subject zone since grant_id study recorded_at"),
    ),
    Stored(
        "corrections",
        "What the participant says about a moment, and what raters together said. An answer to a prompt rests on the "
        "scope prompts, a word of raters on share_with_raters too.",
        _columns(
            "corrections",
            Scope.AFFECT_SERIES,
            _R.ERASED,
            f"id subject observation at zone target value {_EMOTIONS} rater suggestion_shown supersedes "
            "intensity response_ms key grant_id study recorded_at",
        )
        + _columns("corrections", Scope.PROMPTS, _R.ERASED, "prompt")
        + _columns(
            "corrections",
            Scope.SHARE_WITH_RATERS,
            _R.ERASED,
            "rated_grant",
            derives_from="rating_votes.id adjudications.id",
            also=True,
        ),
    ),
    Stored(
        "learning_events",
        "What the learner saw, predicted and was told at each correction, so that it can be rebuilt exactly.",
        _columns(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "id subject target weight snapshot_before grant_id study recorded_at",
        )
        + _columns(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            f"correction {_EMOTIONS} value",
            derives_from="corrections.id",
        )
        + _columns(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "features predicted machine situation cut seen_from past_from context_from prompts_from",
            derives_from="estimates.observation contexts.place contexts.activity contexts.company "
            "contexts.at corrections.value",
        ),
    ),
    Stored(
        "snapshots",
        "The learner's parameters at a time.",
        _columns(
            "snapshots",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "id subject target prior rebased_at log_position learn_since context_since prompts_since raters_since "
            "faded_before grant_id study created_at",
        )
        + _columns(
            "snapshots",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "parameters sha256",
            derives_from="learning_events.features learning_events.correction priors.parameters",
        ),
    ),
    Stored(
        "drifts",
        "When a learner noticed that its estimates had begun to fit less well.",
        _columns(
            "drifts",
            Scope.PERSONAL_LEARNING,
            _R.ERASED,
            "id subject target at kind detail grant_id study recorded_at",
            derives_from="learning_events.predicted",
        ),
    ),
    Stored(
        "priors",
        "What learners start from: fitted on the answers of at least five people who allow it; names nobody.",
        _columns("priors", _O, _R.PRIOR, "id target people events fitted_at retired_at")
        + _columns(
            "priors",
            _O,
            _R.PRIOR,
            "parameters",
            derives_from="learning_events.features learning_events.correction prior_members.subject",
        ),
    ),
    Stored(
        "prior_members",
        "Whose answers are in which prior, and what they allowed when it was fitted.",
        _columns(
            "prior_members",
            Scope.POOLED_LEARNING,
            _R.ERASED,
            "prior subject learn_since context_since prompts_since grant_id study",
        ),
    ),
    Stored(
        "crops",
        "The face that was read, as a small picture, encrypted.",
        _columns("crops", Scope.FACE_CROPS, _R.ERASED, "id subject observation grant_id study recorded_at")
        + _columns(
            "crops", Scope.FACE_CROPS, _R.ERASED, "sealed", sealed=True, derives_from="observations.id"
        ),
    ),
    Stored(
        "notes",
        "What a participant wrote beside an answer, encrypted.",
        _columns("notes", Scope.NOTES, _R.ERASED, "id subject correction grant_id study recorded_at")
        + _columns("notes", Scope.NOTES, _R.ERASED, "sealed", sealed=True),
    ),
    Stored(
        "hidden",
        "Which stretches of time a participant lets nobody else see, and when they showed one again.",
        _columns("hidden", _I, _R.PERSON, "id subject starts_at ends_at recorded_at shown_at"),
    ),
    *(
        Stored(
            name,
            what,
            _columns(name, Scope.SHARE_WITH_RATERS, _R.ERASED, columns, derives_from="observations.id"),
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
                f"id subject task observation member verdict {_EMOTIONS} valence arousal suggestion_shown shown_at "
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
                f"id subject observation {_EMOTIONS} decided_by grant_id study recorded_at",
            ),
            (
                "adjudications",
                "What a researcher who was not given the face decided where raters did not agree.",
                f"id subject observation decided_by verdict {_EMOTIONS} key supersedes grant_id study recorded_at",
            ),
        )
    ),
    Stored(
        "rater_consents",
        "What raters agreed to be measured in, and when.",
        _columns("rater_consents", _S, _R.MEMBER, "id member scope state notice recorded_at"),
    ),
    Stored(
        "rater_settings",
        "Which keys a rater uses.",
        _columns("rater_settings", _S, _R.MEMBER, "member keys changed_at"),
    ),
    Stored(
        "releases",
        "Figures about everybody that were given out, with noise enough that nobody shows in them.",
        _columns("releases", _O, _R.NOTICE, "id study at query epsilon delta result"),
    ),
    Stored(
        "release_members",
        "Whose budget a release was charged to.",
        _columns("release_members", _I, _R.PERSON, "release subject"),
    ),
    Stored(
        "exports",
        "Which datasets were made; an erasure or withdrawal marks them as outdated.",
        _columns("exports", _O, _R.EXPORT, "id at created_at request manifest_sha256 outdated_at"),
    ),
    Stored(
        "export_members",
        "Who is in which dataset.",
        _columns("export_members", _I, _R.PERSON, "export participant"),
    ),
    Stored(
        "tombstones",
        "That somebody was erased, when, and how many rows: so that an old backup's rows are recognised.",
        _columns("tombstones", _O, _R.EVIDENCE, "id subject_digest erased_at counts"),
    ),
    Stored(
        "leases",
        "Which process ran which job.",
        _columns("leases", _O, _R.SLOT, "job slot holder until finished_at outcome"),
    ),
    Stored(
        "installation",
        "A random number that the database and its key store share, so that neither is taken for another's.",
        _columns("installation", _O, _R.EVIDENCE, "id"),
    ),
    Stored(
        "wrapped_keys",
        "In the key store: each participant's keys, encrypted under the master key.",
        _columns("wrapped_keys", _I, _R.PERSON, "id owner purpose retiring master wrapped"),
    ),
    Stored(
        "masters",
        "In the key store: by which number the master key is known, and for the time of its replacement the other one, "
        "encrypted.",
        _columns("masters", _O, _R.EVIDENCE, "id state bridge"),
    ),
    Stored(
        "kept_tombstones",
        "In the key store: that somebody, or one scope or stretch of time of theirs, was erased; no restored backup "
        "brings it back.",
        _columns("kept_tombstones", _O, _R.EVIDENCE, "id subject_digest scope erased_at"),
    ),
    Stored(
        "chain_heads",
        "In the key store: the signed ends of the logs, so that a cut would show.",
        _columns("chain_heads", _O, _R.EVIDENCE, "log seq hash signature"),
    ),
    Stored(
        "bound_installation",
        "In the key store: the number that it shares with its database.",
        _columns("bound_installation", _O, _R.EVIDENCE, "id"),
    ),
    Stored(
        "backup_folders",
        "In the key store: where backups of it lie, so that an erasure finds them.",
        _columns("backup_folders", _O, _R.EVIDENCE, "folder keep"),
    ),
)


def columns() -> dict[tuple[str, str], Column]:
    """Every declared column by table and name."""
    return {(c.table, c.name): c for stored in TABLES for c in stored.columns}


def tables_of(ground: Scope | Ground) -> tuple[str, ...]:
    """The tables with a column that rests on a scope.

    Examples
    --------
    >>> tables_of(Scope.PROMPTS)
    ('prompts', 'zones', 'corrections')
    """
    return tuple(s.name for s in TABLES if any(c.ground is ground for c in s.columns))
