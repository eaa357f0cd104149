"""Ask crowd-kit (Toloka, Apache-2.0) for agreement and aggregation of the synthetic votes: `make oracle`.

It runs in a virtual environment of its own, because crowd-kit brings 45 packages that nothing here needs. What it says
is recorded in ``oracle.json``; `make test` compares with that.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from synthetic_votes import CASES, CLASSES, TURNS, synthetic  # type: ignore[import-not-found] # noqa: E402


def asked(case: dict[str, Any]) -> dict[str, Any]:
    """What crowd-kit says of one case."""
    import pandas as pd  # noqa: PLC0415
    from crowdkit.aggregation import DawidSkene  # noqa: PLC0415
    from crowdkit.metrics.data import alpha_krippendorff  # noqa: PLC0415

    made = synthetic(**case)
    frame = pd.DataFrame(made.votes, columns=["task", "worker", "label"])
    # So many turns, whatever they change: where to stop is a rule of each program's own.
    fitted = DawidSkene(n_iter=TURNS, tol=-1e9).fit(frame)
    posteriors = fitted.probas_.reindex(columns=range(CLASSES), fill_value=0.0).sort_index()
    errors = fitted.errors_.reset_index()
    diagonal = {
        worker: [
            float(rows.loc[rows["label"] == k, k].iloc[0])
            if (rows["label"] == k).any() and k in rows
            else 0.0
            for k in range(CLASSES)
        ]
        for worker, rows in errors.groupby("worker")
    }
    return {
        "sha256": made.sha256,
        "alpha": float(alpha_krippendorff(frame)),
        "posteriors": [[round(float(p), 6) for p in row] for row in posteriors.to_numpy()],
        "diagonals": [[round(p, 6) for p in diagonal[worker]] for worker in sorted(diagonal)],
    }


def main() -> None:
    """Ask about every case and record the answers."""
    told = {"crowd-kit": version("crowd-kit"), "cases": {name: asked(case) for name, case in CASES.items()}}
    (HERE / "oracle.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    for name, case in told["cases"].items():
        print(f"{name}: alpha {case['alpha']:.4f}")


if __name__ == "__main__":
    main()
