"""One way, or more, to break each invariant: the text in the tree, and what takes its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that stands in a file exactly once, and what takes its place."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """A way to break an invariant."""

    number: int
    told: str
    edits: tuple[Edit, ...]


def _change(number: int, told: str, path: str, old: str, new: str, *more: Edit) -> Mutation:
    return Mutation(number, told, (Edit(path, old, new), *more))


MUTATIONS: tuple[Mutation, ...] = ()
