"""A longitudinal, context-aware affect tracker with human feedback, under consent."""
