"""How raters agree: with each other, with known answers, with the network and with the participants themselves.

No figure here decides anything by itself. Each share has its interval, each rater stands by a number, and whoever did
not agree to be compared has no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

import numpy as np

from tracker.access import Access
from tracker.domain.affect import EMOTIONS, Distribution, Emotion
from tracker.domain.members import Member
from tracker.domain.raters import RaterScope, rater_notice
from tracker.domain.rating import Verdict
from tracker.learning.agreement import Alpha, Floats, Metric
from tracker.learning.agreement_confusion import Confusion, confused, middle_between
from tracker.learning.agreement_together import remembered
from tracker.learning.queueing import drawn
from tracker.learning.shares import Share, share
from tracker.store import raters, rating_votes
from tracker.store.rating_votes import VoteRow
from tracker.workflows.rating import doors, gathering
from tracker.workflows.rating.gathering import Gathered, Meant, Place
from tracker.workflows.rating.queue import CROP

_WORDLESS = {Verdict.CANNOT_TELL: len(EMOTIONS), Verdict.NOT_A_FACE: len(EMOTIONS) + 1}


@dataclass(frozen=True, slots=True)
class RaterFigures:
    """One rater's figures: the six columns, and what they rest on.

    Attributes
    ----------
    member
        Their id.
    votes
        How many answers stand.
    with_network, with_others
        How often they said what the network said, and what another rater said of the same item.
    labels
        How often they said each emotion, mixed answers in parts.
    cannot_tell
        How often no emotion could be said.
    speed_ms
        How long an answer took, by the middle one; None where they do not let it be measured.
    time_s
        How long all answers took together; None likewise.
    with_known, with_self
        How often they gave a known answer, and what the participant says of themselves.
    weight
        How much their word counts, from chance to 1.
    confusion
        ``(8, 8)``: how often they say the second when the first is true; None where nothing can be learned of them.
    by_network, by_others
        What they said, counted by what the network, or another rater, said of the same item; None where none did.
    speed_between_ms
        Between what limits the middle answering time lies at 95 %, by ranks; None of fewer than six answers.
    timed
        On how many answers the times rest.
    """

    member: str
    votes: int
    with_network: Share | None
    with_others: Share | None
    labels: dict[Emotion, float]
    cannot_tell: Share | None
    speed_ms: float | None
    time_s: float | None
    with_known: Share | None
    with_self: Share | None
    weight: float
    confusion: Floats | None
    by_network: Confusion | None = None
    by_others: Confusion | None = None
    speed_between_ms: tuple[float, float] | None = None
    timed: int = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How raters agree, as far as it may be known now.

    Attributes
    ----------
    words
        Alpha of what was said, nominal; 'cannot tell' and 'not a face' are words of their own.
    valence, arousal
        Alpha of these, by their differences.
    items, votes
        How many items have an answer of those who agreed to be compared, and how many answers of theirs there are: a
        sum over others too, less the rows, would be what somebody who refuses said.
    estimated
        Whether raters' reliability could be estimated: several saw an item, or an answer is known.
    converged
        Whether that came to rest; None where nothing was estimated.
    raters
        Those who agreed to be compared, by id.
    uncompared
        How many did not.
    network_on_drawn
        How often the network says what raters say together, on the items drawn at random beforehand: the one share here
        that speaks for all items. None where none of these has a word.
    """

    words: Alpha
    valence: Alpha
    arousal: Alpha
    items: int
    votes: int
    estimated: bool
    converged: bool | None
    raters: tuple[RaterFigures, ...]
    uncompared: int
    network_on_drawn: Share | None


def agreement(access: Access, now: datetime) -> Agreement:
    """How raters agree now, over every item whose participant shows it still."""
    found = gathering.gather(access, now)
    named = gathering.compared(access)
    members = sorted({row.member for _, row in found.votes})
    # Whoever refuses to be compared is compared with nobody, and nobody with them; no sum has them in it either.
    among = replace(found, votes=[(place, row) for place, row in found.votes if row.member in named])
    meant = gathering.understand(among.votes, gathering.answers_of(found), named)
    timed = _timed(access)
    words, valence, arousal = remembered(
        (_table(among, _word), Metric.NOMINAL),
        (_table(among, lambda row: row.valence), Metric.INTERVAL),
        (_table(among, lambda row: row.arousal), Metric.INTERVAL),
    )
    return Agreement(
        words=words,
        valence=valence,
        arousal=arousal,
        items=len({place for place, _ in among.votes}),
        votes=len(among.votes),
        estimated=meant.skills is not None,
        converged=meant.skills.converged if meant.skills is not None else None,
        raters=tuple(
            _figures(among, meant, member, timed=member in timed) for member in members if member in named
        ),
        uncompared=len(set(members) - named),
        network_on_drawn=_on_drawn(among, meant, doors.study_in_force(access).rating.random_every),
    )


def _on_drawn(found: Gathered, meant: Meant, every: int) -> Share | None:
    """How often the network says what raters say, one item one vote, where chance alone brought the item to them."""
    otherwise = {place for place, row in found.votes if not row.random}
    words = [
        (place, said.top)
        for place, (said, _) in gathering.put_together(found.votes, meant).items()
        if drawn(*place, every) and place not in otherwise and place not in found.known
    ]
    return share(sum(found.machine[place].top is top for place, top in words), len(words))


BATCH = 20
"""A rater's own shares count whole batches of so many items: from one more item nobody reads what it was."""


def own_figures(access: Access, member: Member, now: datetime) -> RaterFigures | None:
    """A rater's own figures; None where they did not agree to be compared, or have said nothing.

    They are no oracle: what a participant says of themselves is no part of them, each item counts with the first word
    on it, whatever superseded that, and each share counts whole batches of `BATCH` items, none before the first is
    full. Who could watch a share after each word would read the known answer and the network's word from it. Weight and
    confusion, which rest on what stands now, are left at what nobody knows anything of has.

    Raises
    ------
    NoRaterError
        When they have no part in the study, or have not agreed to be measured.
    """
    with access.database.read() as connection:
        allows = doors.demand_rater(connection, member, doors.study_in_force(access))
    if RaterScope.AGREEMENT not in allows:
        return None
    found = gathering.gather(access, now)
    if all(row.member != member.id for _, row in found.votes):
        return None
    first = _first_words(access, member, found)
    named = gathering.compared(access) - {member.id}
    others = [(place, row) for place, row in found.votes if row.member in named]
    only = replace(found, votes=[*others, *first], own={})
    figures = _figures(only, None, member.id, timed=RaterScope.SPEED in allows)
    told = {place for place, _ in others}
    return replace(
        figures,
        with_network=_against(_batched(first, found.machine), found.machine),
        with_others=_as_others(_batched(first, told), _by_place(others)),
        with_known=_against(_batched(first, found.known), found.known),
        with_self=None,
        by_network=None,
        by_others=None,
    )


def _timed(access: Access) -> frozenset[str]:
    """The raters who let their times be kept under the notice that stands."""
    with access.database.read() as connection:
        stands = rater_notice(doors.study_in_force(access).help_contact).sha256
        return raters.allowing(connection, RaterScope.SPEED.value, stands)


def _first_words(access: Access, member: Member, found: Gathered) -> list[tuple[Place, VoteRow]]:
    """What a rater said of each item first, of those that may be looked at now, in the order in which they said it."""
    with access.database.read() as connection:
        rows = rating_votes.of_member(connection, member.id, standing_only=False)
        subjects = rating_votes.subjects_of(connection, member.id)
    first: dict[Place, VoteRow] = {}
    for row in rows:
        place = (subjects[row.task], row.observation)
        if row.kind == CROP and row.verdict.counts and place in found.machine:
            first.setdefault(place, row)
    return list(first.items())


def _batched(
    mine: Sequence[tuple[Place, VoteRow]], among: Container[Place]
) -> Sequence[tuple[Place, VoteRow]]:
    shared = [(place, row) for place, row in mine if place in among]
    return shared[: len(shared) // BATCH * BATCH]


def _figures(found: Gathered, meant: Meant | None, member: str, *, timed: bool) -> RaterFigures:
    mine = [(place, row) for place, row in found.votes if row.member == member]
    others = _by_place([(place, row) for place, row in found.votes if row.member != member])
    times = [row.response_ms for _, row in mine if timed and row.response_ms is not None]
    weight, skills = 1 / len(EMOTIONS), None
    if meant is not None:
        weight, skills = meant.weights.get(member, weight), meant.skills
    beside = [(_said(row), _said(other)) for place, row in mine for other in others.get(place, ())]
    machine = [(_said(row), found.machine[place].top.value) for place, row in mine if place in found.machine]
    return RaterFigures(
        member=member,
        votes=len(mine),
        with_network=_against(mine, found.machine),
        with_others=_as_others(mine, others),
        labels=_labels([row for _, row in mine]),
        cannot_tell=share(sum(row.distribution is None for _, row in mine), len(mine)),
        speed_ms=float(median(times)) if times else None,
        time_s=sum(times) / 1000 if times else None,
        with_known=_against(mine, found.known),
        with_self=_against(mine, found.own),
        weight=weight,
        confusion=skills.confusion[meant.members.index(member)]
        if meant is not None and skills is not None and member in meant.members
        else None,
        by_network=confused(machine),
        by_others=confused(beside),
        speed_between_ms=middle_between(times),
        timed=len(times),
    )


def _by_place(votes: Sequence[tuple[Place, VoteRow]]) -> dict[Place, list[VoteRow]]:
    found: dict[Place, list[VoteRow]] = {}
    for place, row in votes:
        found.setdefault(place, []).append(row)
    return found


def _as_others(mine: Sequence[tuple[Place, VoteRow]], others: dict[Place, list[VoteRow]]) -> Share | None:
    pairs = [(_word(row), _word(other)) for place, row in mine for other in others.get(place, ())]
    return share(sum(a == b for a, b in pairs), len(pairs))


def _against(mine: Sequence[tuple[Place, VoteRow]], truth: dict[Place, Distribution]) -> Share | None:
    """How often an answer is that of somebody else; what is no emotion is none of theirs."""
    judged = [(row.distribution, truth[place]) for place, row in mine if place in truth]
    return share(sum(said is not None and said.top is true.top for said, true in judged), len(judged))


def _labels(rows: Sequence[VoteRow]) -> dict[Emotion, float]:
    sums: Counter[Emotion] = Counter()
    for row in rows:
        if row.distribution is not None:
            sums.update({e: row.distribution[e] for e in EMOTIONS if row.distribution[e]})
    total = sum(sums.values())
    return {e: sums[e] / total for e in EMOTIONS} if total else {}


def _said(row: VoteRow) -> str:
    return row.distribution.top.value if row.distribution is not None else row.verdict.value


def _word(row: VoteRow) -> float | None:
    if row.distribution is not None:
        return float(EMOTIONS.index(row.distribution.top))
    return float(_WORDLESS[row.verdict])


def _table(found: Gathered, of: Callable[[VoteRow], float | None]) -> Floats:
    places = list(dict.fromkeys(place for place, _ in found.votes))
    members = sorted({row.member for _, row in found.votes})
    row_of, column_of = {m: i for i, m in enumerate(members)}, {p: i for i, p in enumerate(places)}
    table = np.full((len(members), len(places)), np.nan)
    for place, row in found.votes:
        value = of(row)
        if value is not None:
            table[row_of[row.member], column_of[place]] = value
    return table
