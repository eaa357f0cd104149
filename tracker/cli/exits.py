"""Exit codes: which error ends a command with which code. `docs/cli.md` lists them for users."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONSENT = 3
    UNKNOWN = 4
    SOURCE = 5
    DATABASE = 6
    NETWORK = 7
    DISK_FULL = 8
    BROKE_OFF = 9
    FORGED = 10
    INTERRUPTED = 130


# By name, because importing the rooms that define them would load torch and OpenCV for `--help`.
_BY_NAME: dict[str, Exit] = {
    "tracker.domain.consent.ConsentError": Exit.CONSENT,
    "tracker.workflows.consenting.EvidenceError": Exit.USAGE,
    "tracker.workflows.consenting.GuardianError": Exit.USAGE,
    "tracker.cli.receipts.ReceiptFileError": Exit.USAGE,
    "tracker.privacy.signed.ForgedError": Exit.FORGED,
    "tracker.privacy.receipts.NothingToShowError": Exit.UNKNOWN,
    "tracker.domain.people.UnknownParticipantError": Exit.UNKNOWN,
    "tracker.domain.people.EnrolmentError": Exit.USAGE,
    "tracker.domain.members.UnknownMemberError": Exit.UNKNOWN,
    "tracker.domain.members.MemberError": Exit.USAGE,
    "tracker.domain.tokens.TokenError": Exit.USAGE,
    "tracker.domain.instants.InstantError": Exit.USAGE,
    "tracker.domain.notes.NoteError": Exit.USAGE,
    "tracker.study.errors.ForbiddenStudyError": Exit.CONSENT,
    "tracker.study.errors.StudyError": Exit.USAGE,
    "webui.server.ServeError": Exit.USAGE,
    "tracker.settings.SettingsError": Exit.USAGE,
    "tracker.vision.errors.CameraLost": Exit.BROKE_OFF,
    "tracker.vision.errors.MediaError": Exit.SOURCE,
    "tracker.vision.errors.DetectorError": Exit.NETWORK,
    "tracker.workflows.ingest.plan.BrokeOffError": Exit.BROKE_OFF,
    "tracker.workflows.ingest.plan.StartUnknownError": Exit.USAGE,
    "tracker.store.database.StorageFullError": Exit.DISK_FULL,
    "tracker.store.database.DatabaseError": Exit.DATABASE,
    "tracker.privacy.key_errors.KeyUnavailableError": Exit.DATABASE,
    "tracker.fer.fetch.ZooFullError": Exit.DISK_FULL,
    "tracker.fer.manifest.ZooError": Exit.NETWORK,
    "tracker.fer.device.DeviceError": Exit.NETWORK,
    "tracker.fer.failures.EngineError": Exit.NETWORK,
    "tracker.lab.datasets.errors.DatasetError": Exit.SOURCE,
    "tracker.lab.challenge.diaries.ReadingError": Exit.SOURCE,
    "tracker.lab.challenge.diaries.TargetError": Exit.USAGE,
    "tracker.lab.recipe.RecipeError": Exit.USAGE,
    "tracker.lab.order.OrderError": Exit.NETWORK,
    "tracker.lab.packaging.PackagingError": Exit.USAGE,
    "tracker.lab.portrait.PortraitError": Exit.SOURCE,
    "tracker.learning.kinds.TargetError": Exit.USAGE,
    "tracker.personal.answered.PromptOverError": Exit.USAGE,
    "tracker.personal.answered.NoPromptError": Exit.UNKNOWN,
    "tracker.domain.rating.RatingError": Exit.USAGE,
    "tracker.workflows.rating.errors.UnknownItemError": Exit.UNKNOWN,
    "tracker.workflows.feedback.contexts.ContextError": Exit.USAGE,
    "tracker.workflows.feedback.outcome.PromptError": Exit.UNKNOWN,
    "tracker.workflows.hiding.HiddenError": Exit.UNKNOWN,
    "tracker.cli.archiving.ArchiveFileError": Exit.USAGE,
    "tracker.workflows.importing.errors.ArchiveError": Exit.SOURCE,
    "tracker.workflows.importing.errors.NotEmptyError": Exit.USAGE,
    "tracker.workflows.foreign.errors.AskedError": Exit.USAGE,
    "tracker.workflows.foreign.errors.ForeignFileError": Exit.SOURCE,
    "tracker.workflows.aggregates.errors.AggregateError": Exit.USAGE,
    "tracker.workflows.aggregates.errors.TooFewError": Exit.CONSENT,
    "tracker.privacy.budget.BudgetError": Exit.USAGE,
    "tracker.workflows.export.errors.UnknownExportError": Exit.UNKNOWN,
    "tracker.workflows.export.errors.WithdrawnError": Exit.CONSENT,
    "tracker.workflows.export.errors.UncodableError": Exit.DATABASE,
    "tracker.workflows.export.errors.ExportError": Exit.USAGE,
    "tracker.workflows.backup.errors.BackupError": Exit.SOURCE,
}


def exit_of(error: BaseException) -> Exit | None:
    """The exit code of an error that users can cause, by its nearest named ancestor; None for a bug."""
    for kind in type(error).__mro__:
        code = _BY_NAME.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return code
    if isinstance(error, OSError) and error.errno == 28:  # ENOSPC
        return Exit.DISK_FULL
    return None
