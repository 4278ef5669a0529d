"""A small process that outlives a killed supervisor for a moment: it ends the process groups that were named to it.

Groups, because a part's own children (gunicorn's workers) would go on for as long as a request stays open.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress


class Guard:
    """Its pipe is held by this process alone, and closes when this process ends, however it ends."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
        )

    def watch(self, group: int, sig: signal.Signals) -> None:
        """From now on `group` gets `sig` when we are gone."""
        self._tell(f"{group} {int(sig)}")

    def forget(self, group: int) -> None:
        """The group has ended; its number may soon be somebody else's."""
        self._tell(f"{group} 0")

    def dismiss(self) -> None:
        """Ends the guard; groups that were not forgotten get their signal."""
        with suppress(BrokenPipeError):
            self._process.communicate()

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # somebody killed the guard: on Linux the parts' parents still do its work
            print(line, file=self._process.stdin)


def main() -> None:
    """Reads "group signal" lines until the pipe closes, then signals the groups that were not forgotten (signal 0)."""
    watched: dict[int, int] = {}
    for line in sys.stdin:
        group, sig = map(int, line.split())
        watched[group] = sig
    for group, sig in watched.items():
        if sig:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, sig)


if __name__ == "__main__":
    main()
