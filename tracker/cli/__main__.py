"""``python -m tracker.cli``: the same as ``affect-tracker``."""

from tracker.cli import main

main()
