"""The table of a study file that says how raters work."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tracker.study.parts import Part


class RatingRules(Part):
    """How items are put before raters.

    Attributes
    ----------
    second_share
        The share of items that two raters see; hard ones are seen by three, whatever this says.
    gold_share
        How often an item whose answer is known is put among the others, hidden.
    random_every
        Each so-manieth item is drawn purely at random, so that accuracy can be estimated without bias.
    goal
        How many items a rater is asked for a day. It decides nothing, and more earns nothing.
    reveal
        Whether a rater sees the network's estimate after their own answer; never before it.
    lag_s
        By how many seconds a hand is held to come after the eye in continuous traces.
    """

    second_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.2
    gold_share: Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)] = 0.05
    random_every: Annotated[int, Field(ge=2, le=1000)] = 10
    goal: Annotated[int, Field(ge=1, le=500)] = 20
    reveal: bool = False
    lag_s: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)] = 2.0
