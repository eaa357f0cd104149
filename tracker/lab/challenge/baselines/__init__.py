"""What anybody could put together from parts, under the same rules as ours."""

from __future__ import annotations

from tracker.lab.challenge.baselines.boosted_trees import BoostedTrees
from tracker.lab.challenge.baselines.hierarchical import Hierarchical
from tracker.lab.challenge.baselines.of_river import RiverForest, RiverLogistic
from tracker.lab.challenge.baselines.pooled_logistic import PooledLogistic
from tracker.lab.challenge.baselines.shares import LastValue, Majority
from tracker.lab.challenge.methods import Learner, Method, Pooled


def methods() -> dict[str, Method]:
    """Every method by its name, ours first; they share the features of diaries."""
    pooled = Pooled()
    made: list[Method] = [
        Learner(pooled),
        Majority(),
        LastValue(),
        PooledLogistic(pooled),
        RiverLogistic(),
        RiverForest(),
        Hierarchical(pooled),
        BoostedTrees(pooled),
    ]
    return {method.name: method for method in made}
