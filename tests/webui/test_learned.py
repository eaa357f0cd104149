"""What the learner has learned, on the page: in words with figures, or that it is too early."""

from __future__ import annotations

import re
from datetime import timedelta

from tests import builders
from tests.builders import leaning
from tests.webui.site import TODAY, Site
from tracker.domain.affect import Emotion
from tracker.domain.consent import Recorder, Scope
from tracker.domain.series import Context, Correction, Prompt
from tracker.workflows import consenting, feedback, prompts

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def told(site: Site, answers: int) -> None:
    """Ada's face reads as sadness always; at home she is neutral."""
    start = site.now - timedelta(days=15)
    who = site.person(now=start - HOUR)
    for i in range(answers):
        at = start + i * 6 * HOUR
        builders.store(site.access, who, [builders.observed(at, Emotion.SADNESS)], at)
        feedback.add_context(site.access, who, Context(at, place="home" if i % 2 else "park"), at)
        said = Emotion.NEUTRAL if i % 2 else Emotion.SADNESS
        word = Correction(at, "emotion", leaning(said, 0.95), suggestion_shown=i % 4 == 0)
        feedback.correct(site.access, who, word, at + MINUTE)
        prompt = Prompt(f"slot-{i}", at, at, at, at, "completed", random=i % 2 == 0)
        number = prompts.record(site.access, who, prompt, at + MINUTE)
        alone = Correction(at, "leave_me_alone", None, float(i % 2))
        feedback.correct(site.access, who, alone, at + MINUTE, prompt=number)


def test_figures_come_with_their_number_interval_and_rivals(site: Site) -> None:
    told(site, 40)
    visitor = site.logged_in()
    page = visitor.get("/learned").text
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")
    assert "What your face looks like" in text
    assert re.search(r"foretold \d+ of 40 of your answers \(\d+ %, likely between \d+ % and \d+ %\)", text)
    assert "The network alone" in text
    assert "20 of 40" in text, "what the network would have had right"
    assert re.search(r"Where you said “home”, your learner reads (more|less) \w+ than it would", text)
    assert "10 of these answers were given while an estimate was on the screen" in text
    assert "When it asks" in text
    assert re.search(r"It asks when it is less than \d+ % sure|never sure enough", text)
    assert "you are" not in text.lower()
    assert 'id="learned"' in visitor.get(f"/timeline/day/{TODAY}").text


def test_below_twenty_answers_it_is_too_early(lite: Site) -> None:
    told(lite, 19)
    page = lite.logged_in().get("/learned").text
    assert "Too early to say anything" in page or "too early to say anything" in page
    assert "likely between" not in page
    assert "Where you said" not in page


def test_where_nothing_learns_or_nothing_was_said_it_says_what_to_do(lite: Site) -> None:
    lite.person("ada")
    assert "Nothing has been learned yet" in lite.logged_in("ada").get("/learned").text
    who = lite.person("bob")
    consenting.withdraw(lite.access, who, [Scope.PERSONAL_LEARNING], lite.now, recorder=Recorder.PARTICIPANT)
    page = lite.logged_in("bob").get("/learned").text
    assert "Nothing learns from you" in page
    assert "/consent#personal_learning" in page


def test_it_speaks_the_visitors_language_frame(lite: Site) -> None:
    told(lite, 20)
    german = lite.logged_in().get("/learned", headers={"Accept-Language": "de"})
    assert german.status_code == 200
