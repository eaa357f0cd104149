"""Moved."""

from tracker.domain.passwords import *  # noqa: F403
from tracker.domain.passwords import SHORTEST, WeakPasswordError, hash_code, hash_password, matches, new_code, normalise_code  # noqa: F401
