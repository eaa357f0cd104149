"""What the chart says, in the language of the page: its script holds no words of its own."""

from __future__ import annotations

import json

from flask_babel import gettext as _

from tracker.domain.affect import EMOTIONS
from webui.words import BLANKS, NAMES, REASONS


def chart_words() -> str:
    """Every word of the chart, as JSON; what stands in braces is filled in by the script."""
    names = {emotion.value: str(NAMES[emotion]) for emotion in EMOTIONS}
    return json.dumps(
        {
            "emotions": names,
            "reasons": {reason.value: str(said) for reason, said in REASONS.items()},
            "blanks": {why.value: str(said) for why, said in BLANKS.items()},
            "fates": {
                "answered": _("you answered a question"),
                "missed": _("you missed a question"),
                "open": _("a question is open"),
            },
            "alone": {
                "0": _("you said: company welcome"),
                "0.5": _("you said: either is fine"),
                "1": _("you said: leave me alone"),
            },
            "lanes": {"valence": _("valence"), "arousal": _("arousal")},
            "derived": {"valence": _("valence (derived)"), "arousal": _("arousal (derived)")},
            "unclear": _("unclear: %(first)s or %(second)s", first="{first}", second="{second}"),
            "looks": _("looks like %(first)s, then %(second)s", first="{first}", second="{second}"),
            "reading": _("{n} reading; choose to correct"),
            "readings": _("{n} readings; choose to correct"),
            "gap": _("{reason}: {n} of {all} looks"),
            "said": _("you said {what}"),
            "again": _("choose to correct again"),
            "answered": _("you answered"),
            "unread": _("unread"),
            "network": _("network"),
            "network_valence": _("valence, network alone"),
            "where": _("where"),
            "asked": _("asked"),
            "enter": _("Enter corrects it"),
            "failed": _("The chart could not be drawn ({why}). The table below has the numbers."),
        }
    )
