"""Who takes part and who works here, and how each of them signs in."""

from __future__ import annotations

from tracker.privacy.datamap.declaring import Ground, Retention, Stored, declared

_I, _S, _R = Ground.IDENTITY, Ground.STAFF, Retention

PEOPLE: tuple[Stored, ...] = (
    Stored(
        "participants",
        "Who takes part, under a random id. The name and the link to the series are encrypted.",
        declared("participants", _I, _R.PERSON, "id zone simulated enrolled_at paused_at")
        + declared("participants", _I, _R.PERSON, "name_sealed subject_sealed", sealed=True)
        + declared("participants", _I, _R.PERSON, "name_digest", derives_from="participants.name_sealed"),
    ),
    Stored(
        "subjects",
        "The random ids on which the series hang.",
        declared("subjects", _I, _R.PERSON, "id"),
    ),
    Stored(
        "accounts",
        "How a participant logs in; codes and passwords are hashed.",
        declared("accounts", _I, _R.PERSON, "participant password_hash session_version failures locked_until")
        + declared("accounts", _I, _R.CODE, "code_hash code_expires_at"),
    ),
    Stored(
        "invitations",
        "Links that let somebody in once, as digests.",
        declared("invitations", _I, _R.CODE, "participant member digest created_at expires_at"),
    ),
    Stored(
        "factors",
        "What somebody logs in with beside a password: passkeys, an authenticator app, recovery codes.",
        declared("factors", _I, _R.PERSON, "id participant member kind digest counter added_at used_at")
        + declared("factors", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "sign_ins",
        "When somebody logged in, how, and with what kind of browser: shown to them, so that they notice others.",
        declared("sign_ins", _I, _R.SIGN_IN, "id participant member at how browser ended_at"),
    ),
    Stored(
        "tokens",
        "With what programs ask in somebody's name: a digest, its purposes, its end and the day of its last use.",
        declared(
            "tokens",
            _I,
            _R.TOKEN,
            "id participant member digest study purposes session_version created_at expires_at used_on",
        )
        + declared("tokens", _I, _R.TOKEN, "name_sealed", sealed=True),
    ),
    Stored(
        "repeats",
        "What programs were answered, so that a request that is sent twice is carried out once.",
        declared("repeats", _I, _R.DAY, "id participant member key_digest asked_digest status claimed_at")
        + declared("repeats", _I, _R.DAY, "sealed", sealed=True),
    ),
    Stored(
        "members",
        "Raters, researchers and operators, under a random id each. The name is encrypted, the password hashed.",
        declared(
            "members", _S, _R.MEMBER, "id password_hash session_version failures locked_until created_at"
        )
        + declared("members", _S, _R.MEMBER, "name_sealed", sealed=True)
        + declared("members", _S, _R.MEMBER, "name_digest", derives_from="members.name_sealed"),
    ),
    Stored(
        "member_roles",
        "Which member may do what in which study.",
        declared("member_roles", _S, _R.MEMBER, "member study role"),
    ),
)
