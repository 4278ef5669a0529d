"""Keeps the state in a JSON file: written whole, atomically, a moment after the last change."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAUSE = 0.3  # seconds a change waits for its neighbours


class Store:
    """One JSON file and the thread that writes it."""

    def __init__(self, path: Path, dump: Callable[[], str]) -> None:
        self.path, self._dump = path, dump
        self._dirty, self._closed = threading.Event(), threading.Event()
        self._writing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store", daemon=True)
        self._thread.start()

    @staticmethod
    def read(path: Path) -> dict[str, Any] | None:
        """What the file holds; None when there is none or it is not ours to read."""
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return saved if isinstance(saved, dict) else None

    def touch(self) -> None:
        """Say that the state changed."""
        self._dirty.set()

    def flush(self) -> None:
        """Write now."""
        with self._writing:
            self._dirty.clear()
            text = self._dump()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_name(self.path.name + ".new")
            fresh.write_text(text, encoding="utf-8")
            os.replace(fresh, self.path)

    def close(self) -> None:
        """Write what is left and stop the thread."""
        self._closed.set()
        self._dirty.set()
        self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._dirty.wait()
            self._closed.wait(PAUSE)
            if not self._closed.is_set():
                self.flush()
