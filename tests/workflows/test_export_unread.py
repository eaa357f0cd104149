"""What a network does not read is missing in an export: neither 0 nor unlikely."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracker
from tests.builders import ALL, NOW, installation, leaning, observed, person, store
from tests.workflows.exported import DAY, MINUTE, read
from tracker import shipped
from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution, Emotion, derived_valence_arousal
from tracker.domain.series import Correction, Estimate
from tracker.fer.known import unread_by
from tracker.fer.manifest import read_manifest
from tracker.workflows import feedback
from tracker.workflows.export import export_dataset

SEVEN = Distribution.from_sequence([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0])
UNKNOWN = "elsewhere@0123456789ab"


@pytest.fixture
def access(database_url: str, tmp_path: Path) -> Iterator[Access]:
    opened = installation(database_url, tmp_path)
    yield opened
    opened.close()


def looked(access: Access, name: str, network: str, *words: Distribution) -> None:
    who = person(access, name, ALL, now=NOW - DAY)
    batch = []
    for i, said in enumerate(words, start=1):
        seen = observed(NOW - i * MINUTE, source=f"{name:0>64}")
        batch.append(type(seen)(seen.observation, (Estimate(network, said),)))
    store(access, who, batch, NOW)
    feedback.correct(access, who, Correction(NOW - MINUTE, "emotion", leaning(Emotion.CONTEMPT)), NOW)


def test_contempt_of_a_network_of_seven_is_missing_in_every_table_and_reader(
    access: Access, tmp_path: Path
) -> None:
    entries = read_manifest(shipped.models() / "manifest.toml")
    seven = next(i for i, gone in sorted(unread_by(entries.values()).items()) if gone == {Emotion.CONTEMPT})
    eight = entries["default"].id
    words = {"ada": (seven, SEVEN), "grace": (UNKNOWN, SEVEN), "mary": (eight, leaning(Emotion.ANGER))}
    for name, (network, said) in words.items():
        looked(access, name, network, said, said)
    out = export_dataset(access, tmp_path / "out", NOW, shape="wide").folder
    rows = read(out, "estimates")
    assert {r["network"] for r in rows} == {seven, UNKNOWN, eight}
    for row in rows:
        gone = row["source"] == "network" and row["network"] != eight
        assert (row["p_contempt"] is None) is gone
        assert None not in [row[f"p_{e.value}"] for e in EMOTIONS if e is not Emotion.CONTEMPT]
        if gone:
            assert row["valence_derived"] == pytest.approx(derived_valence_arousal(SEVEN)[0])
    frame = tracker.read_export(out, "estimates")
    assert frame["p_contempt"].null_count() == sum(r["p_contempt"] is None for r in rows) == 4
    wide = read(out, "series")
    assert sorted(r["network_p_contempt"] is None for r in wide) == [False] * 2 + [True] * 4
    assert all(r["network_p_anger"] is not None and r["learner_now_p_contempt"] is not None for r in wide)
    assert "the network does not read it" in (out / "codebook.md").read_text("utf-8")


def test_a_0_is_a_0_where_the_network_reads_it_at_other_times(access: Access, tmp_path: Path) -> None:
    looked(access, "ada", UNKNOWN, SEVEN, leaning(Emotion.CONTEMPT))
    rows = read(export_dataset(access, tmp_path / "out", NOW).folder, "estimates")
    said = [r["p_contempt"] for r in rows if r["source"] == "network"]
    assert sorted(said)[0] == 0.0
    assert len(said) == 2


@pytest.mark.parametrize("every_s", [None, 3600])
def test_where_networks_changed_an_emotion_is_the_mean_of_those_that_read_it(
    access: Access, tmp_path: Path, every_s: int | None
) -> None:
    entries = read_manifest(shipped.models() / "manifest.toml")
    seven = next(i for i, gone in sorted(unread_by(entries.values()).items()) if gone == {Emotion.CONTEMPT})
    who = person(access, "ada", ALL, now=NOW - DAY)
    scornful = leaning(Emotion.CONTEMPT, 0.8)
    hour = NOW.replace(minute=0, second=0, microsecond=0) - 60 * MINUTE
    batch = []
    for i, (network, said) in enumerate([(seven, SEVEN), (seven, SEVEN), (entries["default"].id, scornful)]):
        seen = observed(hour + i * MINUTE, source="a" * 64)
        batch.append(type(seen)(seen.observation, (Estimate(network, said),)))
    store(access, who, batch, NOW)
    out = export_dataset(access, tmp_path / "out", NOW, shape="wide", every_s=every_s).folder
    rows = read(out, "series")
    contempt = [r["network_p_contempt"] for r in rows]
    if every_s is None:
        assert contempt == [None, None, pytest.approx(scornful[Emotion.CONTEMPT])]
        return
    assert contempt == [pytest.approx(scornful[Emotion.CONTEMPT])], (
        "not a third of it: two said nothing of it"
    )
    neutral = (2 * SEVEN[Emotion.NEUTRAL] + scornful[Emotion.NEUTRAL]) / 3
    assert rows[0]["network_p_neutral"] == pytest.approx(neutral)
    each = [derived_valence_arousal(said)[0] for said in (SEVEN, SEVEN, scornful)]
    assert rows[0]["network_valence_derived"] == pytest.approx(sum(each) / 3)
