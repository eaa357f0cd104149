"""What learners keep, and what they start from."""

from __future__ import annotations

from tracker.domain.consent import Scope
from tracker.privacy.datamap.declaring import PROBABILITIES, Ground, Retention, Stored, declared

_O, _R = Ground.OPERATION, Retention

LEARNED: tuple[Stored, ...] = (
    Stored(
        "learning_events",
        "What the learner saw, predicted and was told at each correction, so that it can be rebuilt exactly.",
        declared(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "id subject target weight snapshot_before grant_id study recorded_at",
        )
        + declared(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            f"correction {PROBABILITIES} value",
            derives_from="corrections.id",
        )
        + declared(
            "learning_events",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "features predicted machine situation cut seen_from past_from context_from prompts_from",
            derives_from="estimates.observation contexts.place contexts.activity contexts.company "
            "contexts.at corrections.value",
        ),
    ),
    Stored(
        "snapshots",
        "The learner's parameters at a time.",
        declared(
            "snapshots",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "id subject target prior rebased_at log_position learn_since context_since prompts_since raters_since "
            "faded_before grant_id study created_at",
        )
        + declared(
            "snapshots",
            Scope.PERSONAL_LEARNING,
            _R.WINDOW,
            "parameters sha256",
            derives_from="learning_events.features learning_events.correction priors.parameters",
        ),
    ),
    Stored(
        "drifts",
        "When a learner noticed that its estimates had begun to fit less well.",
        declared(
            "drifts",
            Scope.PERSONAL_LEARNING,
            _R.ERASED,
            "id subject target at kind detail grant_id study recorded_at",
            derives_from="learning_events.predicted",
        ),
    ),
    Stored(
        "priors",
        "What learners start from: fitted on the answers of at least five people who allow it; names nobody.",
        declared("priors", _O, _R.PRIOR, "id target people events fitted_at retired_at")
        + declared(
            "priors",
            _O,
            _R.PRIOR,
            "parameters",
            derives_from="learning_events.features learning_events.correction prior_members.subject",
        ),
    ),
    Stored(
        "prior_members",
        "Whose answers are in which prior, and what they allowed when it was fitted.",
        declared(
            "prior_members",
            Scope.POOLED_LEARNING,
            _R.ERASED,
            "prior subject learn_since context_since prompts_since grant_id study",
        ),
    ),
)
