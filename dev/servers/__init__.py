"""A real PostgreSQL and a real Redis-protocol server, private to one folder, for development and tests.

>>> server = Postgres(Path("var/postgres"))
>>> url = server.start()
>>> server.stop()
"""

from dev.servers.postgres import Postgres
from dev.servers.server import InUseError, Server, ServerError
from dev.servers.turn import Turn, find_turn
from dev.servers.valkey import Valkey

__all__ = ["InUseError", "Postgres", "Server", "ServerError", "Turn", "Valkey", "find_turn"]
