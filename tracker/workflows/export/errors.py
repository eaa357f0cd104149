"""What can go wrong with an export, in words for the person who asked for it."""

from __future__ import annotations

from tracker.domain.consent import ConsentError


class ExportError(ValueError):
    """An export cannot be made as asked."""


class UncodableError(ExportError):
    """Something stored is not what its column can hold.

    Parameters
    ----------
    table, column
        Where.
    value
        What stands there, or what is wrong with it.
    """

    def __init__(self, table: str, column: str, value: object) -> None:
        super().__init__(
            f"{table}.{column} cannot be coded: {value!r} is nothing that its declaration knows; nothing was exported. "
            "`affect-tracker doctor` looks at the database"
        )


class UnknownExportError(LookupError):
    """No export of this id is registered here."""

    def __init__(self, export: str) -> None:
        super().__init__(
            f"no export {export!r} was made here; the id stands in the manifest.json of each export"
        )


class WithdrawnError(ConsentError):
    """An export cannot be repeated, because people in it have withdrawn since.

    Parameters
    ----------
    export
        Its id.
    people, raters
        How many; who they are is nobody's business.
    """

    def __init__(self, export: str, people: int, raters: int = 0) -> None:
        counts = ((people, "participant"), (raters, "rater"))
        who = " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n)
        super().__init__(
            f"export {export} cannot be repeated: {who} in it withdrew since. "
            "Make a new one, without --again; it leaves out what was withdrawn"
        )


class TooFewPeopleError(ConsentError):
    """Too few people to hide among.

    Parameters
    ----------
    people
        How many real ones would be in it.
    k
        How many there have to be.
    public
        Whether it was to be public.
    """

    def __init__(self, people: int, k: int, *, public: bool) -> None:
        who = "1 person" if people == 1 else f"{people} people"
        if public:
            super().__init__(
                f"a study of {who} has no public export: nobody hides among fewer than {k}. "
                "Export it for its researchers, without --public, or wait for more people who grant export_public"
            )
        else:
            super().__init__(f"{who} cannot hide each other among {k}; ask for a --k of at most {people}")


class NothingToExportError(ConsentError):
    """Nobody's consent allows a single row."""
