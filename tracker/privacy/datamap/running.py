"""What the installation needs to run and to prove what it did, in its database and in its key store."""

from __future__ import annotations

from tracker.privacy.datamap.declaring import Ground, Retention, Stored, declared

_I, _O, _R = Ground.IDENTITY, Ground.OPERATION, Retention

RUNNING: tuple[Stored, ...] = (
    Stored(
        "tombstones",
        "That somebody was erased, when, and how many rows: so that an old backup's rows are recognised.",
        declared("tombstones", _O, _R.EVIDENCE, "id subject_digest erased_at counts"),
    ),
    Stored(
        "leases",
        "Which process ran which job.",
        declared("leases", _O, _R.SLOT, "job slot holder until finished_at outcome"),
    ),
    Stored(
        "installation",
        "A random number that the database and its key store share, so that neither is taken for another's.",
        declared("installation", _O, _R.EVIDENCE, "id"),
    ),
    Stored(
        "wrapped_keys",
        "In the key store: each participant's keys, encrypted under the master key.",
        declared("wrapped_keys", _I, _R.PERSON, "id owner purpose retiring master wrapped"),
    ),
    Stored(
        "masters",
        "In the key store: by which number the master key is known, and for the time of its replacement the other one, "
        "encrypted.",
        declared("masters", _O, _R.EVIDENCE, "id state bridge"),
    ),
    Stored(
        "kept_tombstones",
        "In the key store: that somebody, or one scope or stretch of time of theirs, was erased; no restored backup "
        "brings it back.",
        declared("kept_tombstones", _O, _R.EVIDENCE, "id subject_digest scope erased_at"),
    ),
    Stored(
        "chain_heads",
        "In the key store: the signed ends of the logs, so that a cut would show.",
        declared("chain_heads", _O, _R.EVIDENCE, "log seq hash signature"),
    ),
    Stored(
        "bound_installation",
        "In the key store: the number that it shares with its database.",
        declared("bound_installation", _O, _R.EVIDENCE, "id"),
    ),
    Stored(
        "backup_folders",
        "In the key store: where backups of it lie, so that an erasure finds them.",
        declared("backup_folders", _O, _R.EVIDENCE, "folder keep"),
    ),
)
