"""Values and words: frozen dataclasses and pure functions; no I/O, and nothing of ours is imported."""
