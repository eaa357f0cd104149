"""The privacy page: made from the data map, all of it, in plain words, with whom to ask."""

from __future__ import annotations

import html

from tests.webui.site import Site
from tracker.domain.consent import Scope
from tracker.domain.notice import CARDS, HELP_CONTACT
from tracker.privacy.datamap import TABLES, Retention
from tracker.privacy.files import FILES
from tracker.privacy.plain import KEPT
from tracker.workflows import receipts


def test_every_table_and_file_of_the_data_map_is_on_it(lite: Site) -> None:
    page = html.unescape(lite.visitor().get("/privacy").text)
    for table in TABLES:
        assert table.what in page, table.name
    for file in FILES:
        assert file.what in page, file.pattern
    for card in CARDS:
        assert card.title in page
    assert HELP_CONTACT in page
    assert "Nobody watches in real time" in page
    assert receipts.key(lite.access) in page


def test_it_says_what_somebody_allows_only_to_them(lite: Site) -> None:
    lite.person(scopes=(Scope.AFFECT_SERIES, Scope.CONTEXT))
    page = lite.logged_in().get("/privacy").text
    assert page.count(">you allow it<") == 2
    assert page.count("you do not allow it") == len(Scope) - 2
    assert "badge" not in lite.visitor().get("/privacy").text


def test_every_way_of_keeping_has_its_words() -> None:
    assert set(KEPT) == set(Retention)


def test_who_answers_begins_a_sentence(lite: Site) -> None:
    page = lite.visitor().get("/privacy").text
    assert "nothing else is stored. Whoever runs this installation answers for it." in page
    assert f"feels wrong? Ask {HELP_CONTACT}." in page
