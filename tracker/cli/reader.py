"""Who sits at this terminal: the name under which a look at a person's data is noted."""

from __future__ import annotations

import os
import pwd

from tracker.domain.readers import Reader, Role
from tracker.settings import SettingsError

LONGEST = 100
"""Characters of a name in ``AFFECT_OPERATOR``."""


def reader(role: Role = Role.OPERATOR) -> Reader:
    """Who sits at this terminal: the account, and the name that they give themselves in ``AFFECT_OPERATOR``.

    The account is the system's word and always there; the name is their own.
    """
    name = os.environ.get("AFFECT_OPERATOR", "").strip()
    if len(name) > LONGEST or not name.isprintable():
        raise SettingsError(
            f"AFFECT_OPERATOR is no name: it has more than {LONGEST} characters, or one that cannot be printed"
        )
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return Reader(f"{name} (account {account})" if name else f"account {account}", role)
