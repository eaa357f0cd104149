"""The client allows, hides, takes along, erases, follows clips, decides, watches and applies, on the real server."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.webui import rating as desk
from tests.webui import walking
from tests.webui.api.test_erasing import app_of, code
from tests.webui.api.test_staff import SOUND
from tests.webui.capturing import until
from tests.webui.site import PASSWORD, Site
from tests.webui.test_monitor import living, looks_at
from tracker.client import Client, ProblemError, Proof
from tracker.domain.affect import Emotion
from tracker.domain.consent import Scope
from tracker.domain.members import Member, Role
from tracker.domain.people import Person
from tracker.domain.raters import RaterScope
from tracker.domain.rating import Dimension, Sample, Trace, Verdict
from tracker.domain.stretches import Stretch
from tracker.workflows import accounts, consenting, enrolment, rating, studies
from webui.services import NAME

Clients = Callable[[Person | Member], Client]
EVERY = timedelta(milliseconds=700)
ME = Proof(password=PASSWORD)


def test_what_was_read_is_allowed_in_the_state_in_which_it_was_read(site: Site, client: Clients) -> None:
    eve = enrolment.enrol(site.access, "eve", "Europe/Berlin", site.now).person
    asked = client(eve)
    notice = asked.grants.read("en")
    assert notice.asked == tuple(studies.in_force(site.access).scopes)
    assert notice.document["preamble"]
    allowed = asked.grants.allow(notice, [Scope.AFFECT_SERIES, Scope.NOTES])
    assert [scope for scope in allowed if allowed[scope].in_force] == [Scope.AFFECT_SERIES, Scope.NOTES]
    with pytest.raises(ProblemError) as late:
        asked.grants.allow(notice, [Scope.CONTEXT])
    assert late.value.problem.status == 412
    assert asked.grants.confirm(asked.grants.read())[Scope.NOTES].confirmed


def test_who_travels_says_where_and_keeps_what_was_withdrawn(site: Site, client: Clients) -> None:
    ada = site.person()
    asked = client(ada)
    asked.prompts.move("Asia/Tokyo")
    assert asked.prompts.zone() == asked.who().zone == "Asia/Tokyo"
    asked.consent.withdraw([Scope.NOTES])
    asked.consent.keep()
    with site.access.read(ada.id, site.now) as unit:
        assert consenting.erasures_due(unit) == {}


def test_a_stretch_is_hidden_and_shown_again(site: Site, client: Clients) -> None:
    ada = site.person()
    instants = site.series(ada)
    asked, stretch = client(ada), Stretch(instants[10], instants[20])
    assert asked.hiding.rows(stretch)["observations"] == 10
    number = asked.hiding.hide(stretch)
    assert [(one.number, one.stretch) for one in asked.hiding.hidden()] == [(number, stretch)]
    asked.hiding.show(number)
    assert asked.hiding.hidden() == []


def test_everything_is_taken_along_then_erased_and_its_end_is_told(
    site: Site, client: Clients, tmp_path: Path
) -> None:
    ada = site.with_password()
    instants = site.series(ada)
    asked = client(ada)
    with pytest.raises(ProblemError) as wrong:
        asked.archives.take_along(tmp_path / "wrong.zip", Proof(password="wrong horse battery"))
    assert wrong.value.problem.kind == "proof"
    assert list(tmp_path.glob("wrong*")) == []
    with zipfile.ZipFile(asked.archives.take_along(tmp_path / "mine.zip", ME)) as bundle:
        assert bundle.testzip() is None
    stretch = asked.erasures.stretch(Stretch(instants[0], instants[9]), ME)
    (notes,) = asked.erasures.scopes([Scope.NOTES], ME)
    until(lambda: asked.erasures.state(notes.id).stage == "clean")
    assert asked.erasures.state(stretch.id).rows
    assert {one.what for one in asked.erasures.done()} == {"stretch", "notes"}
    assert len(list(asked.timeline.moments())) == 51
    whole = asked.erasures.everything(ME)
    until(lambda: asked.erasures.state(whole.id).stage == "clean")
    with pytest.raises(ProblemError, match="401"):
        asked.who()
    assert b"data_gone" in asked.erasures.certificate(whole.id)
    assert PASSWORD not in repr(ME)
    site.app.extensions[NAME].background.wait()


def test_a_clip_is_followed_and_a_dispute_decided(site: Site, client: Clients) -> None:
    studies.apply(site.access, desk.rating_study(site, second_share=1.0), "ops", site.now)
    desk.shown_person(site, faces=4, apart=EVERY)
    kim, lea = client(desk.member(site, "kim")), client(desk.member(site, "lea"))
    (waits,) = kim.clips.waiting()
    clip = kim.clips.open(waits.id)
    assert kim.clips.picture(clip.id, clip.frames[0].observation).startswith(b"\x89PNG")
    assert kim.clips.is_open(clip.id, [frame.observation for frame in clip.frames])
    drawn = tuple(Sample(frame.at, 0.5, frame.observation) for frame in clip.frames)
    assert kim.clips.trace(clip.id, Trace(Dimension.AROUSAL, drawn, clip.lag_s, "one-trace-1")) > 0
    kim.rating.vote(clip.id, Emotion.FEAR)
    assert kim.clips.open(clip.id).said is Verdict.EMOTION
    for rater, emotion in ((kim, Emotion.FEAR), (lea, Emotion.ANGER)):
        for item in rater.rating.items(10):
            rater.rating.vote(item.id, emotion)
    judge = client(walking.member(site.access, "judge", Role.RESEARCHER))
    first, *rest = judge.adjudication.waiting()
    dispute = judge.adjudication.open(first)
    assert {vote.emotions.top for vote in dispute.votes if vote.emotions} == {Emotion.FEAR, Emotion.ANGER}
    assert judge.adjudication.picture(first).startswith(b"\x89PNG")
    assert judge.adjudication.is_open(first)
    assert judge.adjudication.decide(first, Verdict.CANNOT_TELL) > 0
    assert judge.adjudication.waiting() == rest
    assert judge.adjudication.open(first).decided is Verdict.CANNOT_TELL


def test_a_rater_reads_allows_looks_takes_along_and_erases(site: Site, client: Clients) -> None:
    desk.shown_person(site)
    kim = desk.member(site, agreed=False)
    accounts.choose_password(site.access, kim, PASSWORD, site.now)
    asked = client(kim)
    notice = asked.rater.read()
    assert notice.text == rating.notice(site.access)
    assert notice.sha256 == notice.text.sha256
    assert not asked.rater.agreed().enough
    allowed = asked.rater.allow(notice, [RaterScope.VOTES, RaterScope.SPEED])
    assert allowed.scopes == {RaterScope.VOTES, RaterScope.SPEED}
    assert (allowed.enough, allowed.at) == (True, site.now)
    with pytest.raises(ProblemError) as late:
        asked.rater.allow(notice, RaterScope)
    assert late.value.problem.status == 412
    (item,) = asked.rating.items()
    asked.rating.vote(item.id, Emotion.FEAR, response_ms=800)
    figures = asked.rater.figures()
    assert (figures.total, figures.median_response_ms, figures.with_others) == (1, 800, None)
    assert figures.cannot_tell is not None
    assert (figures.cannot_tell.hits, figures.cannot_tell.n) == (0, 1)
    assert len(asked.rater.take_along(ME)["votes"]) == 1
    with pytest.raises(ProblemError) as wrong:
        asked.rater.erase(Proof(password="wrong horse battery"))
    assert wrong.value.problem.kind == "proof"
    assert asked.rater.erase(ME)["rating_votes"] == 1
    assert rating.stored(site.access, kim) == {}


def test_the_picture_of_ones_own_moment_is_seen(site: Site, client: Clients) -> None:
    ada = desk.shown_person(site)
    asked = client(ada)
    moment = next(m for m in asked.timeline.moments() if m.observation is not None)
    assert asked.timeline.kept(moment.at, moment.observation).picture
    assert asked.timeline.picture(moment.observation or 0).startswith(b"\x89PNG")
    with pytest.raises(ProblemError) as none:
        asked.timeline.picture(2**40)
    assert none.value.problem.status == 404


def test_a_researcher_watches_and_is_seen_to(site: Site, client: Clients) -> None:
    ada = living(site)
    rosa = client(walking.member(site.access, "rosa", Role.RESEARCHER))
    (who,) = rosa.monitor.people()
    assert (who.id, who.name, who.prompts) == (ada.id, "ada", True)
    assert looks_at(site, ada) == []
    assert rosa.monitor.person(who.id, 7)["arrived"]
    assert rosa.monitor.prompts()[0]["days"]
    assert rosa.monitor.table("days", who.id).startswith("day,")
    assert rosa.monitor.table("jobs").startswith("job,")
    assert rosa.monitor.raters() == rosa.monitor.everybody() == rosa.monitor.jobs() == []
    assert len(looks_at(site, ada)) == 3


def test_an_operator_lets_a_study_govern_with_a_code(site: Site, client: Clients) -> None:
    who = walking.member(site.access, "olga", Role.OPERATOR, second=False)
    totp = app_of(site, who)
    olga = client(who)
    over = olga.studies.governing()
    assert olga.studies.preview(SOUND)
    site.wait(timedelta(minutes=1))
    with pytest.raises(ProblemError) as wrong:
        olga.studies.apply(SOUND, over, "000000", takes_away=True)
    assert wrong.value.problem.kind == "proof"
    assert olga.studies.apply(SOUND, over, code(site, totp)["code"], takes_away=True)
    assert studies.in_force(site.access).title == "Night"
