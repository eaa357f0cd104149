"""The page of a bundle: what is stored, to read without any program but a browser and without a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from zoneinfo import ZoneInfo

from tracker.domain.archives import FRAMES, PICTURES
from tracker.learning.kinds import Kind, kind_of
from tracker.store.feedback import CorrectionRow
from tracker.workflows.portability.overview import Overview
from tracker.workflows.portability.plots import bars, dots, local

_MEANINGS = {
    "participants": "Who you are here, and since when.",
    "accounts": "How you log in (without your password).",
    "invitations": "A link with which you can come in, until you do.",
    "factors": "Your passkeys, authenticator app and recovery codes (without what is secret in them).",
    "sign_ins": "When you logged in, and with what kind of browser.",
    "tokens": "Tokens of programs that ask in your name: what for, and until when (without what opens anything).",
    "repeats": "What such programs asked in the last 24 hours, by number.",
    "subjects": "The number under which your series is kept apart from your name.",
    "consent_log": "The tamper-evident log of your choices.",
    "consent_events": "What you chose, when, and what it refers to.",
    "grants": "The numbers of what you allow now; each row carries the one that it was stored under.",
    "access_log": "The tamper-evident log of the staff's looks at your data.",
    "access_events": "Who of the staff looked at your data, when, and at what.",
    "former_records": "What you chose, and who looked, where your data came from before they were imported here.",
    "crops": "Pictures of your face that were kept.",
    "frames": "Pictures of your recordings that were kept, covered but for a rectangle around your head.",
    "notes": "What you wrote beside your answers.",
    "hidden": "Stretches of time that you let nobody else see.",
    "releases": "Public figures about many people that you are counted in.",
    "release_members": "The same, by number.",
    "observations": "Moments of your recordings: whether a face was seen, and how well.",
    "snapshots": "The states of your own learner.",
    "estimates": "What your face looked like to the network and to your learner at each moment.",
    "summaries": "The same, added up by the quarter hour.",
    "contexts": "Where you were, doing what, with whom, as you said.",
    "prompts": "Questions you were asked, and those that were not put, with the reason.",
    "push_devices": "Which of your devices are told that a question waits, and through whom.",
    "push_messages": "When each of them was told.",
    "zones": "In which time zones you said that you were, and since when.",
    "corrections": "What you, or others asked to, said about moments.",
    "rating_tasks": "Which of your moments raters were given, and why.",
    "rating_votes": "What raters said that your face looks like.",
    "rating_traces": "Lines that raters drew beside stretches of yours.",
    "rating_gold": "Moments of yours that serve to see how well raters do.",
    "adjudications": "What was decided where raters did not agree about you.",
    "learning_events": "What your learner learned from that.",
    "drifts": "When your learner noticed that it had begun to fit you less well.",
    "priors": "What learners start from, fitted on answers of people who allow it, yours among them.",
    "prior_members": "The same, by number.",
    "exports": "Research datasets that you are in.",
    "export_members": "The same, by number.",
    "erasure_requests": "What you asked to have erased.",
}


def render(view: Overview) -> str:
    """The page as HTML that loads nothing."""
    person = view.person
    zone = ZoneInfo(person.zone)
    mark = " — SIMULATED" if person.simulated else ""
    title = escape(f"Everything stored about {person.name}{mark}")
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>",
        f"<p>As of {local(view.now, zone)} ({escape(person.zone)}). "
        f"Enrolled {local(person.enrolled_at, zone)}. "
        "Keep this file as you would keep a diary: whoever has it can read it.</p>",
        "<p>The estimates say what a face <em>looks like</em> to a program. They are often wrong, and "
        "they never know what you feel.</p>",
        "<h2>Your series</h2>",
        dots(view.lines, zone),
        bars(view.means),
        "<h2>Your choices</h2>",
        _table(
            ("when", "what", "choice", "covers from", "recorded by", "evidence", "notice"),
            (
                (
                    local(e.recorded_at, zone),
                    e.scope.value,
                    e.state.value,
                    local(e.covers_from, zone),
                    e.recorder.value,
                    e.evidence,
                    f"{e.notice.version} ({e.notice.language})",
                )
                for e in view.history
            ),
        ),
        "<h2>What was said about moments</h2>",
        _table(
            ("moment", "asked", "answer", "by"),
            (
                (
                    local(c.at, zone),
                    c.target,
                    _answer(c),
                    "you" if c.rater == "participant" else "somebody else",
                )
                for c in view.corrections
            ),
        ),
        "<h2>What you wrote beside it</h2>",
        _table(("moment", "note"), ((local(at, zone), text) for at, text in view.notes)),
        *_gallery(view.pictures),
        "<h2>Who looked at your data</h2><p>People of the staff. What the program does by itself, and what you "
        "look at yourself, is not listed.</p>",
        _table(("when", "who", "at what"), ((local(x.at, zone), x.reader, x.what) for x in view.looks)),
        "<h2>All files</h2><p>Each as JSON, as CSV and as Parquet, times in UTC. Other programs read them, and "
        "another installation of this one takes them in: <code>affect-tracker import</code>.</p>",
        "<table><tr><th>rows</th><th>file</th><th>what it is</th></tr>",
        *(_file(name, n) for name, n in view.counts.items()),
        "</table></main></body></html>",
    ]
    return "\n".join(parts) + "\n"


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1b2430;background:#fbfaf7;margin:0}"
    "main{max-width:60rem;margin:0 auto;padding:2rem 1rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d9d5cc;vertical-align:top}"
    "td{overflow-wrap:anywhere;white-space:pre-line}svg{width:100%;height:auto}"
    ".pictures{display:flex;flex-wrap:wrap;gap:.4rem}.pictures img{width:7rem;height:auto;border-radius:.4rem}"
)


def _answer(c: CorrectionRow) -> str:
    if c.distribution is None:
        if c.value is not None and kind_of(c.target) is Kind.YES_NO:
            return {0.0: "no", 1.0: "yes"}.get(c.value, "either")
        return "" if c.value is None else f"{c.value:g}"
    said = sorted(c.distribution.as_dict().items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {p:.0%}" for name, p in said[:2] if p >= 0.2) or said[0][0]


def _gallery(pictures: Sequence[str]) -> list[str]:
    found = []
    for folder, title in (
        (PICTURES, "Pictures of your face"),
        (FRAMES, "Your recordings, covered but for a rectangle around your head"),
    ):
        here = [name for name in pictures if name.startswith(folder)]
        shown = "".join(f'<img src="{escape(name)}" alt="" loading="lazy">' for name in here)
        found += [f"<h2>{title}</h2>", f'<div class="pictures">{shown}</div>'] if here else []
    return found


def _file(name: str, n: int) -> str:
    endings = ("json", "csv", "parquet")
    links = " ".join(f'<a href="data/{name}.{ending}">{name}.{ending}</a>' for ending in endings)
    return f"<tr><td>{n}</td><td>{links}</td><td>{escape(_MEANINGS.get(name, ''))}</td></tr>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return "<p>There is none.</p>"
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    return f"<table><tr>{top}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
