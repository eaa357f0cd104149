"""Learners that belong to one person: features, the river pipeline, replay and its window."""
