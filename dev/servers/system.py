"""Whether the machine's own servers go before those from the Python packages."""

import os


def prefer_system() -> bool:
    """The packaged ones come first, pinned like every other dependency; CLINIC_SYSTEM_SERVERS=1 turns that round."""
    return os.environ.get("CLINIC_SYSTEM_SERVERS", "") not in ("", "0")
