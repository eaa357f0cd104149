"""Who may ask for what, and of whose objects: one row for each endpoint, and what has no row does not start.

The row is looked up before anything else happens in a request. What it says of roles is decided here; that an endpoint
finds objects of its own person alone, or of the study alone, is the endpoint's to do, and
``tests/webui/test_roles.py`` asks every endpoint as every role for its own and for others' objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from flask import Flask

from tracker.domain.members import Role
from tracker.domain.tokens import Purpose


class Objects(StrEnum):
    """Whose objects an endpoint shows or changes."""

    NOBODYS = "nobody's"
    OWN = "one's own"
    STUDY = "of the study in which one has the role, as far as their person granted it"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may ask for an endpoint.

    Attributes
    ----------
    roles
        Whoever has one of them in the study in force; a participant is one by being enrolled.
    objects
        Whose objects are meant.
    anybody
        Also who is not logged in.
    looked_up
        Whether it is looked up who asks; not where nothing depends on it.
    fresh
        The endpoint to go back to after saying once more that it is oneself, where that must not be long ago; empty
        where it may.
    program
        Whether it is for programs: a token alone lets in, never a session.
    purpose
        What the token must be for; None: any will do.
    """

    roles: frozenset[Role]
    objects: Objects = Objects.OWN
    anybody: bool = False
    looked_up: bool = True
    fresh: str = ""
    program: bool = False
    purpose: Purpose | None = None

    def allows(self, roles: Iterable[Role]) -> bool:
        """Whether somebody with these roles may.

        Examples
        --------
        >>> RULES["mydata.page"].allows([Role.OPERATOR]), RULES["account.page"].allows([Role.OPERATOR])
        (False, True)
        """
        # A member of another study has no role in this one, but an account all the same.
        return self.roles == _EVERY or not self.roles.isdisjoint(roles)


_EVERY = frozenset(Role)
_PARTICIPANT = frozenset({Role.PARTICIPANT})
_RATER = frozenset({Role.RATER})
_RESEARCHER = frozenset({Role.RESEARCHER})
_OPERATOR = frozenset({Role.OPERATOR})
_STEERING = _RESEARCHER | _OPERATOR


def _public() -> Rule:
    """The same for everybody: who asks is not even looked up."""
    return Rule(_EVERY, Objects.NOBODYS, anybody=True, looked_up=False)


def _anybody(objects: Objects = Objects.NOBODYS) -> Rule:
    """Also for who is not logged in."""
    return Rule(_EVERY, objects, anybody=True)


def _everybody(fresh: str = "") -> Rule:
    """Whoever is logged in, of themselves."""
    return Rule(_EVERY, fresh=fresh)


def _participant(fresh: str = "") -> Rule:
    """A participant, of themselves."""
    return Rule(_PARTICIPANT, fresh=fresh)


def _rater(objects: Objects = Objects.STUDY, fresh: str = "") -> Rule:
    """A rater of the study."""
    return Rule(_RATER, objects, fresh=fresh)


def _at_a_desk() -> Rule:
    """A rater, or a researcher who decides between raters, of themselves."""
    return Rule(_RATER | _RESEARCHER)


def _researcher() -> Rule:
    """A researcher of the study."""
    return Rule(_RESEARCHER, Objects.STUDY)


_OF_PURPOSE: dict[Purpose, tuple[frozenset[Role], Objects]] = {
    Purpose.TIMELINE: (_PARTICIPANT, Objects.OWN),
    Purpose.ANSWERS: (_PARTICIPANT, Objects.OWN),
    Purpose.CAPTURE: (_PARTICIPANT, Objects.OWN),
    Purpose.CONSENT: (_PARTICIPANT, Objects.OWN),
    Purpose.GRANTS: (_PARTICIPANT, Objects.OWN),
    Purpose.HIDING: (_PARTICIPANT, Objects.OWN),
    Purpose.ARCHIVE: (_PARTICIPANT, Objects.OWN),
    Purpose.ERASURE: (_PARTICIPANT, Objects.OWN),
    Purpose.RATING: (_RATER, Objects.STUDY),
    Purpose.ADJUDICATION: (_RESEARCHER, Objects.STUDY),
    Purpose.MONITOR: (_RESEARCHER, Objects.STUDY),
    Purpose.STUDIES: (_STEERING, Objects.NOBODYS),
    Purpose.APPLYING: (_OPERATOR, Objects.NOBODYS),
    Purpose.EXPORTS: (_RESEARCHER, Objects.STUDY),
}


def _program(purpose: Purpose, only: frozenset[Role] | None = None) -> Rule:
    """A program with a token for a purpose, of somebody who has the role besides."""
    roles, objects = _OF_PURPOSE[purpose]
    return Rule(only or roles, objects, program=True, purpose=purpose)


def _whoever_was_told() -> Rule:
    """A program that names what names nobody any more, by what only whoever began it was told."""
    return Rule(_EVERY, Objects.NOBODYS, anybody=True, looked_up=False, program=True)


RULES: dict[str, Rule] = {
    "assets.file": _public(),
    "health.healthz": _public(),
    "languages.choose": _public(),
    # Coming in. Whoever is locked out can still withdraw.
    "entering.home": _everybody(),
    "entering.log_in": _anybody(),
    "entering.enter": _anybody(),
    "entering.notice_page": _participant(),
    "entering.password": _everybody(),
    "entering.log_out": _everybody(),
    "second.page": _anybody(),
    "passkeys.options": _anybody(),
    "passkeys.check": _anybody(),
    "invited.page": _anybody(),
    "invited.come_in": _anybody(),
    "leaving.page": _anybody(),
    "leaving.withdraw": _anybody(),
    "privacy.page": _anybody(),
    # Their own way in.
    "confirming.page": _everybody(),
    "account.page": _everybody(),
    "account.app": _everybody(fresh="account.page"),
    "account.codes": _everybody(fresh="account.page"),
    "account.passkey_options": _everybody(fresh="account.page"),
    "account.passkey": _everybody(fresh="account.page"),
    "account.remove": _everybody(fresh="account.page"),
    "account.end_session": _everybody(fresh="account.page"),
    "tokens.page": _everybody(fresh="tokens.page"),
    "tokens.make": _everybody(fresh="tokens.page"),
    "tokens.revoke": _everybody(fresh="tokens.page"),
    # Participants, of themselves alone.
    "consent.page": _participant(),
    "consent.receipt": _participant(),
    "consent.grant": _participant(),
    "consent.refuse": _participant(),
    "consent.withdraw": _participant(),
    "consent.confirm": _participant(),
    "consent.answer": _participant(),
    "timeline.newest": _participant(),
    "timeline.page": _participant(),
    "timeline.chart": _participant(),
    "timeline.data": _participant(),
    "capturing.page": _participant(),
    "capturing.look": _participant(),
    "capturing.start": _participant(),
    "capturing.frames": _participant(),
    "capturing.stop": _participant(),
    "capturing.context": _participant(),
    "uploading.begin": _participant(),
    "uploading.chunk": _participant(),
    "uploading.state": _participant(),
    "uploading.read": _participant(),
    "uploading.discard": _participant(),
    "answering.page": _participant(),
    "answering.question": _participant(),
    "answering.dismiss": _participant(),
    "answering.save": _participant(),
    "telling.page": _participant(),
    "telling.switch_on": _participant(),
    "telling.stop": _participant(),
    # Tells a phone that nobody is logged in, too; the form for when there is no network knows nobody.
    "answer_phone.standing": _anybody(Objects.OWN),
    "answer_shell.shell": _public(),
    "answer_shell.worker": _public(),
    "learned.page": _participant(),
    "hiding.page": _participant(),
    "hiding.ask": _participant(),
    "hiding.hide": _participant(),
    "hiding.show": _participant(),
    "hiding.delete": _participant(fresh="hiding.page"),
    "correcting.moment": _participant(),
    "correcting.picture": _participant(),
    "correcting.frame": _participant(),
    "correcting.correct": _participant(),
    "mydata.page": _participant(),
    "mydata.pause": _participant(),
    "mydata.resume": _participant(),
    "mydata.zone": _participant(),
    "mydata.download": _participant(fresh="mydata.page"),
    # Asks for the password itself.
    "mydata.erase": _participant(),
    "erased.page": _anybody(Objects.OWN),
    "erased.certificate": _anybody(Objects.OWN),
    "erased.of_scope": _participant(),
    # Raters: faces and clips of the study that their people shared, and their own answers.
    "rate.page": _rater(),
    "rate.coming": _rater(),
    "rate.closed": _rater(),
    "rate.token": _at_a_desk(),
    "rate.picture": _rater(),
    "rate.vote": _rater(),
    "rate.undo": _rater(),
    "rate.notice": _rater(Objects.OWN),
    "rate.agree": _rater(Objects.OWN),
    "rate.keys": _at_a_desk(),
    "rate.change_keys": _at_a_desk(),
    "rate.me": _rater(Objects.OWN),
    "rate.export": _rater(Objects.OWN, fresh="rate.me"),
    "rate.erase": _rater(Objects.OWN, fresh="rate.me"),
    "rate.series_list": _rater(),
    "rate.series": _rater(),
    "rate.frame": _rater(),
    "rate.series_open": _rater(),
    "rate.series_vote": _rater(),
    "rate.trace": _rater(),
    # Adjudication is its own act by its own person.
    "rate.adjudications": _researcher(),
    "rate.adjudicating": _researcher(),
    "rate.disputed": _researcher(),
    "rate.disputed_open": _researcher(),
    "rate.adjudicate": _researcher(),
    # How the study goes: of those who share with researchers, and of everybody in sums with noise.
    "datasets.page": _researcher(),
    "datasets.state": _researcher(),
    "datasets.begin": Rule(_RESEARCHER, Objects.STUDY, fresh="datasets.page"),
    "datasets.download": Rule(_RESEARCHER, Objects.STUDY, fresh="datasets.page"),
    "datasets.discard": _researcher(),
    "monitor.people": _researcher(),
    "monitor.prompts": _researcher(),
    "monitor.prompts_csv": _researcher(),
    "monitor.person": _researcher(),
    "monitor.days_csv": _researcher(),
    "monitor.learners_csv": _researcher(),
    "monitor.reliability_csv": _researcher(),
    "monitor.raters": _researcher(),
    "monitor.raters_csv": _researcher(),
    "monitor.confusion_csv": _researcher(),
    "monitor.everybody": _researcher(),
    "monitor.everybody_csv": _researcher(),
    "monitor.jobs": _researcher(),
    "monitor.jobs_csv": _researcher(),
    # Programs, with a token of their person's: what that person may, as far as the token is for it.
    "api_docs.page": _anybody(),
    "api_docs.openapi": _public(),
    "api_token.show": Rule(_EVERY, program=True),
    "api_timeline.moments": _program(Purpose.TIMELINE),
    "api_timeline.points": _program(Purpose.TIMELINE),
    "api_timeline.kept": _program(Purpose.TIMELINE),
    "api_timeline.picture": _program(Purpose.TIMELINE),
    "api_answers.offers": _program(Purpose.ANSWERS),
    "api_answers.answer": _program(Purpose.ANSWERS),
    "api_answers.correct": _program(Purpose.ANSWERS),
    "api_answers.context": _program(Purpose.ANSWERS),
    "api_prompts.listing": _program(Purpose.ANSWERS),
    "api_prompts.waiting": _program(Purpose.ANSWERS),
    "api_prompts.start": _program(Purpose.ANSWERS),
    "api_prompts.dismiss": _program(Purpose.ANSWERS),
    "api_prompts.zone": _program(Purpose.ANSWERS),
    "api_prompts.move": _program(Purpose.ANSWERS),
    "api_consent.standing": _program(Purpose.CONSENT),
    "api_consent.history": _program(Purpose.CONSENT),
    "api_consent.receipt": _program(Purpose.CONSENT),
    "api_consent.refuse": _program(Purpose.CONSENT),
    "api_consent.answer": _program(Purpose.CONSENT),
    "api_consent.withdraw": _program(Purpose.CONSENT),
    "api_consent.pausing": _program(Purpose.CONSENT),
    "api_consent.pause": _program(Purpose.CONSENT),
    "api_grants.notice": _program(Purpose.GRANTS),
    "api_grants.standing": _program(Purpose.GRANTS),
    "api_grants.grant": _program(Purpose.GRANTS),
    "api_grants.confirm": _program(Purpose.GRANTS),
    "api_hiding.listing": _program(Purpose.HIDING),
    "api_hiding.holds": _program(Purpose.HIDING),
    "api_hiding.hide": _program(Purpose.HIDING),
    "api_hiding.show": _program(Purpose.HIDING),
    "api_archives.begin": _program(Purpose.ARCHIVE),
    "api_archives.state": _program(Purpose.ARCHIVE),
    "api_archives.download": _program(Purpose.ARCHIVE),
    "api_erasures.listing": _program(Purpose.ERASURE),
    "api_erasures.begin": _program(Purpose.ERASURE),
    "api_erased.state": _whoever_was_told(),
    "api_erased.certificate": _whoever_was_told(),
    "api_capture.look": _program(Purpose.CAPTURE),
    "api_capture.start": _program(Purpose.CAPTURE),
    "api_capture.frame": _program(Purpose.CAPTURE),
    "api_capture.stop": _program(Purpose.CAPTURE),
    "api_uploads.begin": _program(Purpose.CAPTURE),
    "api_uploads.piece": _program(Purpose.CAPTURE),
    "api_uploads.state": _program(Purpose.CAPTURE),
    "api_uploads.read": _program(Purpose.CAPTURE),
    "api_uploads.discard": _program(Purpose.CAPTURE),
    "api_rating.coming": _program(Purpose.RATING),
    "api_rating.picture": _program(Purpose.RATING),
    "api_rating.vote": _program(Purpose.RATING),
    "api_rating.undo": _program(Purpose.RATING),
    "api_rating.last": _program(Purpose.RATING),
    "api_rating.progress": _program(Purpose.RATING),
    "api_rating.keys": _program(Purpose.RATING),
    "api_rating.change_keys": _program(Purpose.RATING),
    "api_rater.figures": _program(Purpose.RATING),
    "api_rater.notice": _program(Purpose.GRANTS, _RATER),
    "api_rater.standing": _program(Purpose.GRANTS, _RATER),
    "api_rater.agree": _program(Purpose.GRANTS, _RATER),
    "api_rater.take_along": _program(Purpose.ARCHIVE, _RATER),
    "api_rater.erase": _program(Purpose.ERASURE, _RATER),
    "api_clips.listing": _program(Purpose.RATING),
    "api_clips.show": _program(Purpose.RATING),
    "api_clips.picture": _program(Purpose.RATING),
    "api_clips.standing": _program(Purpose.RATING),
    "api_clips.trace": _program(Purpose.RATING),
    "api_adjudication.listing": _program(Purpose.ADJUDICATION),
    "api_adjudication.show": _program(Purpose.ADJUDICATION),
    "api_adjudication.picture": _program(Purpose.ADJUDICATION),
    "api_adjudication.standing": _program(Purpose.ADJUDICATION),
    "api_adjudication.decide": _program(Purpose.ADJUDICATION),
    "api_monitor.people": _program(Purpose.MONITOR),
    "api_monitor.person": _program(Purpose.MONITOR),
    "api_monitor.prompts": _program(Purpose.MONITOR),
    "api_monitor.raters": _program(Purpose.MONITOR),
    "api_monitor.everybody": _program(Purpose.MONITOR),
    "api_monitor.jobs": _program(Purpose.MONITOR),
    "api_monitor.table": _program(Purpose.MONITOR),
    "api_monitor.table_of": _program(Purpose.MONITOR),
    "api_studies.show": _program(Purpose.STUDIES),
    "api_studies.versions": _program(Purpose.STUDIES),
    "api_studies.check": _program(Purpose.STUDIES),
    "api_studies.diff": _program(Purpose.STUDIES),
    "api_exports.listing": _program(Purpose.EXPORTS),
    "api_exports.begin": _program(Purpose.EXPORTS),
    "api_exports.state": _program(Purpose.EXPORTS),
    "api_exports.download": _program(Purpose.EXPORTS),
    "api_exports.discard": _program(Purpose.EXPORTS),
    "api_studies.preview": _program(Purpose.STUDIES, _OPERATOR),
    "api_applying.apply": _program(Purpose.APPLYING),
}
"""Every endpoint of the app."""


PROGRAMS = "/api/"
"""Under which everything is for programs, what is not there too."""


class UnruledEndpointError(RuntimeError):
    """An endpoint has no row in the table of roles, so nobody could say who may ask for it."""


def rule(endpoint: str) -> Rule:
    """The row of an endpoint."""
    return RULES[endpoint]


def demand_complete(app: Flask) -> None:
    """Raise `UnruledEndpointError` when an endpoint of the app has no row."""
    missing = sorted({r.endpoint for r in app.url_map.iter_rules()} - RULES.keys())
    if missing:
        raise UnruledEndpointError(
            f"nobody said who may ask for {', '.join(missing)}: add a row to RULES in webui/roles.py"
        )
