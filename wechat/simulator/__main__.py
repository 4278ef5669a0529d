"""Runs the simulator: one gunicorn worker, since all it knows lives in one process, and many threads."""

from __future__ import annotations

import os
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from .app import create_app
from .config import Config, from_environment
from .pay import keys


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, set up here and by nothing else."""

    def __init__(self, config: Config) -> None:
        self.simulator = config
        super().__init__()

    def load_config(self) -> None:
        """gunicorn asks for its settings."""
        options: dict[str, Any] = {
            "bind": self.simulator.bind,
            "workers": 1,
            "worker_class": "gthread",
            "threads": 64,
            "control_socket_disable": True,
            "graceful_timeout": 1,
            "keepalive": 30,
            "limit_request_line": 0,  # authorize addresses are long
            "proc_name": "wechat-simulator",
            "worker_exit": _exit,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, made in the worker: its threads must not be forked."""
        return create_app(self.simulator)


def _exit(server: Any, worker: Any) -> None:
    """Write the state before the worker goes."""
    del server
    app = worker.app.callable
    if app is not None:
        app.extensions["simulator"].close()


if __name__ == "__main__":
    config = from_environment(os.environ)
    keys.load(config)
    Server(config).run()
