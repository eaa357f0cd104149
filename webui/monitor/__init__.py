"""The room of researchers: how a study goes, of those who share with them, and of everybody in noisy sums alone."""

from webui.monitor import everybody, people, person, raters, running
from webui.monitor.room import pages

__all__ = ["everybody", "pages", "people", "person", "raters", "running"]
