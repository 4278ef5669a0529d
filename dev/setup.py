"""Sets the project up and runs its commands, given only Python and pip; ``make`` calls it, and it works without make.

python3 dev/setup.py [run|test|lint|types|bench|flask|lock|setup|clean|help] [arguments]
"""

import os
import sys


def main() -> None:
    """Checks the Python (so any Python 3 must be able to read this file), then hands over to dev/commands.py."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this is where it is made sure
        sys.exit(f"clinic: needs Python 3.11 or later; this is {sys.version_info[0]}.{sys.version_info[1]}")
    if os.name != "posix":
        sys.exit("clinic: needs Linux or macOS (on Windows: WSL)")
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    from dev.commands import main as run  # noqa: PLC0415 - only a new enough Python can read it

    run(sys.argv[1:])


if __name__ == "__main__":
    main()
