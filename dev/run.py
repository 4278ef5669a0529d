"""``make run``: embedded servers, the WeChat simulator, and what the Procfile names, together until Ctrl-C."""

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from dev.environment import ROOT, development, folder
from dev.servers import Postgres, Server, Turn, Valkey, find_turn
from dev.servers.server import is_free
from dev.supervisor import Part, Supervisor, SupervisorError, read_procfile

FLASK = "flask --app app:create_app"


def say(text: str) -> None:
    """Tells the person at the terminal what goes on."""
    print(f"clinic: {text}", flush=True)


def servers(var: Path, given: Mapping[str, str]) -> dict[str, Server]:
    """Returns the servers to run ourselves: those whose URL the environment does not give."""
    ours: dict[str, Server] = {"DATABASE_URL": Postgres(var / "postgres"), "REDIS_URL": Valkey(var / "valkey")}
    if find_turn():
        ours["TURN_URL"] = Turn(var / "turn", given.get("TURN_SECRET", ""))
    return {name: server for name, server in ours.items() if name not in given}


def parts(procfile: Mapping[str, str], environment: Mapping[str, str], simulated: bool, demo: Path) -> list[Part]:
    """Returns the processes of the service; with the simulator unless a real (or other) WeChat is configured.

    Web goes before the others that need the release: the first page comes sooner when it has the processors to itself.
    """
    keys = simulated and not (Path(environment["SIMULATOR_KEYS"]) / "pub_key.pem").exists()  # made once
    after = ("keys",) if keys else ()
    visits = "" if environment.get("CLINIC_DEMO_VISITS") == "0" else " --visits"
    made = [
        Part("release", procfile["release"], needs=after, once=True),
        Part("web", procfile["web"], needs=("release",), ready=f"http://{environment['CLINIC_BIND']}/readyz"),
        Part("demo", f"{FLASK} demo load{visits} --to {quote(str(demo))}", needs=("web",), once=True, optional=True),
        *(Part(name, command, needs=("web",)) for name, command in procfile.items() if name not in ("release", "web")),
    ]
    if carried(environment):
        made.insert(0, Part("courier", f"python -m integrations.simulators.courier {environment['COURIER_PORT']}"))
    if simulated:
        simulator = f"http://{environment['SIMULATOR_BIND']}/"
        made.insert(0, Part("simulator", "python -m wechat.simulator", needs=after, ready=simulator))
    if keys:
        made.insert(0, Part("keys", "python -m wechat.simulator.pay.keys", once=True))
        made.append(Part("menu", f"{FLASK} menu publish", needs=("web", "simulator"), once=True, optional=True))
    return made


def carried(environment: Mapping[str, str]) -> bool:
    """Whether medicines are carried by the simulated courier."""
    return environment.get("COURIER_ORIGIN") == f"http://127.0.0.1:{environment.get('COURIER_PORT')}"


def main() -> None:
    """Runs the service of this checkout until it is told to stop. Ends the process with 1 when it can't."""
    var = folder(os.environ)
    environment = development(var, os.environ)
    simulated = "SIMULATOR_BIND" in environment and environment["WECHAT_API_ORIGIN"].endswith(
        environment["SIMULATOR_BIND"]
    )
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["PYTHONUNBUFFERED"] = "1"
    try:
        with only_one(var / "run.lock"):
            check_ports(environment, simulated)
            say("starting")
            Supervisor(
                servers=servers(var, environment),
                parts=parts(read_procfile(ROOT / "Procfile"), environment, simulated, var / "demo"),
                environment=environment,
                logs=var / "log",
                root=ROOT,
                say=say,
            ).run(lambda: show_the_way(environment, simulated, var))
    except SupervisorError as error:
        sys.exit(f"clinic: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Holds the checkout for this process. Raises SupervisorError when another one runs it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SupervisorError(
                f"this checkout already runs (process {lock.read().strip()}): stop that first"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_ports(environment: Mapping[str, str], simulated: bool) -> None:
    """Raises SupervisorError that names the port in the way and the setting that changes it."""
    for name in (
        "CLINIC_PORT",
        "LIVE_PORT",
        *(["SIMULATOR_PORT"] if simulated else []),
        *(["COURIER_PORT"] if carried(environment) else []),
    ):
        port = int(environment[name])
        if not is_free(port):
            raise SupervisorError(
                f"port {port} is in use: stop what uses it, or choose another: {name}={port + 1} make run"
            )


def show_the_way(environment: Mapping[str, str], simulated: bool, var: Path) -> None:
    """Prints the four lines that say where to go."""
    wechat = f"http://{environment['SIMULATOR_BIND']}   phones: be a parent, a doctor, a stranger"
    print(f"  WeChat    {wechat if simulated else environment['WECHAT_API_ORIGIN']}")
    print(f"  Service   {environment['CLINIC_ORIGIN']}")
    kept = var.relative_to(ROOT) if var.is_relative_to(ROOT) else var
    print(f"  Data      {kept}/   logs: {kept}/log/")
    print("  Stop      Ctrl-C", flush=True)


if __name__ == "__main__":
    main()
