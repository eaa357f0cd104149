"""A wheel's own folder wins; a checkout's is beside the packages; neither is one clear error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tracker import shipped

ROOT = Path(__file__).parents[1]
both = pytest.mark.parametrize("find", [shipped.models, shipped.migrations])


@both
def test_a_checkout_reads_its_own_folders(find: Callable[[], Path]) -> None:
    assert find() == ROOT / find.__name__


@both
def test_a_wheel_reads_what_it_carries_although_a_folder_of_that_name_lies_beside_it(
    find: Callable[[Path], Path], tmp_path: Path
) -> None:
    package = tmp_path / "site-packages" / "tracker"
    carried = package / "_shipped" / find.__name__
    carried.mkdir(parents=True)
    (package.parent / find.__name__).mkdir()
    assert find(package) == carried


@both
def test_an_incomplete_installation_says_what_to_do(find: Callable[[Path], Path], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="install affect-tracker again"):
        find(tmp_path / "tracker")
