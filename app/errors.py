"""What can go wrong outside the meters.  One class per remedy; words are in `app.messages`."""


class Cancelled(Exception):
    """The operator stopped the task: no failure, nothing to explain."""


class AppError(Exception):
    """Base of all errors of the program that the operator can do something about."""


class BadInput(AppError):
    """A file, option or value given by the operator cannot be used; the text says why."""


class NotPermitted(AppError):
    """This user or role may not do that, or the order is not in a state that allows it."""


class CentreUnreachable(AppError):
    """The central store cannot be reached."""


class CentreRefused(AppError):
    """The central store answered, and refused this laptop or what it sent."""


class VaultLocked(AppError):
    """The system's password store is locked, absent, or loses what is put in."""


class NoRoom(AppError):
    """The disk is full or cannot be written."""


class DatabaseInUse(AppError):
    """Another Meterwright works on the same data folder."""


class DatabaseDamaged(AppError):
    """The local database cannot be read, or belongs to a newer version of the program."""


class AuditBroken(AppError):
    """The chained record of who did what was changed, or rows of it are missing."""


class NotFound(AppError):
    """There is no such work order, meter or file."""


class Interrupted(AppError):
    """A long read ended early; what arrived is kept.

    ``done`` of ``total`` items are stored; the cause is chained.
    """

    def __init__(self, detail: str, done: int, total: int) -> None:
        super().__init__(detail)
        self.done = done
        self.total = total
