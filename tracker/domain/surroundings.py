"""Place, activity and company in a few words each: what a page offers where a study names none of its own."""

from __future__ import annotations

PLACES = ("home", "work", "on the way", "outdoors", "with others at theirs", "elsewhere")
ACTIVITIES = ("working", "relaxing", "household", "eating", "with a screen", "moving", "talking", "other")
COMPANIES = ("alone", "partner", "family", "friends", "colleagues", "strangers")
"""The words that the learners have met in simulated days (`tracker.lab`) are among them."""
