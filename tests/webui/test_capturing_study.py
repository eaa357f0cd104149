"""A running server follows the study: which network reads faces changes without a restart, or nothing is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.fer.making import tiny_network
from tests.webui.capturing import Seen, until
from tests.webui.site import Site
from tests.webui.test_capturing import FRAME, Page
from tracker.fer.engine import Engine
from tracker.store import tables
from tracker.study import DEFAULT
from tracker.workflows import studies
from tracker.workflows.ingest import Reader


def engine(name: str) -> Engine:
    network = tiny_network()
    return Engine(replace(network, entry=replace(network.entry, name=name)), "cpu")


@pytest.fixture
def site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """A server that loads what the study names, as the command does; of these two networks alone."""
    engines, loaded = {name: engine(name) for name in ("default", "large")}, list[str]()

    def load() -> Reader:
        name = studies.in_force(made.access).usual_network
        if name not in engines:
            raise ValueError(f"there is no network {name}")
        loaded.append(name)
        return Reader(engines[name], Seen)

    made = Site(sqlite_url, tmp_path, reader=load)
    made.app.config["LOADED"] = loaded
    yield made
    made.app.extensions["affect-tracker"].close()
    made.access.close()


def name_networks(site: Site, *networks: str) -> None:
    version = "-".join(networks)
    study = DEFAULT.model_copy(update={"id": "named", "version": version, "networks": networks})
    assert studies.apply(site.access, study, "ops", site.now)


def read_by(site: Site) -> list[str]:
    with site.access.database.read() as connection:
        query = select(tables.estimates.c.network).order_by(tables.estimates.c.id)
        return [name.partition("@")[0] for name in connection.execute(query).scalars() if name]


def test_another_network_in_the_study_reads_without_a_restart(site: Site) -> None:
    name_networks(site, "default")
    site.person()
    page = Page(site)
    page.start()
    page.see()
    name_networks(site, "large")
    page.visitor.get("/notice")
    page.send()  # on a busy machine what was seen before is refused first, and this frame then, too
    until(lambda: not site.app.extensions["affect-tracker"].captures.running)
    told = page.send()
    assert told.status_code == 409
    assert "changed which network" in told.text
    page.start()
    page.see()
    page.stop()
    assert site.app.config["LOADED"] == ["default", "large"]
    assert set(read_by(site)[-1:]) <= {"large"}
    assert "large" in read_by(site)


def test_the_same_networks_in_another_study_load_nothing_anew(site: Site) -> None:
    name_networks(site, "default")
    site.person()
    page = Page(site)
    assert page.look(FRAME).status_code == 200
    name_networks(site, "large", "default")
    page.visitor.get("/notice")
    assert page.look(FRAME).status_code == 200
    assert site.app.config["LOADED"] == ["default"], "it is named still"


def test_a_network_that_cannot_be_loaded_reads_nothing_and_says_so(site: Site) -> None:
    name_networks(site, "default")
    site.person()
    page = Page(site)
    assert page.look(FRAME).status_code == 200
    name_networks(site, "missing")
    page.visitor.get("/notice")
    told = page.look(FRAME)
    assert told.status_code == 503
    assert "cannot be read here right now" in told.text
    name_networks(site, "default", "large")
    page.visitor.get("/notice")
    assert page.look(FRAME).status_code == 200, "and goes on as soon as it can"


def test_who_captures_while_nothing_can_be_loaded_is_told_that_it_ended(site: Site) -> None:
    name_networks(site, "default")
    site.person()
    page = Page(site)
    page.start()
    page.see()
    name_networks(site, "missing")
    page.visitor.get("/notice")
    assert page.look(FRAME).status_code == 503
    page.send()
    until(lambda: not site.app.extensions["affect-tracker"].captures.running)
    assert "changed which network" in page.send().text
