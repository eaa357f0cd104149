"""What a study wants to do, against the scopes that it asks for: what is never asked for can never be allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tracker.domain.consent import Scope
from tracker.domain.schedules import Event
from tracker.study.questions import Contexts
from tracker.study.rating import RatingRules

if TYPE_CHECKING:
    from tracker.study.whole import Study

S = Scope
_NEEDS: dict[Scope, tuple[tuple[Scope, ...], ...]] = {
    S.CONTEXT: ((S.AFFECT_SERIES,),),
    S.FACE_CROPS: ((S.AFFECT_SERIES,),),
    S.RAW_VIDEO: ((S.AFFECT_SERIES,),),
    S.NOTES: ((S.AFFECT_SERIES,),),
    S.PERSONAL_LEARNING: ((S.AFFECT_SERIES,),),
    S.POOLED_LEARNING: ((S.AFFECT_SERIES,), (S.PERSONAL_LEARNING,)),
    S.SHARE_WITH_RATERS: ((S.FACE_CROPS, S.RAW_VIDEO),),
}
"""Beside what a scope opens nothing by itself: of each group one."""

_EVENT_NEEDS = {
    Event.FACE_AFTER_GAP: S.AFFECT_SERIES,
    Event.LEARNER_UNSURE: S.PERSONAL_LEARNING,
}

_Problems = Iterator[tuple[str, tuple[str | int, ...], str]]


def scope_problems(study: Study) -> _Problems:
    """What is wrong with the scopes of a study: of each problem the kind, the place and what to do."""
    asked = set(study.scopes)
    for n, scope in enumerate(study.scopes):
        if scope in study.scopes[:n]:
            yield "rule", ("scopes", n), f"{scope.value} is there twice; say it once"
        for group in _NEEDS.get(scope, ()):
            if asked.isdisjoint(group):
                also = " or ".join(s.value for s in group)
                yield "rule", ("scopes", n), f"{scope.value} opens nothing without {also}; ask for that too"
    for scope, place, what in _wanted(study):
        if scope not in asked:
            yield "rule", place, f"{what}, but {scope.value} is never asked for; add it to scopes"


def _wanted(study: Study) -> Iterator[tuple[Scope, tuple[str | int, ...], str]]:
    for scope in Scope:
        if study.retention.of(scope) is not None:
            yield scope, ("retention", scope.value), f"this says how long {scope.value} is kept"
    if study.coarsening.affect_series:
        yield S.AFFECT_SERIES, ("coarsening", "affect_series"), "the series would get coarser"
    for language, words in study.languages.items():
        for scope in words.cards:
            yield scope, ("languages", language, "cards", scope.value), "this card is shown to nobody"
    for n, said in enumerate(study.prompts):
        yield S.PROMPTS, ("prompts", n), "questions are put"
        if said.after is not None and said.after in _EVENT_NEEDS:
            yield _EVENT_NEEDS[said.after], ("prompts", n, "after"), f"a question follows {said.after.value}"
    if study.contexts != Contexts():
        yield S.CONTEXT, ("contexts",), "places, activities or company are offered"
    if study.rating != RatingRules():
        yield S.SHARE_WITH_RATERS, ("rating",), "this says what raters are given"
    if study.networks:
        yield S.AFFECT_SERIES, ("networks",), "networks are to read faces"
    if study.export.public and "public" in study.export.model_fields_set:
        yield S.EXPORT_PUBLIC, ("export", "public"), "public exports are allowed"
