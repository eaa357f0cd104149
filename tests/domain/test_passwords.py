import importlib.util
from pathlib import Path

from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from tracker.domain import passwords


def test_outside_of_tests_a_hash_costs_what_the_standard_recommends() -> None:
    """Tests hash with less (`tests.conftest`), so this looks at a copy of the module that nobody has touched."""
    spec = importlib.util.spec_from_file_location("untouched", Path(passwords.__file__))
    assert spec is not None
    assert spec.loader is not None
    untouched = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(untouched)
    hashed = untouched.hash_password("correct horse battery")
    assert extract_parameters(hashed) == RFC_9106_LOW_MEMORY
    assert untouched.matches(hashed, "correct horse battery")
    assert not untouched.matches(hashed, "correct horse batterY")
    assert not untouched.is_outdated(hashed)
