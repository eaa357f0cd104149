"""What was agreed to and on which text, and who of the staff looked."""

from __future__ import annotations

from tracker.privacy.datamap.declaring import Ground, Retention, Stored, declared

_I, _O, _R = Ground.IDENTITY, Ground.OPERATION, Retention

CHOICES: tuple[Stored, ...] = (
    Stored(
        "consent_log",
        "A chain of commitments: that something was said at a time, not by whom or what.",
        declared("consent_log", _O, _R.EVIDENCE, "seq recorded_at")
        + declared("consent_log", _O, _R.EVIDENCE, "commitment previous hash"),
    ),
    Stored(
        "consent_events",
        "What a participant granted, refused or withdrew: scope, notice, start, end and evidence, encrypted.",
        declared("consent_events", _I, _R.PERSON, "seq participant recorded_at salt study")
        + declared("consent_events", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "grants",
        "Which grants stand, by number: rows are written under a number, and a trigger looks that it stands.",
        declared("grants", _I, _R.STANDING, "id subject scope", derives_from="consent_events.sealed"),
    ),
    Stored(
        "notices",
        "The exact texts that people were asked to agree to.",
        declared("notices", _O, _R.NOTICE, "sha256 version language document published_at retired_at absent"),
    ),
    Stored(
        "studies",
        "The study that governs, with every version before it.",
        declared("studies", _O, _R.NOTICE, "id sha256 document applied_at applied_by"),
    ),
    Stored(
        "access_log",
        "A chain of commitments: that somebody of the staff looked, not who, at whom or what.",
        declared("access_log", _O, _R.EVIDENCE, "seq recorded_at commitment previous hash"),
    ),
    Stored(
        "access_events",
        "Who of the staff looked at a participant's data, and at what; encrypted.",
        declared("access_events", _I, _R.PERSON, "seq participant recorded_at salt")
        + declared("access_events", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "former_records",
        "What a participant chose, and who looked, where their data were before they were imported here; and who "
        "attested by which document that they allowed it.",
        declared("former_records", _I, _R.PERSON, "id participant recorded_at")
        + declared("former_records", _I, _R.PERSON, "sealed", sealed=True),
    ),
    Stored(
        "erasure_requests",
        "What a participant wants done with what a withdrawn scope covers.",
        declared("erasure_requests", _I, _R.PERSON, "id participant scope due_at answer study recorded_at"),
    ),
)
