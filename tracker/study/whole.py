"""A study: everything its file says, and the rules that span its tables."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tracker.domain.consent import Scope
from tracker.domain.instants import InstantError, require_zone
from tracker.domain.notice import CARDS, HELP_CONTACT, LANGUAGE, VERSION
from tracker.domain.pushing import contact_in
from tracker.domain.schedules import Plan
from tracker.study import scheduling
from tracker.study.asked_for import scope_problems
from tracker.study.asking import AskingRules, Prompts
from tracker.study.deployment import ATTESTED, REFUSED, Deployment
from tracker.study.errors import (
    NetworkNotNamedError,
    NoPublicExportError,
    ScopeNotAskedError,
    StudyClosedError,
)
from tracker.study.parts import (
    Aggregates,
    Attestation,
    CardWords,
    Coarsening,
    ConsentRules,
    Controller,
    ExportRules,
    Language,
    Line,
    Part,
    Purpose,
    Resolution,
    Retention,
    Words,
)
from tracker.study.questions import Contexts, OwnQuestion, question_problems
from tracker.study.rating import RatingRules

NetworkName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}(@[0-9a-f]{12})?$")]
"""A network by its name, or this very one by its name and the first digits of its weights' SHA-256."""

INHERITS: Mapping[Scope, tuple[Scope, ...]] = {
    Scope.FACE_CROPS: (Scope.AFFECT_SERIES,),
    Scope.RAW_VIDEO: (Scope.AFFECT_SERIES,),
    Scope.NOTES: (Scope.AFFECT_SERIES,),
    Scope.PERSONAL_LEARNING: (Scope.AFFECT_SERIES,),
}
"""Whose rows hang on rows of which other scope, and so are kept no longer than those."""


class Study(Part):
    """One study.

    Attributes
    ----------
    id, title, version
        How it is called; the version changes with every change of the file.
    help_contact
        Whom participants ask; on every page.
    deployment_context
        Where it runs; some places are refused.
    controller, purposes
        Who answers for it, and what the data are used for.
    jurisdiction, storage, recipients
        Whose law holds, where the data lie and who receives them, for consent records.
    scopes
        What participants are asked to allow, each by itself; nothing else can be granted. Unless said, everything.
    zone
        The time zone of whoever is enrolled without one of their own.
    networks
        Which networks may read faces, the usual one first; empty: any.
    targets, contexts
        What can be answered beside what every study asks, see `tracker.study.questions`.
    attestation
        Who answers for an exception, where the deployment needs one.
    consent, retention, coarsening, aggregates, export
        See `tracker.study.parts`.
    asking, prompts
        What is asked when, see `tracker.study.asking`; no prompts: nothing is asked by itself.
    rating
        How items are put before raters, see `tracker.study.rating`.
    languages
        The notice's own words, by language; empty: the software's English ones.
    closed
        Whether it takes in nothing new. ``affect-tracker study close`` sets it.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: Line
    version: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,32}$")]
    help_contact: Line
    deployment_context: Deployment
    controller: Controller
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1, max_length=20)]
    jurisdiction: Line = "EU"
    storage: tuple[Line, ...] = ("the controller's own machine",)
    recipients: tuple[Line, ...] = ("the researchers of this study",)
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = tuple(Scope)
    zone: str | None = None
    networks: Annotated[tuple[NetworkName, ...], Field(max_length=20)] = ()
    targets: Annotated[tuple[OwnQuestion, ...], Field(max_length=20)] = ()
    contexts: Contexts = Contexts()
    attestation: Attestation | None = None
    consent: ConsentRules = ConsentRules()
    retention: Retention = Retention()
    coarsening: Coarsening = Coarsening()
    aggregates: Aggregates = Aggregates()
    export: ExportRules = ExportRules()
    asking: AskingRules = AskingRules()
    prompts: Annotated[tuple[Prompts, ...], Field(max_length=20)] = ()
    rating: RatingRules = RatingRules()
    languages: Mapping[Language, Words] = Field(default_factory=dict)
    closed: bool = False

    def document(self) -> dict[str, Any]:
        """The study as JSON, every default said; without what came later where it says nothing.

        A study that was applied before there were prompts is the same study still.
        """
        said: dict[str, Any] = self.model_dump(mode="json")
        if not self.prompts and self.asking == AskingRules():
            del said["prompts"], said["asking"]
        elif not self.asking.web_push:
            del said["asking"]["web_push"]
        for name in _LATER:
            if getattr(self, name) == type(self).model_fields[name].default:
                del said[name]
        if self.export.public:
            del said["export"]["public"]
        for words in said["languages"].values():
            if not words["questions"]:
                del words["questions"]
        return said

    @property
    def sha256(self) -> str:
        """SHA-256 of `document`."""
        return hashlib.sha256(
            json.dumps(self.document(), sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()

    @property
    def plan(self) -> Plan:
        """When its prompts fall due."""
        return scheduling.plan_of(self.id, self.asking, self.prompts)

    @property
    def own_questions(self) -> tuple[OwnQuestion, ...]:
        """What it asks beside what every study does: its `targets`, and what only prompts name, by its bare name.

        Examples
        --------
        >>> said = Prompts(id="evening", at=("21:00",), asks=("emotion", "number:stress"))
        >>> [q.question for q in DEFAULT.model_copy(update={"prompts": (said,)}).own_questions]
        ['stress']
        """
        known = {target.name for target in self.targets}
        more = dict.fromkeys(name for said in self.prompts for name in said.asks if ":" in name)
        bare = (
            OwnQuestion(name=name, question=name.partition(":")[2].strip())
            for name in more
            if name not in known
        )
        return (*self.targets, *bare)

    def demand_open(self, what: str) -> None:
        """Raise `StudyClosedError`, saying what cannot be done, when the study is closed."""
        if self.closed:
            raise StudyClosedError(what)

    def demand_asked(self, scopes: Iterable[Scope]) -> None:
        """Raise `ScopeNotAskedError` when one of these is nothing that the study asks for."""
        for scope in scopes:
            if scope not in self.scopes:
                raise ScopeNotAskedError(scope, self.scopes)

    def reads_with(self, network: str) -> bool:
        """Whether a network may read faces, by its id (``name@digits``).

        Examples
        --------
        >>> DEFAULT.reads_with("default@0123456789ab")
        True
        >>> named = DEFAULT.model_copy(update={"networks": ("default", "large@0123456789ab")})
        >>> [named.reads_with(n) for n in ("default@99", "large@0123456789ab", "large@aaaaaaaaaaaa")]
        [True, True, False]
        """
        return not self.networks or bool({network, network.partition("@")[0]} & set(self.networks))

    @property
    def usual_network(self) -> str:
        """The name of the network that reads unless another is asked for."""
        return self.networks[0].partition("@")[0] if self.networks else "default"

    def demand_network(self, network: str) -> None:
        """Raise `NetworkNotNamedError` when a network may not read faces."""
        if not self.reads_with(network):
            raise NetworkNotNamedError(network, self.networks)

    def demand_public_exports(self) -> None:
        """Raise `NoPublicExportError` when no dataset for everybody may be made."""
        if not self.export.public:
            raise NoPublicExportError

    def closing(self) -> Study:
        """The same study, closed."""
        return self.model_copy(update={"closed": True})

    @model_validator(mode="after")
    def _rules(self) -> Self:
        found = [
            *_deployment(self),
            *_attestation(self),
            *_zone(self),
            *_coarsening(self),
            *_languages(self),
            *scope_problems(self),
            *question_problems(self.targets, self.contexts, self.prompts),
            *scheduling.problems(self.asking, self.prompts),
            *_pushing(self),
        ]
        if found:
            # With their places, which a plain ValueError cannot carry: the reader finds the lines by them.
            raise PydanticCustomError("rules", "{problems}", {"problems": found})
        return self


_LATER = ("rating", "scopes", "zone", "networks", "targets", "contexts")
"""Keys that studies were applied without: where they say nothing new, they are no part of the document."""

_Problems = Iterator[tuple[str, tuple[str | int, ...], str]]


def _pushing(study: Study) -> _Problems:
    if not study.asking.web_push:
        return
    where = ("asking", "web_push")
    if not study.prompts:
        yield (
            "rule",
            where,
            "nothing is asked by itself ([[prompts]]), so there is nothing to push; leave it out",
        )
    if contact_in(study.controller.contact) is None:
        yield (
            "rule",
            where,
            "push services want to know whom to write to: say a mail address or an https:// page as contact in "
            "[controller]",
        )


def _deployment(study: Study) -> _Problems:
    where = study.deployment_context
    if where in REFUSED:
        yield (
            "forbidden",
            ("deployment_context",),
            f"{where.value} is refused: this software is not for it, and no attestation changes that",
        )
    if where in ATTESTED and study.attestation is None:
        yield (
            "forbidden",
            ("deployment_context",),
            f"{where.value} is refused but for medical or safety reasons (EU AI Act, Art. 5(1)(f)); where that "
            "is so, say who answers for it: [attestation] ground, by, why, on",
        )


def _attestation(study: Study) -> _Problems:
    if study.attestation is not None and study.deployment_context not in ATTESTED:
        names = " or ".join(sorted(d.value for d in ATTESTED))
        yield (
            "rule",
            ("attestation",),
            f"there is nothing to attest for {study.deployment_context.value}, only for {names}; leave it out",
        )


def _zone(study: Study) -> _Problems:
    try:
        if study.zone is not None:
            require_zone(study.zone)
    except InstantError as error:
        yield "rule", ("zone",), str(error)


def _coarsening(study: Study) -> _Problems:
    steps, place = study.coarsening.affect_series, ("coarsening", "affect_series")
    order = list(Resolution)
    for before, after in itertools.pairwise(steps):
        if after.after_days <= before.after_days or order.index(after.to) <= order.index(before.to):
            yield (
                "rule",
                place,
                f"{after.to.value} after {after.after_days} days follows {before.to.value} after "
                f"{before.after_days}; each step must come later than the one before it, and be coarser",
            )
    if not steps:
        return
    kept = study.retention.affect_series
    if kept is not None and kept <= steps[-1].after_days:
        yield (
            "rule",
            place,
            f"the series is erased after {kept} days, before it becomes one row per {steps[-1].to.value} after "
            f"{steps[-1].after_days}; keep it longer, or leave that step out",
        )
    crops = study.retention.face_crops
    if crops is None or crops > steps[0].after_days:
        yield (
            "rule",
            place,
            f"face pictures would hold on to moments that the series gives up after {steps[0].after_days} days; "
            f"say face_crops = {steps[0].after_days} in [retention], or less",
        )


def _languages(study: Study) -> _Problems:
    for language, words in study.languages.items():
        if language != LANGUAGE:
            yield from _whole(study, language, words)
        for scope, card in words.cards.items():
            days = days_of(study, scope)
            if card.how_long is not None and days is not None and str(days) not in card.how_long:
                yield (
                    "rule",
                    ("languages", language, "cards", scope.value, "how_long"),
                    f"what is shown must name the {days} days that [retention] allows",
                )
        for name in words.questions:
            if name not in {target.name for target in study.targets}:
                yield (
                    "rule",
                    ("languages", language, "questions", name),
                    f"{name!r} is none of [[targets]], so nobody is asked it; leave it out, or name it there",
                )
        ends = study.consent.expires_after_days
        if words.preamble is not None and ends is not None and str(ends) not in words.preamble:
            yield (
                "rule",
                ("languages", language, "preamble"),
                f"what is shown must name the {ends} days after which consent ends",
            )


def _whole(study: Study, language: str, words: Words) -> _Problems:
    missing = [name for name in ("title", "preamble", "purposes") if getattr(words, name) is None]
    if missing:
        yield (
            "rule",
            ("languages", language),
            f"{missing[0]} is missing; only English words come with the software, so say it in {language}",
        )
    if words.purposes is not None and len(words.purposes) != len(study.purposes):
        yield (
            "rule",
            ("languages", language, "purposes"),
            f"there are {len(words.purposes)}, but the study has {len(study.purposes)}; say each of them",
        )
    for card in CARDS:
        if card.scope not in study.scopes:
            continue
        said = words.cards.get(card.scope, CardWords())
        gaps = [name for name, value in said if value is None]
        if gaps:
            yield (
                "rule",
                ("languages", language, "cards", card.scope.value),
                f"{gaps[0]} is missing; only English words come with the software, so say it in {language}",
            )


def days_of(study: Study, scope: Scope) -> int | None:
    """For how many days rows of a scope are kept, those included on which they hang; None: without end."""
    known = [study.retention.of(s) for s in (scope, *INHERITS.get(scope, ()))]
    if scope is Scope.RAW_VIDEO and study.coarsening.affect_series:
        # A frame would hold on to a moment that the series gives up.
        known.append(study.coarsening.affect_series[0].after_days)
    return min((days for days in known if days is not None), default=None)


DEFAULT = Study(
    id="built-in",
    title="affect-tracker",
    version=VERSION,
    help_contact=HELP_CONTACT,
    deployment_context=Deployment.PRIVATE,
    controller=Controller(name="whoever runs this installation", contact=HELP_CONTACT),
    purposes=(Purpose(text="To see how one's own face looked over time.", dpv="NonCommercialResearch"),),
)
"""What stands where no study was applied: private use, no expiry, no retention but by erasure."""
