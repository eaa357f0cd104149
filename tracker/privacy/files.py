"""Every file that the program writes, what it holds, and what an erasure does to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """Something the program writes: a name pattern in its folder, what it holds, and what an erasure does."""

    pattern: str
    what: str
    erasure: str


FILES: tuple[File, ...] = (
    File(
        "affect.db",
        "The tables above (or a PostgreSQL database).",
        "rebuilt, so that no page keeps old bytes",
    ),
    File("affect.db-*", "SQLite's write-ahead log and shared memory.", "truncated"),
    File("affect.keys.db", "The key store.", "keys destroyed, file rebuilt"),
    File("affect.keys.db-*", "SQLite's write-ahead log and shared memory.", "truncated"),
    File("master.key", "The key that opens the key store; nothing about anyone.", "none needed"),
    File(
        "master.key.*", "The new one, while the master key is replaced; nothing about anyone.", "none needed"
    ),
    File(
        "the folder that `keys backup` names",
        "Copies of the key store, the newest few.",
        "made anew; a copy that cannot be reached is named",
    ),
    File(
        "affect.db.restoring*",
        "A backup on its way back, beside the database; gone when that ends.",
        "looked at; one that was left behind holds the erasure up",
    ),
    File(
        "the file that `backup` names, and the same with .json",
        "The tables above as they were; what is sealed in it stays sealed, and the keys are not in it.",
        "out of reach: nothing in it can be linked without the key; restoring it erases again",
    ),
    File(
        "the file that `erase --certificate` names",
        "What was erased and when: counts, signed; names nobody.",
        "none needed",
    ),
    File(
        "networks/*",
        "Networks and detectors that were pulled or added, and when their terms were accepted; nothing about anyone.",
        "none needed",
    ),
    File(
        "the folder that an export names",
        "The rows of those who allow it, under pseudonyms made for that export.",
        "marked as outdated; what was handed out is out of reach",
    ),
    File(
        "the folder *.exports beside the key store",
        "Exports that researchers asked for in the web, until they are fetched, for a day at most.",
        "deleted by an erasure of somebody in it; after a withdrawal within a minute while a server runs, else by the "
        "hourly job; what was killed left goes then too",
    ),
    File(
        "*.partial-*, beside the folder that an export names",
        "What an export that was killed or interrupted had written, and its journal, under pseudonyms; on no list.",
        "stays until the same export, or another to that folder, is run, or somebody deletes it; no run publishes it "
        "after a withdrawal",
    ),
    File(
        "the file that `consent receipt` names",
        "A participant's choices under their name, signed: made for them to keep.",
        "none: it is theirs; a copy that somebody else keeps is out of reach",
    ),
    File(
        "the folder that `export --aggregate` names",
        "Figures about everybody together, with so much noise that they tell of nobody.",
        "stays: nobody can tell from it who was counted",
    ),
)
