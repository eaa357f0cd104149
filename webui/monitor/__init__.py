"""The room of researchers: how a study goes, of those who share with them, and of everybody in noisy sums alone."""

from webui.monitor import comparing, confusing, everybody, people, person, plots, raters, running, sureness
from webui.monitor.room import pages

__all__ = [
    "comparing",
    "confusing",
    "everybody",
    "pages",
    "people",
    "person",
    "plots",
    "raters",
    "running",
    "sureness",
]
