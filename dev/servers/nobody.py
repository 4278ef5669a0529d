"""How root runs PostgreSQL, which refuses root: as `nobody`, also where that may not enter (below /root, say).

A private folder anywhere above the checkout (0700: a home, a temporary folder) would stop `nobody`. There util-linux's
setpriv leaves it the one capability to pass, kept over the change of user; permissions of folders are never touched.
"""

import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

UID = 65534
CAPABILITY = "dac_override"  # the capability for it that root has in containers too


class PopenUser(TypedDict, total=False):
    """Popen's arguments for another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Identity:
    """As whom a command runs: put `prefix` before it and give `popen` to Popen. Empty: as ourselves."""

    uid: int | None = None
    prefix: tuple[str, ...] = ()

    @property
    def popen(self) -> PopenUser:
        """Popen's own way to change the user; not needed with a prefix that does it."""
        if self.uid is None or self.prefix:
            return {}
        return {"user": self.uid, "group": self.uid, "extra_groups": []}


def nobody(paths: Sequence[Path], parent_gone: signal.Signals) -> Identity:
    """Returns how root becomes nobody for a command that must reach `paths`; `parent_gone` as in die_with_parent."""
    setpriv = shutil.which("setpriv")
    if setpriv is None or all(folder.stat().st_mode & 0o001 for path in paths for folder in path.resolve().parents):
        return Identity(UID)
    return Identity(
        UID,
        (
            setpriv,
            f"--reuid={UID}",
            f"--regid={UID}",
            "--clear-groups",
            "--securebits=+no_setuid_fixup",  # else access(2), with which PostgreSQL looks around, ignores capabilities
            f"--inh-caps=+{CAPABILITY}",
            f"--ambient-caps=+{CAPABILITY}",
            f"--pdeathsig={parent_gone.name}",  # a change of user forgets the one that was set before
            "--",
        ),
    )
