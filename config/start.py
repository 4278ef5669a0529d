"""Imported first by the front door: the collector rests while the house is read in, and takes its ease afterwards."""

from __future__ import annotations

import gc

gc.disable()  # it looked at every class again and again and found nothing to collect: a third of the time to start


def done() -> None:
    """The application is built. From now on the collector looks after so many new objects instead of 700: a page makes
    thousands, and nearly all of them go by themselves."""
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
