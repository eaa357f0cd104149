"""What a network does not read is null to programs, and nothing of it is counted by the client."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.builders import observed, store
from tests.webui.api.programs import program
from tests.webui.site import Site
from tracker.client.results import distribution
from tracker.domain.affect import Distribution
from tracker.domain.series import Estimate

SEVEN = Distribution.from_sequence([0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0])


def test_contempt_of_a_network_of_seven_is_null(lite: Site) -> None:
    ada = lite.person()
    seen = observed(lite.now - timedelta(minutes=5))
    store(lite.access, ada, [type(seen)(seen.observation, (Estimate("seven@0", SEVEN),))], lite.now)
    asked = program(lite, ada)
    page: Any = asked.get("/timeline/moments").json
    [moment] = page["items"]
    assert moment["network"]["contempt"] is None
    assert distribution(moment["network"]) == SEVEN
    given: Any = asked.post("/corrections", {"at": moment["at"], "emotion": "contempt"}).json
    assert given["network"]["contempt"] is None
    assert given["after"]["contempt"] > 0
