"""After somebody said which face is theirs, no other face is ever read."""

from hypothesis import given
from hypothesis import strategies as st

from tracker.vision.face import Face
from tracker.vision.tracks import FaceTracker

Box = tuple[float, float, float, float]


def at(x: float, size: float = 100.0) -> Face:
    return Face((x, 50.0, size, size * 1.2), 0.9, None, "stated")


@given(
    st.lists(
        st.tuples(st.integers(100_000, 15_000_000), st.booleans(), st.lists(st.integers(0, 3), max_size=3)),
        max_size=30,
    ),
    st.integers(1, 3),
)
def test_no_face_elsewhere_is_ever_held_to_be_theirs(
    steps: list[tuple[int, bool, list[int]]], faces: int
) -> None:
    me, elsewhere = at(0), [at(400 + 150 * n) for n in range(4)]
    tracker = FaceTracker()
    tracker.confirm(0, me.box, faces)
    time, last = 0, 0
    for wait, there, others in steps:
        time += wait
        seen = ([me] if there else []) + [elsewhere[n] for n in sorted(set(others))]
        sighting = tracker.see(time, seen)
        assert sighting.face in (None, me)
        assert sighting.faces == len(seen)
        if sighting.face is me:
            assert time - last <= 10_000_000
            last = time
        assert tracker.lost(time) == (time - last > 10_000_000)


@given(st.integers(10_000_001, 10**10))
def test_whoever_takes_their_place_later_is_not_read(wait: int) -> None:
    tracker = FaceTracker()
    tracker.confirm(0, at(0).box, 1)
    assert tracker.see(200_000, [at(3)]).face is not None
    assert tracker.see(200_000 + wait, [at(3)]).reason == "ambiguous"


def test_a_head_that_moves_is_followed_while_it_is_alone() -> None:
    tracker = FaceTracker()
    tracker.confirm(0, at(0).box, 1)
    for step in range(1, 10):
        assert tracker.see(step * 500_000, [at(step * 60.0)]).reason is None
