"""The main job through the command line: enrol, consent, track, correct, replay, timeline, export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import STARTED, Cli

MEDIA = Path(__file__).parents[3] / "shared" / "media"
shared = pytest.mark.skipif(
    not MEDIA.is_dir(), reason="../shared/media is absent: real clips are not tracked"
)


def test_track_stores_the_series_once(cli: Cli, ada: str, clip: Path) -> None:
    track = ("track", str(clip), "--participant", ada, "--started-at", STARTED, "--json")
    first = cli(*track)
    assert first.code == 0, first.err
    assert first.json["observations"] == first.json["added"] == 30
    assert first.json["with_face"] == first.json["estimates"] >= 28
    again = cli(*track).json
    assert again["added"] == again["estimates"] == 0
    assert again["observations"] == 30
    assert again["with_face"] == first.json["with_face"]
    assert again["reasons"] == first.json["reasons"]


def test_untrained_the_learner_says_what_the_network_says(cli: Cli, ada: str, clip: Path) -> None:
    cli("track", str(clip), "--participant", ada, "--started-at", STARTED)
    rows = [row for row in cli("timeline", ada, "--json").json if row["machine"] is not None]
    assert rows
    for row in rows:
        assert row["personal"] == pytest.approx(row["machine"], abs=1e-6)


def test_a_correction_changes_the_next_estimate_and_replays(cli: Cli, ada: str, clip: Path) -> None:
    cli("track", str(clip), "--participant", ada, "--started-at", STARTED)
    said = cli("correct", ada, "--at", "2026-03-02T09:00:02+01:00", "--emotion", "contempt", "--json")
    assert said.code == 0, said.err
    before, after = said.json["before"], said.json["after"]
    # The network is nearly sure of a smile here, so one word against it moves little, but it moves.
    assert after["contempt"] > 1.2 * before["contempt"]
    assert max(after.values()) < max(before.values())
    replayed = cli("replay", ada, "--json").json
    assert replayed["equal"]
    assert replayed["events"] == 1
    rows = cli("timeline", ada, "--json").json
    marked = [row for row in rows if row["correction"] is not None]
    assert len(marked) == 1
    assert marked[0]["correction"]["contempt"] == 1.0
    assert marked[0]["personal"]["contempt"] > marked[0]["machine"]["contempt"]


def test_the_timeline_is_cut_by_from_and_to(cli: Cli, ada: str, clip: Path) -> None:
    cli("track", str(clip), "--participant", ada, "--started-at", STARTED)
    window = ("--from", "2026-03-02T09:00:01+01:00", "--to", "2026-03-02T09:00:02+01:00")
    assert len(cli("timeline", ada, *window, "--json").json) == 5


def test_db_may_stand_anywhere(cli: Cli, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    assert cli("init", "--db", url).code == 0
    assert cli("--db", url, "enrol", "ada", "--zone", "UTC").code == 0
    assert cli("consent", "show", "ada", f"--db={url}").code == 0
    assert (tmp_path / "elsewhere.keys.db").is_file()


def test_databases_side_by_side_have_keys_of_their_own(cli: Cli, tmp_path: Path) -> None:
    for name in ("a.db", "a.sqlite", "a"):
        url = f"sqlite:///{tmp_path / name}"
        assert cli("init", "--db", url).code == 0
        assert cli("enrol", "ada", "--zone", "UTC", "--db", url).code == 0
        assert cli("consent", "refuse", "ada", "notes", "--db", url).code == 0
    for name in ("a.db", "a.sqlite", "a"):
        assert cli("consent", "audit", "--db", f"sqlite:///{tmp_path / name}").code == 0


def test_the_participant_confirms_with_the_code_once(cli: Cli) -> None:
    cli("init")
    code = cli("enrol", "ada", "--zone", "UTC", "--json").json["code"]
    cli("consent", "grant", "ada", "affect_series", "export_pseudonymous", "--evidence", "form 12")
    shown = {s["scope"]: s for s in cli("consent", "show", "ada", "--json").json["scopes"]}
    assert shown["export_pseudonymous"]["in_force"]
    assert not shown["export_pseudonymous"]["confirmed"]
    confirmed = cli("consent", "confirm", "ada", "--code", code.lower(), "--json")
    shown = {s["scope"]: s for s in confirmed.json["scopes"]}
    assert shown["export_pseudonymous"]["confirmed"]
    assert cli("consent", "confirm", "ada", "--code", code).code == 2
    assert cli("consent", "audit").code == 0


@pytest.mark.slow  # a hundred large pictures are looked through for faces
@shared
def test_a_real_clip_gives_99_observations_with_a_face_in_nearly_all(cli: Cli, ada: str) -> None:
    clip = MEDIA / "pyfeat_WolfgangLanger_Pexels.mp4"
    done = cli("track", str(clip), "--participant", ada, "--every", "0.2", "--started-at", STARTED, "--json")
    assert done.code == 0, done.err
    assert abs(done.json["observations"] - 99) <= 1
    assert done.json["with_face"] >= 90


@shared
def test_a_real_clip_says_when_the_face_was_gone(cli: Cli, ada: str) -> None:
    clip = MEDIA / "pyfeat_face_noface.mov"
    done = cli("track", str(clip), "--participant", ada, "--started-at", STARTED, "--json")
    assert done.code == 0, done.err
    assert done.json["with_face"] > 0
    rows = cli("timeline", ada, "--json").json
    gone = [row for row in rows if row["reason"] == "no_face"]
    assert len(gone) == done.json["reasons"]["no_face"] > 0
    assert all(row["machine"] is None and row["personal"] is None for row in gone)


@shared
def test_several_strangers_are_ambiguous_and_never_read(cli: Cli, ada: str) -> None:
    done = cli(
        "track", str(MEDIA / "pyfeat_multi_face.jpg"), "--participant", ada, "--started-at", STARTED, "--json"
    ).json
    assert done == {
        "observations": 1,
        "added": 1,
        "with_face": 0,
        "estimates": 0,
        "frames": 0,
        "frames_over": 0,
        "crops": 0,
        "reasons": {"no_face": 0, "ambiguous": 1, "blurred": 0, "overload": 0, "unclear": 0},
        "unread": [],
    }
