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


_CONSENT, _DECISION, _GATE = (
    "tracker/domain/consent.py",
    "tracker/privacy/consent.py",
    "tracker/access/gate.py",
)
_TRIGGERS = "migrations/versions/0003_grants.py"

MUTATIONS: tuple[Mutation, ...] = (
    _change(
        1,
        "the log's triggers on UPDATE and DELETE are dropped",
        "migrations/versions/0001_tables.py",
        'for verb in ("UPDATE", "DELETE"):\n            op.execute(_SQLITE_TRIGGER.format(verb=verb))\n',
        "for verb in ():\n            op.execute(_SQLITE_TRIGGER.format(verb=verb))\n",
    ),
    _change(
        1,
        "the audit looks at the chain and not at what was committed to",
        "tracker/access/audit.py",
        "                commitment(opener, row) != link.commitment\n                or ",
        "                ",
    ),
    _change(
        1,
        "the audit takes the study that an event names for the one that governed",
        "tracker/access/audit.py",
        "if event.study not in (None, beside) else None",
        "if False else None",
    ),
    _change(
        2,
        "an event that cannot be written is passed over",
        _GATE,
        "        chains.append(\n            connection,\n            log,",
        "        _passed_over(\n            connection,\n            log,",
        Edit(
            _GATE,
            "def _never_backdated(",
            "def _passed_over(*arguments):\n    try:\n        chains.append(*arguments)\n    except Exception:\n"
            "        pass\n\n\ndef _never_backdated(",
        ),
    ),
    _change(
        3,
        "expiry waits for a job",
        _DECISION,
        "lasting = event.expires_at is None or at < event.expires_at",
        "lasting = True",
    ),
    _change(
        3,
        "an expired event permits",
        _CONSENT,
        "return self in (State.GIVEN, State.RENEWED)",
        "return self in (State.GIVEN, State.RENEWED, State.EXPIRED)",
    ),
    _change(
        4,
        "the past is read with what was said later",
        _DECISION,
        "        if event.recorded_at <= at:",
        "        if True:",
    ),
    _change(
        5,
        "the hash of the notice is ignored",
        _DECISION,
        "standing = rules.notices is None or event.notice.sha256 in rules.notices",
        "standing = True",
    ),
    _change(
        6,
        "a closed study takes no withdrawal",
        "tracker/workflows/consenting.py",
        "    return _end(access, person, scopes, State.WITHDRAWN, now, recorder, answer, evidence, proof)",
        "    with access.read(person.id, now) as unit:\n        unit.study.demand_open('nothing was withdrawn')\n"
        "    return _end(access, person, scopes, State.WITHDRAWN, now, recorder, answer, evidence, proof)",
    ),
    _change(
        7,
        "the series implies the context",
        _CONSENT,
        "Use.KEEP_CONTEXT: frozenset({Scope.AFFECT_SERIES, Scope.CONTEXT})",
        "Use.KEEP_CONTEXT: frozenset({Scope.AFFECT_SERIES})",
    ),
    _change(
        8,
        "the gate, the permit's grant and the trigger are bypassed for a series",
        _DECISION,
        "    if missing:\n",
        "    if missing and use is not Use.STORE_SERIES:\n",
        Edit(
            _CONSENT,
            "        if scope not in SCOPES_OF[self.use] or scope not in self.grants:\n",
            "        if scope not in self.grants:\n            return 0\n"
            "        if scope not in SCOPES_OF[self.use]:\n",
        ),
        Edit(
            _DECISION,
            "max(held[s].covers_from for s in needed)",
            "max((held[s].covers_from for s in needed if s in held), default=at.replace(year=2000))",
        ),
        Edit(
            _TRIGGERS,
            '    "observations": _MINE.format(scope="\'affect_series\'"),\n',
            '    "observations": "SELECT 1",\n',
        ),
        Edit(_TRIGGERS, '    "estimates": _OF_OBSERVATION,\n', '    "estimates": "SELECT 1",\n'),
    ),
    _change(
        9,
        "a picture is written to look at while developing",
        "tracker/workflows/ingest/run.py",
        "        faces = detector.find(frame.pixels)\n",
        "        import os, tempfile\n        with tempfile.NamedTemporaryFile() as spool:\n"
        "            spool.write(frame.pixels.tobytes())\n        faces = detector.find(frame.pixels)\n",
    ),
    _change(
        9,
        "somebody else in a frame that is kept is not covered",
        "tracker/vision/covering.py",
        "        for _, box in self._others:\n",
        "        for _, box in ():\n",
    ),
    _change(
        9,
        "the room in a frame that is kept is not covered",
        "tracker/vision/covering.py",
        "        shown = np.zeros(covered.shape[:2], bool)\n",
        "        shown = np.ones(covered.shape[:2], bool)\n",
    ),
    _change(
        10,
        "a column is stored that nobody declared",
        "tracker/privacy/datamap/people.py",
        '"participants", _I, _R.PERSON, "id zone simulated enrolled_at paused_at"',
        '"participants", _I, _R.PERSON, "id simulated enrolled_at paused_at"',
    ),
    _change(
        11,
        "the trigger on contexts is left out",
        _TRIGGERS,
        '    "contexts": _MINE.format(scope="\'context\'"),\n',
        '    "contexts": "SELECT 1",\n',
    ),
    _change(
        11,
        "rows may be moved to somebody else",
        "migrations/versions/0019_rows_stay.py",
        "for name in fixed]",
        'for name in fixed if name != "subject"]',
    ),
    _change(
        12,
        "what a permit covers is not demanded",
        _CONSENT,
        "        if at < self.covers_from:\n            raise NotCoveredError",
        "        if False:\n            raise NotCoveredError",
    ),
    _change(
        13,
        "the server says who logs in",
        "webui/participant/entering.py",
        "    try:\n        with services().hashing:\n            login = accounts.log_in",
        "    print('log in:', name, flush=True)\n"
        "    try:\n        with services().hashing:\n            login = accounts.log_in",
    ),
    _change(
        14,
        "VACUUM and the checkpoint are left out, and nobody looks",
        "tracker/store/compacting.py",
        '        connection.execute(text("VACUUM"))\n'
        "        return any(_truncate(connection, patience_s) for _ in range(TRIES))",
        "        return True",
        Edit("tracker/workflows/erasure/steps.py", "    unshelve,\n    look,\n", "    unshelve,\n"),
    ),
    _change(
        15,
        "the keys are not destroyed, and nobody looks",
        "tracker/workflows/erasure/steps.py",
        "    keep,\n    shred,\n    empty,\n    shred,\n    rename,\n",
        "    keep,\n    empty,\n    rename,\n",
        Edit("tracker/workflows/erasure/steps.py", "    unshelve,\n    look,\n", "    unshelve,\n"),
    ),
    _change(
        16,
        "the additional data are the same everywhere",
        "tracker/privacy/ciphertext.py",
        "        return head + self._aead.encrypt(nonce, plaintext, _bound(head, self._whose, place))",
        "        return head + self._aead.encrypt(nonce, plaintext, _bound(head, self._whose, ''))",
        Edit(
            "tracker/privacy/ciphertext.py",
            "return aead.decrypt(nonce, ciphertext[HEADER_BYTES:], _bound(head, self._whose, place))",
            "return aead.decrypt(nonce, ciphertext[HEADER_BYTES:], _bound(head, self._whose, ''))",
        ),
    ),
    _change(
        16,
        "the nonce is the same each time",
        "tracker/privacy/ciphertext.py",
        "        nonce = os.urandom(HALF_BYTES)\n        head = self._head + nonce",
        "        nonce = bytes(HALF_BYTES)\n        head = self._head + nonce",
    ),
    _change(
        17,
        "an erasure takes everybody's contexts along",
        "tracker/store/erasing.py",
        "        table.name: connection.execute(delete(table).where(condition)).rowcount",
        "        table.name: connection.execute("
        "delete(table) if table.name == 'contexts' else delete(table).where(condition)).rowcount",
    ),
    _change(
        18,
        "an erasure is called done without having looked",
        "tracker/workflows/erasure/steps.py",
        "    unshelve,\n    look,\n",
        "    unshelve,\n",
    ),
    _change(
        18,
        "the files are not rebuilt, and nobody looks",
        "tracker/workflows/erasure/steps.py",
        "    rebuild,\n    prune,\n",
        "    prune,\n",
        Edit("tracker/workflows/erasure/steps.py", "    unshelve,\n    look,\n", "    unshelve,\n"),
    ),
    _change(
        19,
        "what was learned keeps the contexts that were erased",
        "tracker/workflows/erasure/scoped.py",
        "    Scope.CONTEXT: _without_context,\n",
        "",
    ),
    _change(
        20,
        "priors that hold the person go on standing",
        "tracker/store/priors.py",
        "    retire(connection, memberships(connection, subject), now)\n",
        "",
    ),
    _change(
        21,
        "every commitment has the same salt",
        _GATE,
        "        salt = secrets.token_bytes(16)",
        "        salt = bytes(16)",
    ),
    _change(
        22,
        "what was withdrawn since is exported all the same",
        "tracker/workflows/export/eligibility.py",
        "    if _start(unit, (door,)) is None:\n        return Exclusion.WITHDRAWN\n",
        "",
        Edit(
            "tracker/workflows/export/eligibility.py",
            "first, second = _start(then, uses), _start(unit, uses)",
            "first = second = _start(then, uses)",
        ),
    ),
    _change(
        23,
        "all exports have the same pseudonyms",
        "tracker/workflows/export/naming.py",
        "        self._key = key\n",
        "        self._key = b'one key for all'\n",
    ),
    _change(
        24,
        "the noise is a quarter of what was promised",
        "tracker/privacy/aggregates.py",
        "scale=noise_scale(sensitivity, epsilon))",
        "scale=noise_scale(sensitivity, 4 * epsilon))",
        Edit("tracker/privacy/aggregates.py", "> epsilon + _SLACK", "> 4 * epsilon + _SLACK"),
    ),
    _change(
        24,
        "a public export tells participants as they are",
        "tracker/workflows/export/making.py",
        "anonymising.veil(people, plan.cut.at, plan.k, plan.words)",
        "anonymising.veil(people, plan.cut.at, 1, plan.words)",
    ),
    _change(
        25,
        "the archive forgets the notes",
        "tracker/store/belongings.py",
        'if _mine(table, "", "") is not None)',
        'if _mine(table, "", "") is not None and table.name != "notes")',
    ),
    _change(
        26,
        "a picture is found by its number alone",
        "tracker/store/crops.py",
        "        crops.c.subject == subject, crops.c.observation == observation\n    )\n    row",
        "        crops.c.observation == observation\n    )\n    row",
    ),
    _change(
        27,
        "a look is not recorded",
        _GATE,
        "                self._append(connection, LOOKS, seq, previous, participant, now, look.fields(), committed)\n"
        "        self._sign_head(LOOKS, LOOKS_HEAD)\n        return frozenset(there)\n",
        "        return frozenset(there)\n",
    ),
    _change(
        28,
        "a correction changes what was predicted",
        "tracker/store/feedback.py",
        "    permit.demand_covers(correction.at)\n",
        "    permit.demand_covers(correction.at)\n"
        "    connection.exec_driver_sql('UPDATE estimates SET p_fear = 0.5 WHERE snapshot = 0')\n",
    ),
    _change(
        28,
        "raters' word stands beside the participant's",
        "tracker/store/feedback.py",
        "or_(newer.c.rated_grant.is_not(None), newer.c.rater == PARTICIPANT),",
        "newer.c.rated_grant.is_not(None),",
    ),
    _change(
        29,
        "what is past its retention can be read until a job has run",
        "tracker/store/ageing.py",
        "    if not horizons:\n        return true()\n    past = with_dependents",
        "    return true()\n    past = with_dependents",
    ),
    _change(
        30,
        "the night is that of Greenwich",
        "tracker/personal/days.py",
        "    zone = ZoneInfo(unit.person.zone)\n",
        '    zone = ZoneInfo("UTC")\n',
    ),
    _change(
        30,
        "the gap is not held",
        "tracker/learning/asking.py",
        "today.since_last < policy.gap",
        "today.since_last < policy.gap / 4",
    ),
    _change(
        30,
        "a time that is left out is asked all the same",
        "tracker/domain/schedules.py",
        "        at = _after_gap(at, gap, zone)\n",
        "",
    ),
    _change(
        30,
        "a place is drawn anew at each start",
        "tracker/domain/schedules.py",
        '    told = "\\x1f".join(of).encode()\n',
        '    told = "\\x1f".join((*of, str(hash("start")))).encode()\n',
    ),
    _change(
        31,
        "a study of applicants may run",
        "tracker/study/deployment.py",
        "        Deployment.HIRING,\n",
        "",
    ),
    _change(
        31,
        "faces are looked for before anybody was asked",
        "tracker/workflows/ingest/run.py",
        "        now = self.clock()\n"
        "        with self.access.read(self.person.id, now) as unit:\n            permit = unit.capture_permit()",
        "        now = self.clock()\n        self.engine.read(np.zeros((0, 64, 64, 3), np.uint8))\n"
        "        with self.access.read(self.person.id, now) as unit:\n            permit = unit.capture_permit()",
    ),
    _change(
        32,
        "the clocks decide what came last",
        _DECISION,
        "    for event in sorted(events, key=lambda e: e.seq):\n        if event.recorded_at <= at:",
        "    for event in sorted(events, key=lambda e: e.recorded_at):\n        if event.recorded_at <= at:",
    ),
)
