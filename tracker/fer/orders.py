"""Orders of classes: what the field's data sets and networks call the first logit, the second, and so on.

Reading a network in another's order is this field's commonest silent failure, so an order is always stated:
by a network's own authors, by the file, or by whoever brings it.
"""

from __future__ import annotations

from tracker.domain.affect import EMOTIONS
from tracker.fer.manifest import ZooError

Order = tuple[str, ...]

ORDERS: dict[str, Order] = {
    "ferplus": tuple(e.value for e in EMOTIONS),
    "affectnet": ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
    "alphabetical": ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"),
    "rafdb": ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
    "fer2013": ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
}
"""By the name of who uses it. ``affectnet``: AffectNet, DAN, DMUE, EmoNet. ``alphabetical``: HSEmotion and OpenCV
Zoo (without contempt), and whatever torchvision's ImageFolder read from folders with our names. ``rafdb``: RAF-DB,
DAN and POSTER++ trained on it. ``fer2013``: FER2013, ExpW, DeepFace, mini-XCEPTION."""

_DOCUMENTED: dict[tuple[str, int], str] = {
    ("dan", 8): "affectnet",
    ("dmue_resnet18", 8): "affectnet",
    ("dmue_resnet50ibn", 8): "affectnet",
}
_WHY_NOT: dict[tuple[str, int], str] = {
    ("dan", 7): "its authors trained it on RAF-DB (--order rafdb) and on AffectNet (--order affectnet)",
    ("poster_v2", 7): "its authors documented it for RAF-DB (--order rafdb) and not for AffectNet",
    ("poster_v2", 8): "its authors documented none for AffectNet",
}


def parse_order(text: str, classes: int) -> Order:
    """Read an order that somebody states.

    Parameters
    ----------
    text
        One of the names in `ORDERS`, or the emotions themselves with commas between.
    classes
        How many there are; with 7 a named order of 8 loses contempt.

    Raises
    ------
    ZooError
        For other words, or another number of them.

    Examples
    --------
    >>> parse_order("affectnet", 7)
    ('neutral', 'happiness', 'sadness', 'surprise', 'fear', 'disgust', 'anger')
    >>> parse_order("fear, anger", 2)
    ('fear', 'anger')
    """
    name = text.strip().lower()
    if name in ORDERS:
        order = ORDERS[name]
        if classes == 7:
            order = tuple(c for c in order if c != "contempt")
    else:
        order = tuple(word.strip().lower() for word in text.split(","))
        known = [e.value for e in EMOTIONS]
        if unknown := [word for word in order if word not in known]:
            raise ZooError(
                f"--order: {unknown[0]!r} is neither an emotion ({', '.join(known)}) nor an order "
                f"({', '.join(ORDERS)})"
            )
    if len(order) != classes or len(set(order)) != len(order):
        raise ZooError(f"--order names {', '.join(order)}: {classes} different ones are needed")
    return order


def documented_order(architecture: str, classes: int) -> Order:
    """Return the order that an architecture's authors published for so many classes, where it is the only one.

    Raises
    ------
    ZooError
        When they published none or several: then whoever brings the file must know.

    Examples
    --------
    >>> documented_order("dan", 8)[:2]
    ('neutral', 'happiness')
    """
    name = _DOCUMENTED.get((architecture, classes))
    if name is None:
        why = _WHY_NOT.get((architecture, classes), "nothing says what its classes are")
        raise ZooError(
            f"the order of the {classes} classes must be stated for {architecture}: {why}. Give --order, and where you "
            "are not sure, look with: affect-tracker fer check-order"
        )
    return parse_order(name, classes)
