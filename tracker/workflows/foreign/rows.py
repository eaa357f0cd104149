"""From a record of a file to what it says here, or why it is refused."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tracker.domain.affect import EMOTIONS, Distribution
from tracker.domain.instants import CLOCK_TOLERANCE, InstantError, parse_instant
from tracker.domain.people import EnrolmentError, require_name
from tracker.domain.series import Reason
from tracker.learning.kinds import EMOTION, Kind, kind_of
from tracker.workflows.foreign import instants
from tracker.workflows.foreign.errors import AskedError, Refused
from tracker.workflows.foreign.mapping import Answers, Column, Estimated, Face, MappingFile, When
from tracker.workflows.foreign.source import Record, Source

RAGGED = "another number of columns than the header"
NOBODY = "no name of a participant"
NO_NUMBER = "no number"
OFF_SCALE = "outside its scale"
UNKNOWN_WORD = "a word that the mapping does not know"
TOO_LONG = "a word of more than 64 characters"
NO_DISTRIBUTION = "no distribution over emotions"
NO_BOX = "a box without four numbers"

LONGEST_WORD = 64
_OFF_ONE = 0.02
"""How far from 1 the sum of a network's probabilities may be: they were rounded as they were written."""

_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_NUMBER = {"." : re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?"),
           ",": re.compile(r"[-+]?(\d+(,\d*)?|,\d+)([eE][-+]?\d{1,3})?")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """An answer to a target: a distribution for the emotion, else a value."""

    target: str
    distribution: Distribution | None
    value: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a program saw of one face; where there was none, only `Reason.NO_FACE`."""

    reason: Reason | None
    ours: bool
    box: tuple[float, float, float, float] | None
    score: float | None
    read: Distribution | None


@dataclass(frozen=True, slots=True)
class Row:
    """What a record says.

    Attributes
    ----------
    who
        The name of the participant, as they are called here.
    at, zone
        When (UTC) and where.
    pts_us
        Microseconds since the recording began; of answers since 1970.
    twice
        Whether its local time could have meant another instant.
    words, around, seen
        Answers, surroundings (place, activity, company), and a face.
    told_by
        Of a face without a box the whole record: two people may look the same in what is taken.
    """

    line: int
    who: str
    at: datetime
    zone: str
    pts_us: int
    twice: bool = False
    words: tuple[Word, ...] = ()
    around: tuple[str | None, str | None, str | None] | None = None
    seen: Seen | None = None
    told_by: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether anything would be stored."""
        return bool(self.words) or self.around is not None or self.seen is not None

    @property
    def content(self) -> int:
        """A number that tells what it says from anything else said of the same instant."""
        told = repr((self.zone, self.words, self.around, self.seen, self.told_by)).encode()
        return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big", signed=True)


class Reader:
    """Reads records as a mapping says.

    Parameters
    ----------
    source, mapping
        The file, and which of its columns is what.
    now
        What lies after it cannot have happened (UTC).
    participant
        Whose rows they are, where the mapping does not say.
    starts_at
        When the recording began, where the mapping does not say; ISO 8601, without an offset in the mapping's zone.

    Raises
    ------
    ForeignFileError
        When a column is not there.
    AskedError
        When nobody says whose rows they are, or when the recording began.

    Attributes
    ----------
    taken
        The columns that anything is taken from.
    """

    def __init__(
        self,
        source: Source,
        mapping: MappingFile,
        now: datetime,
        *,
        participant: str | None = None,
        starts_at: str | None = None,
    ) -> None:
        self._source, self._mapping, self._latest = source, mapping, now + CLOCK_TOLERANCE
        self._missing, self._number = frozenset(mapping.missing), _NUMBER[mapping.decimal]
        self._places = {column: source.place(column) for column in _columns(mapping)}
        self.taken = frozenset(self._places.values())
        self._width = len(source.header)
        if (mapping.participant.column is None) == (participant is None):
            raise AskedError(
                "the mapping says in which column people stand; leave --participant out"
                if participant is not None
                else "nobody says whose rows these are: say column in [participant] of the mapping, or --participant"
            )
        self._participant = participant
        self._zones: dict[str, ZoneInfo] = {}
        self._start = self._started(mapping.instant, starts_at)
        self._kinds = {answer.target: kind_of(answer.target) for answer in mapping.answers}

    def read(self, record: Record) -> Row:
        """What a record says.

        Raises
        ------
        Refused
            When it cannot be taken in.
        """
        if len(record.fields) != self._width:
            raise Refused(RAGGED, value=str(len(record.fields)))
        who = self._who(record)
        zone = self._zone(record)
        meant, pts = self._at(record, zone)
        if meant.at > self._latest:
            raise Refused(instants.FUTURE, value=meant.at.isoformat())
        mapping = self._mapping
        seen = self._seen(record, mapping.face) if mapping.face is not None else None
        return Row(
            record.line,
            who,
            meant.at,
            zone.key,
            pts,
            meant.twice,
            tuple(self._words(record)),
            self._around(record),
            seen,
            record.fields if seen is not None and seen.box is None else (),
        )

    def _who(self, record: Record) -> str:
        column = self._mapping.participant.column
        if column is None:
            assert self._participant is not None
            return self._participant
        said = self._text(record, column)
        if said is None:
            raise Refused(NOBODY, str(column))
        name = self._mapping.participant.prefix + said
        try:
            require_name(name)
        except EnrolmentError:
            raise Refused(NOBODY, str(column), said) from None
        return name

    def _zone(self, record: Record) -> ZoneInfo:
        when = self._mapping.instant
        column = when.zone_column
        said = when.zone if column is None else self._text(record, column)
        if said is None:
            raise Refused(instants.NO_ZONE, str(column))
        if said not in self._zones:
            try:
                self._zones[said] = instants.read_zone(said)
            except Refused as refused:
                raise Refused(refused.reason, str(column), said) from None
        return self._zones[said]

    def _at(self, record: Record, zone: ZoneInfo) -> tuple[instants.Meant, int]:
        when = self._mapping.instant
        column = next(
            c for c in (when.local, when.instant, when.epoch, when.seconds, when.frame, when.day) if c
        )
        said = self._text(record, column)
        try:
            if said is None:
                raise Refused(instants.NO_TIME)
            if when.seconds is not None or when.frame is not None:
                pts = self._since_start(when, record, said)
                assert self._start is not None
                return instants.Meant(instants.since_epoch(instants.microseconds(self._start) + pts)), pts
            if when.local is not None:
                meant = instants.resolve(instants.read_local(said, when.form), zone, when.ambiguous)
            elif when.instant is not None:
                meant = instants.Meant(instants.read_instant(said))
            elif when.epoch is not None:
                meant = instants.Meant(instants.since_epoch(round(self._float(said) * _UNITS[when.unit])))
            else:
                meant = instants.resolve(self._beep(when, record, said), zone, when.ambiguous)
        except Refused as refused:
            raise Refused(
                refused.reason, refused.column or str(column), refused.value or said or ""
            ) from None
        return meant, instants.microseconds(meant.at)

    def _since_start(self, when: When, record: Record, said: str) -> int:
        number = self._float(said)
        if when.frame is not None:
            assert when.frames_per_second is not None
            number = number / when.frames_per_second * 1_000_000
        else:
            number *= _UNITS[when.unit]
        if not 0 <= number < 1e15:
            raise Refused(instants.NO_TIME)
        return round(number)

    def _beep(self, when: When, record: Record, said: str) -> datetime:
        assert when.beep is not None
        assert when.first_day is not None
        day = self._float(said)
        beep = self._float(self._text(record, when.beep) or "")
        if day != int(day) or not 1 <= day <= 36_500:
            raise Refused(instants.NO_TIME)
        if beep != int(beep) or not 1 <= beep <= len(when.beeps):
            raise Refused(instants.NO_TIME, str(when.beep), f"{beep:g}")
        try:
            day_of = when.first_day + timedelta(days=int(day) - 1)
        except OverflowError:
            raise Refused(instants.NO_TIME) from None
        return instants.within_years(datetime.combine(day_of, when.beeps[int(beep) - 1]))

    def _words(self, record: Record) -> list[Word]:
        found = []
        if (named := self._mapping.emotion) is not None:
            said = self._text(record, named.column)
            if said is not None:
                if said not in named.words:
                    raise Refused(UNKNOWN_WORD, str(named.column), said)
                found.append(Word(EMOTION, Distribution.said(named.words[said]), None))
        for answer in self._mapping.answers:
            said = self._text(record, answer.column)
            if said is not None:
                found.append(Word(answer.target, None, self._value(answer, said)))
        return found

    def _value(self, answer: Answers, said: str) -> float:
        kind, column = self._kinds[answer.target], str(answer.column)
        if answer.codes is not None:
            # 1.0 is what a spreadsheet makes of 1.
            plain = said.removesuffix(f"{self._mapping.decimal}0")
            if (code := next((c for c in (said, plain) if c in answer.codes), None)) is None:
                raise Refused(UNKNOWN_WORD, column, said)
            return float(answer.codes[code])
        try:
            number = self._float(said)
        except Refused:
            raise Refused(NO_NUMBER, column, said) from None
        if answer.above is not None:
            return float(number > answer.above)
        if answer.at_least is not None:
            return float(number >= answer.at_least)
        assert answer.low is not None
        assert answer.high is not None
        share = (number - answer.low) / (answer.high - answer.low)
        if not 0 <= share <= 1:
            raise Refused(OFF_SCALE, column, said)
        return share if kind is Kind.YES_NO else 2 * share - 1

    def _around(self, record: Record) -> tuple[str | None, str | None, str | None] | None:
        around = self._mapping.contexts
        if around is None:
            return None
        place = self._category(record, around.place, around.place_words)
        activity = self._category(record, around.activity, around.activity_words)
        company = self._category(record, around.company, around.company_words)
        return (place, activity, company) if place or activity or company else None

    def _category(self, record: Record, column: Column | None, words: Mapping[str, str] | None) -> str | None:
        said = None if column is None else self._text(record, column)
        if said is None:
            return None
        if words is not None:
            plain = said.removesuffix(f"{self._mapping.decimal}0")
            if (known := next((w for w in (said, plain) if w in words), None)) is None:
                raise Refused(UNKNOWN_WORD, str(column), said)
            said = words[known].strip()
        if len(said) > LONGEST_WORD:
            raise Refused(TOO_LONG, str(column), said)
        return said or None

    def _seen(self, record: Record, face: Face) -> Seen:
        score = self._optional(record, face.score)
        succeeded = self._optional(record, face.success)
        box = self._box(record, face)
        # A face leaves something: a track that succeeded, a box, or a score. Empty is no face.
        known = [what for what in (face.success, face.box, face.score) if what is not None]
        there = (succeeded != 0 if face.success is not None else True) and (
            not known or succeeded is not None or box is not None or score is not None
        )
        if not there:
            return Seen(Reason.NO_FACE, True, None, None, None)
        if score is not None and not 0 <= score <= 1:
            raise Refused(OFF_SCALE, str(face.score), f"{score:g}")
        ours = face.id is None or self._same(self._text(record, face.id), face.chosen)
        if not ours:
            return Seen(None, False, None, None, None)
        unsure = score is not None and score < face.least_score
        read = (
            None if unsure or self._mapping.estimate is None else self._read(record, self._mapping.estimate)
        )
        return Seen(Reason.UNCLEAR if unsure else None, True, box, score, read)

    def _same(self, said: str | None, chosen: str | None) -> bool:
        return said is not None and chosen in (said, said.removesuffix(f"{self._mapping.decimal}0"))

    def _box(self, record: Record, face: Face) -> tuple[float, float, float, float] | None:
        if face.box is None:
            return None
        x, y, w, h = (self._optional(record, column) for column in face.box)
        if x is y is w is h is None:
            return None
        if x is None or y is None or w is None or h is None:
            raise Refused(NO_BOX, str(face.box[0]))
        return x, y, w, h

    def _read(self, record: Record, estimate: Estimated) -> Distribution | None:
        said = {emotion: self._optional(record, column) for emotion, column in estimate.columns.items()}
        column = str(next(iter(estimate.columns.values())))
        if all(p is None for p in said.values()):
            return None
        numbers = [said.get(emotion, 0.0) for emotion in EMOTIONS]
        known = [p for p in numbers if p is not None]
        if len(known) < len(numbers) or min(known) < 0 or abs(sum(known) - 1) > _OFF_ONE:
            raise Refused(NO_DISTRIBUTION, column, f"{sum(known):g} in sum")
        return Distribution.from_sequence(known)

    def _optional(self, record: Record, column: Column | None) -> float | None:
        said = None if column is None else self._text(record, column)
        if said is None:
            return None
        try:
            return self._float(said)
        except Refused:
            raise Refused(NO_NUMBER, str(column), said) from None

    def _text(self, record: Record, column: Column) -> str | None:
        said = record.fields[self._places[column]]
        return None if said in self._missing else said

    def _float(self, said: str) -> float:
        if not self._number.fullmatch(said):
            raise Refused(NO_NUMBER)
        number = float(said.replace(",", "."))
        if math.isinf(number):  # 1e400: more than any number here
            raise Refused(NO_NUMBER)
        return number

    def _started(self, when: When, starts_at: str | None) -> datetime | None:
        said = starts_at or when.starts_at
        if not when.recorded:
            if starts_at is not None:
                raise AskedError("the file says when each row was; leave --starts-at out")
            return None
        if said is None:
            raise AskedError(
                "nobody says when the recording began: say starts_at in [instant] of the mapping, or --starts-at"
            )
        try:
            local = datetime.fromisoformat(said)
            if local.tzinfo is not None or when.zone is None:
                return parse_instant(said)
            return instants.resolve(local, ZoneInfo(when.zone), when.ambiguous).at
        except (InstantError, Refused) as error:
            raise AskedError(f"the recording's start {said!r} is none: {error}") from None
        except ValueError:
            raise AskedError(f"the recording's start {said!r} is no time of ISO 8601") from None


def _columns(mapping: MappingFile) -> list[Column]:
    when, face, around = mapping.instant, mapping.face, mapping.contexts
    found: list[Column | None] = [
        mapping.participant.column,
        *(
            when.local,
            when.instant,
            when.epoch,
            when.seconds,
            when.frame,
            when.day,
            when.beep,
            when.zone_column,
        ),
        *(answer.column for answer in mapping.answers),
        mapping.emotion.column if mapping.emotion is not None else None,
    ]
    if around is not None:
        found += [around.place, around.activity, around.company]
    if face is not None:
        found += [face.success, face.score, face.id, *(face.box or ())]
    if mapping.estimate is not None:
        found += mapping.estimate.columns.values()
    return [column for column in dict.fromkeys(found) if column is not None]
