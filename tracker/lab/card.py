"""The card of a network: what it is, how well it reads what, and what nobody knows about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tracker.fer.manifest import Entry
from tracker.lab.evaluation import Evaluation
from tracker.lab.figures import Figures, Judged
from tracker.lab.recipe import Recipe

_TITLES = {
    "ferplus": "FER+ head (eight emotions; what `track` reads)",
    "fer2013": "FER2013 head (seven emotions; for comparison)",
}
_BASELINES = {
    ("fer2013", "PrivateTest"): (
        "mini-XCEPTION, which most toolkits ship: accuracy 65.4 %, macro-F1 .635, ECE .061 (.018 with a "
        "temperature). Best published single network: 74.1 %."
    ),
    ("ferplus", "PrivateTest"): "The FER+ authors' VGG13 with 8.8 M parameters: accuracy 85.0 %.",
}


def render_card(entry: Entry, recipe: Recipe, figures: Figures, parameters: int) -> str:
    """Return the card as Markdown."""
    parts = [_head(entry, figures, parameters), _training(entry, recipe), *_results(entry, figures)]
    parts += [_contempt(figures), _robustness(figures), _balance(figures), _log(figures), _UNKNOWN]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table.

    Examples
    --------
    >>> print(table(["a", "b"], [[1, 2]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _head(entry: Entry, figures: Figures, parameters: int) -> str:
    lines = [f"# Network `{entry.name}`"]
    if not figures.final:
        lines.append(
            f"**PROVISIONAL**: the training stands at {figures.training}; PrivateTest was not looked at, "
            "and the temperatures were fitted on the very faces that are judged here."
        )
    lines.append(
        "Reads an emotion distribution from one face crop. A reading says what a face *looks like* to people "
        "who label photographs; it never says what somebody feels."
    )
    lines.append(
        f"- Id: `{entry.id}`, {parameters / 1e6:.2f} M parameters, {entry.size / 1e6:.1f} MB\n"
        f"- Licence: {entry.licence}\n"
        f"- Terms: {entry.terms}\n"
        "- Not for: deciding about people at work, in education, hiring, insurance, policing, border "
        "control, surveillance or marketing."
    )
    return "\n\n".join(lines)


def _training(entry: Entry, recipe: Recipe) -> str:
    crop, a = entry.spec.crop, recipe.augmentation
    heads = "; ".join(
        f"{h.name} T = {h.temperature:.4f}"
        + (f", then its label smoothing of {h.smoothing} is undone" if h.smoothing else "")
        for h in entry.spec.heads
    )
    framing = f"{crop.size} x {crop.size} px, grey, margin {crop.margin:+.2f}, alignment {crop.alignment}"
    if crop.alignment == "eyes":
        framing += f" (eye line {crop.eye_line:.2f}, eye distance {crop.eye_distance:.2f})"
    return f"""## How it was made

Architecture `{recipe.architecture}`, trained from {_start(recipe)} on FER2013's Training split with the
votes of FER+ (Barsoum et al. 2016) by `recipe.toml` beside this card: {recipe.epochs} epochs of batches
of {recipe.batch_size}, SGD with Nesterov momentum,
{_schedule(recipe)};
the exponential moving average of the weights (decay {recipe.ema}). The FER+ head learns the
distribution of the ten taggers' votes, the FER2013 head its labels with smoothing
{recipe.label_smoothing}. Faces were flipped, rotated up to {a.rotation:.0f} degrees, zoomed by a factor of up to
{a.zoom}, shifted by up to {a.shift:.0%}, changed in gamma, partly erased and mixed.{_lesson(recipe)}

    affect-tracker fer train models/{entry.name}/recipe.toml --data ferplus:DIR --out OUT
    affect-tracker fer package OUT --data ferplus:DIR

- Data: FER2013 (28,709 training faces, competition terms, research use) and FER+ labels (MIT). No face ships.
- Framing that it expects: {framing}; each face is standardised by its own mean and deviation.
- Temperatures, fitted on PublicTest by likelihood: {heads}."""


def _start(recipe: Recipe) -> str:
    lesson = recipe.distillation
    return "its teacher's weights" if lesson is not None and lesson.start else "random weights"


def _lesson(recipe: Recipe) -> str:
    lesson = recipe.distillation
    if lesson is None:
        return ""
    teacher = lesson.teachers()[0]
    many = len(lesson.seeds)
    who = f"the mean of {many} networks" if many > 1 else "one network"
    return (
        f"\n{lesson.share:.0%} of each target is the answer of {who} of architecture\n`{teacher.architecture}`, "
        f"trained on the same faces and labels alone for {teacher.epochs} epochs, to the same changed picture."
    )


def _schedule(recipe: Recipe) -> str:
    length = recipe.cosine or recipe.epochs
    rate = f"a learning rate that falls from {recipe.learning_rate} as a cosine over {length} epochs"
    if recipe.cooldown:
        rate += f", cut short by a linear fall to 0 over the last {recipe.cooldown}"
    return rate


def _results(entry: Entry, figures: Figures) -> list[str]:
    split = "PrivateTest" if figures.private_test_on else "PublicTest"
    parts = []
    for head in entry.spec.heads:
        judged = figures.of(split, head.name)
        if judged is None:
            continue
        parts.append(f"## {_TITLES.get(head.name, head.name)}")
        parts.append(_summary(figures, head.name))
        if baseline := _BASELINES.get((head.name, split)):
            parts.append(f"For comparison on {split}: {baseline}")
        parts.append(f"Per emotion on {split}:\n\n" + _per_class(judged.calibrated))
        parts.append(
            f"Confusion on {split} (rows: label, columns: answer):\n\n" + _confusion(judged.calibrated)
        )
        parts.append(_calibration(split, judged))
    return parts


def _summary(figures: Figures, head: str) -> str:
    rows = []
    for judged in figures.judged:
        if judged.head != head:
            continue
        e = judged.calibrated
        (low, high), (f_low, f_high) = e.intervals["accuracy"], e.intervals["macro_f1"]
        rows.append(
            [
                f"{judged.split}, {judged.selection}",
                e.n,
                f"{_percent(e.accuracy)} ({100 * low:.1f} to {100 * high:.1f})",
                f"{e.macro_f1:.3f} ({f_low:.3f} to {f_high:.3f})",
                f"{judged.uncalibrated.ece:.3f} -> {e.ece:.3f}",
                f"{judged.uncalibrated.nll:.3f} -> {e.nll:.3f}",
                _percent(e.majority),
            ]
        )
    header = ["faces", "n", "accuracy (95 %)", "macro-F1 (95 %)", "ECE", "NLL", "majority"]
    return (
        "Single crop, no test-time tricks; intervals by bootstrap over images (FER2013 names no people); ECE "
        "over 15 bins of equal mass, before -> after calibration. PublicTest served for watching the "
        "training, for the temperatures and for choosing the form of calibration, so its figures flatter.\n\n"
        + table(header, rows)
    )


def _per_class(e: Evaluation) -> str:
    rows = [
        [name, s.n, f"{s.precision:.2f}", f"{s.recall:.2f}", f"{s.f1:.2f}"] for name, s in e.per_class.items()
    ]
    return table(["emotion", "n", "precision", "recall", "F1"], rows)


def _confusion(e: Evaluation) -> str:
    return table(["", *e.classes], [[name, *row] for name, row in zip(e.classes, e.confusion, strict=True)])


def _calibration(split: str, judged: Judged) -> str:
    rows = [
        [a.n, f"{b.confidence:.3f}", f"{b.accuracy:.3f}", f"{a.confidence:.3f}", f"{a.accuracy:.3f}"]
        for b, a in zip(judged.bins_before, judged.bins_after, strict=True)
    ]
    header = ["n", "confidence before", "right", "confidence after", "right"]
    return f"Reliability on {split}, bins of equal mass, before and after calibration:\n\n" + table(
        header, rows
    )


def _contempt(figures: Figures) -> str:
    judged = figures.of("PrivateTest" if figures.private_test_on else "PublicTest", "ferplus")
    if judged is None or "contempt" not in judged.calibrated.per_class:
        return ""
    s, taught = judged.calibrated.per_class["contempt"], figures.balance["ferplus"]["contempt"]
    return (
        "## Contempt\n\n"
        f"Contempt can hardly be read: {taught} training faces have it as the most voted emotion, {s.n} test "
        f"faces do; of these {s.recall:.0%} were found, F1 {s.f1:.2f}. Its probability is small nearly "
        "always; do not study contempt with this network."
    )


def _robustness(figures: Figures) -> str:
    if not figures.robustness:
        return ""
    by_change: dict[tuple[str, str], dict[str, str]] = {}
    for r in figures.robustness:
        text = f"{_percent(r.accuracy)}, {r.macro_f1:.3f}"
        by_change.setdefault((r.change, r.strength), {})[r.head] = text
    heads = list(dict.fromkeys(r.head for r in figures.robustness))
    rows = [[*change, *(found[h] for h in heads)] for change, found in by_change.items()]
    clean = [figures.of("PublicTest", h) for h in heads]
    first = ["none", ""] + [
        f"{_percent(j.calibrated.accuracy)}, {j.calibrated.macro_f1:.3f}" if j else "" for j in clean
    ]
    return (
        "## Spoilt faces\n\nAccuracy and macro-F1 on PublicTest. A margin is what a looser (+) or tighter "
        "(-) crop shows; FER2013 has no surroundings to show, so borders are repeated. Low light and JPEG "
        "were not tried; rotation was trained for but not measured.\n\n"
        + table(["change", "strength", *heads], [first, *rows])
    )


def _balance(figures: Figures) -> str:
    parts = ["## Class balance\n\nTraining faces by label; for FER+ the most voted emotion."]
    for head, counts in figures.balance.items():
        total = sum(counts.values())
        rows = [[name, n, _percent(n / total)] for name, n in counts.items()]
        parts.append(table([head, "n", "share"], rows))
    return "\n\n".join(parts)


def _log(figures: Figures) -> str:
    if not figures.private_test_on:
        return "## Log\n\nPrivateTest was never read with these weights."
    return (
        f"## Log\n\n- {figures.private_test_on}: PrivateTest was read once with these weights "
        f"(sha256 `{figures.sha256}`), after the training had ended ({figures.training}). Nothing was chosen "
        "by it."
    )


_UNKNOWN = """## What was never measured

- By skin tone, age, gender or culture: FER2013 does not say who its people are. Other networks of this
  field are known to read some groups worse than others; expect the same here until somebody measures it.
- By camera, light, distance, head pose, glasses, masks or beards.
- Against what people felt: the labels are what strangers saw in photographs found by web searches.
- Valence and arousal: those shown are *derived* from the probabilities, not learned and not measured."""
