"""What the emotions are called in folders of pictures: the synonyms that are understood, and no others."""

from __future__ import annotations

from tracker.domain.affect import EMOTIONS, Emotion

SYNONYMS: dict[Emotion, tuple[str, ...]] = {
    Emotion.NEUTRAL: ("neutral", "neutrality", "normal", "calm", "ne"),
    Emotion.HAPPINESS: ("happiness", "happy", "joy", "joyful", "smile", "ha", "hap"),
    Emotion.SURPRISE: ("surprise", "surprised", "su", "sur"),
    Emotion.SADNESS: ("sadness", "sad", "sa"),
    Emotion.ANGER: ("anger", "angry", "mad", "an", "ang"),
    Emotion.DISGUST: ("disgust", "disgusted", "di", "dis"),
    Emotion.FEAR: ("fear", "fearful", "afraid", "scared", "fe", "fea"),
    Emotion.CONTEMPT: ("contempt", "contemptuous", "scorn", "co", "con"),
}
"""Names of each emotion in lower case; short forms are those of KDEF, JAFFE and the papers' tables."""

_MEANT = {name: emotion for emotion, names in SYNONYMS.items() for name in names}


def emotion_named(name: str) -> str | None:
    """Return which of our emotions a class name means, or None.

    Case, surrounding spaces and a leading number with a separator (``03_happy``, ``3-happy``) do not matter. A
    bare number means nothing: which emotion it stands for differs between data sets.

    Examples
    --------
    >>> emotion_named("Happy"), emotion_named("03_angry"), emotion_named("3"), emotion_named("bored")
    ('happiness', 'anger', None, None)
    """
    bare = name.strip().lower().lstrip("0123456789").strip(" _-.")
    found = _MEANT.get(bare)
    return None if found is None else found.value


def in_our_order(names: set[str]) -> tuple[str, ...]:
    """Put emotions' names in the one order.

    Examples
    --------
    >>> in_our_order({"fear", "neutral"})
    ('neutral', 'fear')
    """
    return tuple(e.value for e in EMOTIONS if e.value in names)
