import re

import pytest
from flask import session
from flask_babel import gettext

from tests.webui import translating
from tests.webui.site import Site
from webui import languages


@pytest.mark.parametrize("code", sorted(translating.translated()))
def test_a_catalogue_has_the_texts_of_the_source_and_no_others(code: str) -> None:
    there, here = (
        {message.id for message in catalog if message.id}
        for catalog in (translating.source(), translating.written(code))
    )
    assert here == there, "bring it up to date: python -m tests.webui.translating"


@pytest.mark.parametrize("code", sorted(translating.translated()))
def test_every_text_is_translated(code: str) -> None:
    waiting = [m.id for m in translating.written(code) if m.id and translating.lacking(m)]
    assert waiting == [], f"{len(waiting)} texts wait for a translation into {code}"


@pytest.mark.parametrize("code", sorted(translating.translated()))
def test_a_translation_keeps_what_is_filled_in_and_the_markup(code: str) -> None:
    for message in translating.written(code):
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        for text, own in (
            zip(texts, ids, strict=True) if message.id and not translating.lacking(message) else ()
        ):
            for pattern in (r"%\(\w+\)[sd]", r"\{\w+\}", r"</?[a-z]+"):
                assert sorted(re.findall(pattern, text)) == sorted(re.findall(pattern, own)), message.id


def test_the_page_says_in_which_language_it_is(lite: Site) -> None:
    for header, code in (("de-AT,de;q=0.9,en;q=0.5", "de"), ("fr", "en"), ("", "en"), ("en-GB", "en")):
        page = lite.visitor().get("/login", headers={"Accept-Language": header})
        assert f'<html lang="{code}">' in page.text, header


def test_a_choice_stays_with_the_browser_through_log_in_and_out(lite: Site) -> None:
    who = lite.with_password()
    visitor = lite.visitor()
    visitor.get("/login")
    back = visitor.post("/language", {"language": "de", "back": "/privacy"})
    assert (back.status_code, back.headers["Location"]) == (303, "/privacy")
    assert '<html lang="de">' in visitor.get("/privacy", headers={"Accept-Language": "en"}).text
    visitor.log_in(who.name, "correct horse battery")
    assert '<html lang="de">' in visitor.get("/consent", follow_redirects=True).text
    visitor.post("/logout")
    assert '<html lang="de">' in visitor.get("/login").text


@pytest.mark.parametrize("back", ["//evil.example/", "/\\evil.example", "https://evil.example/", "", "/a\nb"])
def test_the_switch_leads_to_no_other_host(lite: Site, back: str) -> None:
    answer = lite.visitor().post("/language", {"language": "de", "back": back})
    assert answer.headers["Location"] == "/"


def test_an_unknown_language_is_refused(lite: Site) -> None:
    assert lite.visitor().post("/language", {"language": "xx"}).status_code == 400


def test_the_switch_needs_the_token_of_the_page(lite: Site) -> None:
    assert lite.visitor().client.post("/language", data={"language": "de"}).status_code == 403


def test_a_catalogue_is_read_as_it_is_written(lite: Site) -> None:
    written = {m.id: m.string for m in translating.written("de") if m.id and isinstance(m.string, str)}
    some = next(text for text, german in written.items() if german and german != text and "%" not in text)
    with lite.app.test_request_context("/"):
        session[languages.KEY] = "de"
        assert gettext(some) == written[some]
