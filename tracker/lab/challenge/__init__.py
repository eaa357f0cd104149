"""The challenge: people's own diaries replayed, to measure when a learner may decide without asking."""
