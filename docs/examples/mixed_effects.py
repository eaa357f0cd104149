"""A mixed-effects analysis of an export, with its plot: what ``docs/mixed-effects.md`` walks through.

python docs/examples/mixed_effects.py EXPORT PLOT.svg
python docs/examples/mixed_effects.py --cohort FOLDER     # first makes a SIMULATED cohort and exports it
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import statsmodels.formula.api as smf

import tracker

PEOPLE, DAYS = 8, 7
END = datetime(2026, 3, 30, 12, tzinfo=UTC)
EFFECTS = ("Intercept", "alone", "evening")


@dataclass(frozen=True)
class Found:
    """What the model says.

    Attributes
    ----------
    hours, people
        How many hours of how many people.
    effects
        Each fixed effect with its 95 % interval: estimate, low, high.
    between, within
        Variance between people, and of hours within a person.
    by_person
        Each person's own intercept: the fixed one with their random one.
    simulated
        Whether any row is SIMULATED.
    """

    hours: int
    people: int
    effects: dict[str, tuple[float, float, float]]
    between: float
    within: float
    by_person: dict[str, float]
    simulated: bool

    @property
    def icc(self) -> float:
        """The share of the variance that lies between people."""
        return self.between / (self.between + self.within)


def hours_of(export: Path) -> pandas.DataFrame:
    """Hours in which a face was read and somebody had said where they were, ready for the model."""
    frame = tracker.read_export(export, "series", frame="pandas")
    frame = frame[frame["network_valence_derived"].notna() & frame["company"].notna()].copy()
    local = frame["at"] + pandas.to_timedelta(frame["at_offset_min"].astype("int64"), unit="min")
    frame["alone"] = (frame["company"] == "alone").astype(float)
    frame["evening"] = (local.dt.hour >= 18).astype(float)
    return frame.rename(columns={"network_valence_derived": "valence"})


def analyse(export: Path) -> Found:
    """Fit ``valence ~ alone + evening`` with an intercept of each participant's own."""
    frame = hours_of(export)
    fit: Any = smf.mixedlm("valence ~ alone + evening", frame, groups=frame["participant"]).fit(reml=True)
    bounds = fit.conf_int()
    effects = {
        name: (float(fit.fe_params[name]), float(bounds.loc[name, 0]), float(bounds.loc[name, 1]))
        for name in EFFECTS
    }
    own = {str(who): effects["Intercept"][0] + float(re.iloc[0]) for who, re in fit.random_effects.items()}
    between, within = float(fit.cov_re.iloc[0, 0]), float(fit.scale)
    simulated = bool((frame["origin"] == "SIMULATED").any())
    return Found(len(frame), len(own), effects, between, within, own, simulated)


def draw(found: Found) -> str:
    """The plot as SVG: each person with others and alone, and the line that the model has in common."""
    base, alone = found.effects["Intercept"][0], found.effects["alone"]
    ends = [v for own in found.by_person.values() for v in (own, own + alone[0])]
    low, high = min(*ends, base + alone[1]) - 0.02, max(*ends, base + alone[2]) + 0.02

    def y(value: float) -> float:
        return round(260 - 220 * (value - low) / (high - low), 1)

    def line(start: float, end: float, style: str) -> str:
        return f'<line x1="120" y1="{y(start)}" x2="400" y2="{y(end)}" {style}/>'

    mark = "SIMULATED: " if found.simulated else ""
    title = f"{mark}valence of {found.people} people, {found.hours} hours"
    ticks = [low + (high - low) * k / 4 for k in range(5)]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 320" role="img" font-family="sans-serif" '
        f'font-size="13"><title>{title}</title><rect width="520" height="320" fill="#fff"/>',
        f'<text x="20" y="22">{title}</text>',
        *(f'<text x="70" y="{y(t) + 4}" text-anchor="end" fill="#555">{t:.2f}</text>' for t in ticks),
        *(line(t, t, 'stroke="#ddd"') for t in ticks),
        *(line(own, own + alone[0], 'stroke="#9ab" stroke-width="1.5"') for own in found.by_person.values()),
        f'<line x1="400" y1="{y(base + alone[1])}" x2="400" y2="{y(base + alone[2])}" stroke="#b03" stroke-width="3"/>',
        line(base, base + alone[0], 'stroke="#b03" stroke-width="3"'),
        '<text x="120" y="290" text-anchor="middle">with others</text>',
        '<text x="400" y="290" text-anchor="middle">alone</text>',
        f'<text x="20" y="312" fill="#555">alone: {alone[0]:+.3f} [{alone[1]:+.3f}, {alone[2]:+.3f}], '
        f"95 % interval; share between people {found.icc:.2f}</text></svg>",
    ]
    return "\n".join(parts) + "\n"


def cohort(folder: Path) -> Path:
    """Let `PEOPLE` SIMULATED people live `DAYS` days, and export their hours."""
    from tracker.cli.installation import initialise  # noqa: PLC0415 - only where a cohort is made
    from tracker.cli.living import live  # noqa: PLC0415
    from tracker.settings import load  # noqa: PLC0415
    from tracker.workflows.export import export_dataset  # noqa: PLC0415

    url = f"sqlite:///{folder / 'cohort.db'}"
    settings = load({"AFFECT_DATA_FOLDER": str(folder), "AFFECT_DATABASE_URL": url})
    access = initialise(settings)
    for n in range(PEOPLE):
        live(access, f"simulated-{n}", "Europe/Berlin", END, DAYS, seed=n)
    out = folder / "export"
    export_dataset(access, out, END, formats={"parquet"}, shape="wide", every_s=3600, learner_now=False)
    access.close()
    return out


def main(arguments: list[str]) -> None:
    """Analyse, print, draw."""
    if arguments[0] == "--cohort":
        Path(arguments[1]).mkdir(parents=True)
        export, plot = cohort(Path(arguments[1])), Path(arguments[1]) / "plot.svg"
    else:
        export, plot = Path(arguments[0]), Path(arguments[1])
    found = analyse(export)
    print(f"{found.hours} hours of {found.people} people{', SIMULATED' if found.simulated else ''}")
    for name, (value, low, high) in found.effects.items():
        print(f"{name:10} {value:+.3f}  [{low:+.3f}, {high:+.3f}]")
    print(f"share of the variance between people: {found.icc:.2f}")
    plot.write_text(draw(found), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
