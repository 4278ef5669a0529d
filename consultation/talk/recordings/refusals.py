"""Why a piece of a recording is not kept."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotRecorded(Refused):
    """The visit is not held by video, nobody agreed, it has not begun, or has been over for too long."""

    code = "not-recorded"
    message = N_("This visit is not being recorded now.")


class NoRecording(Refused):
    """Not what a page of ours records: another kind of file, no bytes, or a number out of range."""

    code = "no-recording"
    status = 422
    message = N_("This is not a piece of a recording.")


class RecordingTooLarge(Refused):
    """A piece, or all that one person sent in one visit, is larger than any call makes it."""

    code = "recording-too-large"
    status = 413
    message = N_("This is too large for a piece of a recording.")
