"""What can be wrong with a study."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.domain.consent import ConsentError, Scope


class StudyError(ValueError):
    """A study file cannot be used as it is.

    Parameters
    ----------
    problems
        One line each: where, which value, what to do. The first is the error's message.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        more = len(problems) - 1
        told = f" (and {more} more; `affect-tracker study check` lists them)" if more else ""
        super().__init__(problems[0] + told)
        self.problems = tuple(problems)


class ForbiddenStudyError(StudyError):
    """A study is of a kind that must not run, whatever else its file says."""


class StudyClosedError(ConsentError):
    """The study is closed: it takes in nothing new. Withdrawal, access and erasure still work."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the study is closed, so {what}; withdrawing, looking and erasing still work. "
            "To open it again: affect-tracker study apply FILE --by WHO"
        )


class ScopeNotAskedError(ConsentError):
    """Somebody would grant what the study does not ask for."""

    def __init__(self, scope: Scope, asked: Sequence[Scope]) -> None:
        super().__init__(
            f"the study does not ask for {scope.value}, so it cannot be granted; it asks for "
            f"{', '.join(s.value for s in asked)}"
        )


class NoPublicExportError(ConsentError):
    """A dataset for everybody would be made of a study that allows none."""

    def __init__(self) -> None:
        super().__init__(
            "the study allows no public export (public = false in [export]); export it for its researchers, "
            "without --public"
        )


class NetworkNotNamedError(ConsentError):
    """A network would read faces that the study does not name."""

    def __init__(self, network: str, named: Sequence[str]) -> None:
        super().__init__(
            f"the study reads faces with {' or '.join(named)}, not with {network}; choose one of those "
            "(--network), or apply a study that names it"
        )
