"""The pipelines that learners are measured against: the one inside them, called directly, and river's own parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from river import compose, linear_model, optim, preprocessing

from tracker.learning import pipeline
from tracker.learning.kinds import Kind
from tracker.learning.personal_regression import PersonalLinear, PriorScaler
from tracker.learning.prior import Prior
from tracker.learning.three_answers import ThreeAnswers

_RATE = 0.1


def wrapped(kind: Kind, prior: Mapping[str, Any] | None) -> compose.Pipeline:
    """The pipeline inside a learner of a kind, without checks, freezing or a record of how often it was right.

    Parameters
    ----------
    kind, prior
        As for `tracker.learning.kinds.fresh`; what emotion learners start from changes no cost, and is left out.
    """
    if kind is Kind.EMOTION:
        return pipeline.build(pipeline.Settings())
    start = Prior.from_json(prior or {})
    estimator = ThreeAnswers(start) if kind is Kind.YES_NO else PersonalLinear(start)
    return compose.Pipeline(PriorScaler(start), estimator)


def rivers_own(kind: Kind) -> compose.Pipeline:
    """River's standard pipeline for a kind: it starts from nothing and takes one gradient step with each answer.

    Examples
    --------
    >>> list(rivers_own(Kind.YES_NO).steps)
    ['StandardScaler', 'LogisticRegression']
    """
    if kind is Kind.EMOTION:
        return pipeline.bare()
    step = optim.SGD(_RATE)
    model = (
        linear_model.LogisticRegression(step) if kind is Kind.YES_NO else linear_model.LinearRegression(step)
    )
    return compose.Pipeline(preprocessing.StandardScaler(), model)


def prediction(kind: Kind, model: compose.Pipeline, features: Mapping[str, float]) -> Any:
    """What a pipeline of a kind says."""
    x = dict(features)
    return model.predict_one(x) if kind is Kind.NUMBER else model.predict_proba_one(x)
