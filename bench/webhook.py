"""The webhook's throughput with all its checks on, against two other libraries' echo bots and bare Flask.

Each bot has a gunicorn of its own with the options of the Procfile's web; all answer the same pushes, in turns. A turn
is short, so that what the machine does beside it meets all alike: the ratios are those of the turns of one round.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil
from redis import Redis

from bench.apps import AES_KEY, APPID, TOKEN
from bench.load import Connection, connected, drive
from config.settings import ROOT, Settings
from wechat.crypto import Crypto

CLIENTS, CALLS, ROUNDS, STARTS = 32, 400, 20, 3
WORDS = "孩子咳嗽三天了，想挂内科的号 <&> tomorrow"
PUSH = (
    "<xml><ToUserName><![CDATA[gh_0e2a4b6c8d10]]></ToUserName>"
    "<FromUserName><![CDATA[oLVPpjqs9BhvzwPj5A-vTYAX3GLc]]></FromUserName><CreateTime>{stamp}</CreateTime>"
    "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{words}]]></Content><MsgId>{number}</MsgId></xml>"
)
CRYPTO = Crypto(TOKEN, AES_KEY, APPID)
SEALED = re.compile(r"<(Encrypt|MsgSignature|TimeStamp|Nonce)>(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?</")


@dataclass(frozen=True)
class Bot:
    """One function of bench/apps.py; whether it echoes, and whether it works through Valkey."""

    name: str
    app: str
    echoes: bool = True
    remembers: bool = False


OURS = Bot("this product, echoing", "clinic", remembers=True)
PEERS = (Bot("wechatpy's echo example", "wechatpy_echo"), Bot("WeRoBot, sessions off", "werobot_echo"))
BARE = Bot("bare Flask, one constant", "bare", echoes=False)
FULL = Bot("this product's own answer (PostgreSQL)", "full_clinic", echoes=False, remembers=True)
CALM = ("--keep-alive", "60", "--log-level", "warning")
BOTS = (OURS, *PEERS, BARE, FULL)


@dataclass(frozen=True)
class Server:
    """A running bot: its gunicorn's workers, and the Valkey that works for it."""

    bot: Bot
    port: int
    workers: Sequence[psutil.Process]
    valkey: Redis

    def seconds(self) -> float:
        """The processor time that has been used for it, in seconds."""
        used = sum(sum(worker.cpu_times()[:2]) for worker in self.workers)
        if not self.bot.remembers:
            return used
        told = self.valkey.info("cpu")
        return float(used + told["used_cpu_user"] + told["used_cpu_sys"])


@dataclass(frozen=True)
class Turn:
    """One bot's turn: requests per second, processor time per request in seconds, the generator's share of a core."""

    rate: float
    cost: float
    busy: float


def run(settings: Settings, folder: Path) -> None:
    """Measure and print both modes."""
    numbers = iter(range(10**9))
    for mode in ("plain", "safe"):
        rounds = []
        for _ in range(STARTS):  # one start of the same server is up to a tenth quicker than another
            with ExitStack() as stack:
                servers = [stack.enter_context(serve(bot, mode, settings, folder)) for bot in BOTS]
                turns = [{s.bot: _turn(s, mode, numbers) for s in _order(servers, n)} for n in range(-2, ROUNDS)]
            rounds += turns[2:]  # the first two warm up
        _show(mode, rounds)


@contextmanager
def serve(bot: Bot, mode: str, settings: Settings, folder: Path, kind: str = "web") -> Iterator[Server]:
    """Start the bot's gunicorn, as ``kind`` of the Procfile, and wait until it answers; end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "BENCH_MODE": mode,
        "BENCH_DATABASE": settings.sqlalchemy_url,
        "BENCH_REDIS": settings.redis_url,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / f"metrics-{bot.app}-{mode}-{kind}"),
    }
    log = folder / f"{bot.app}-{mode}-{kind}.log"
    with log.open("wb") as output:
        command = _gunicorn(bot.app, port, kind)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        workers = _started(process, port, log, command)
        yield Server(bot, port, workers, Redis.from_url(settings.redis_url))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _gunicorn(app: str, port: int, kind: str) -> list[str]:
    """A line of the Procfile, with another application on another port; no connection is closed while others open."""
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith(f"{kind}:"))
    words = shlex.split(line)
    options = words[words.index("gunicorn") + 2 :]
    options[options.index("--bind") + 1] = f"127.0.0.1:{port}"
    return [sys.executable, "-m", "gunicorn", f"bench.apps:{app}()", *options, *CALM]


def _started(process: subprocess.Popen[bytes], port: int, log: Path, command: list[str]) -> list[psutil.Process]:
    """Its workers, once all have begun and one answers; raises RuntimeError with the log when it ends or takes too
    long."""
    end, count = time.monotonic() + 90, int(command[command.index("--workers") + 1])
    while time.monotonic() < end and process.poll() is None:
        try:
            with connected(port, 1) as one:
                drive(one, [_request("/wechat", "", "GET")])
        except OSError:
            time.sleep(0.1)
        except RuntimeError:  # it answers; that GET is not allowed or unsigned
            workers: list[psutil.Process] = psutil.Process(process.pid).children()
            if len(workers) == count:
                return workers
    raise RuntimeError(log.read_text())


def _turn(server: Server, mode: str, numbers: Iterator[int]) -> Turn:
    pushes = [push(mode, next(numbers)) for _ in range(CALLS)]
    with spread(server, CLIENTS) as connections:
        before = server.seconds()
        done = drive(connections, pushes)
        cost = (server.seconds() - before) / CALLS
    if server.bot.echoes and not all(WORDS in _opened(body, mode) for body in done.bodies):
        raise RuntimeError(f"{server.bot.name} does not echo: {done.bodies[0][:400]!r}")
    return Turn(done.rate, cost, done.busy)


@contextmanager
def spread(server: Server, clients: int) -> Iterator[list[Connection]]:
    """Connections that were each answered once, as many with one worker as with the other.

    Which worker accepts how many is chance, and would be most of what a turn shows: while one accepts, the rest sleep.
    """
    share = clients // len(server.workers)
    with ExitStack() as stack:
        opened: list[Connection] = []
        for worker in server.workers:
            others = [other for other in server.workers if other is not worker]
            for other in others:
                other.suspend()
            try:
                opened += stack.enter_context(connected(server.port, share))
                drive(opened[-share:], [_request("/nowhere", "", "GET")] * share, 404)
            finally:
                for other in others:
                    other.resume()
        yield opened


def push(mode: str, number: int) -> bytes:
    """One text message as WeChat pushes it, with a MsgId of its own."""
    stamp, nonce = str(int(time.time())), "1320562132"
    body = PUSH.format(stamp=stamp, words=WORDS, number=23456789012345678 + number)
    query = {"signature": CRYPTO.signature(stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": "oLVPpjqs9Bhv"}
    if mode == "safe":
        sealed = dict(SEALED.findall(CRYPTO.seal(body, stamp, nonce)))
        query |= {"encrypt_type": "aes", "msg_signature": sealed["MsgSignature"]}
        body = (
            "<xml><ToUserName><![CDATA[gh_0e2a4b6c8d10]]></ToUserName>"
            f"<Encrypt><![CDATA[{sealed['Encrypt']}]]></Encrypt></xml>"
        )
    return _request(f"/wechat?{urlencode(query)}", body)


def _request(path: str, body: str, method: str = "POST") -> bytes:
    sent = body.encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent


def _opened(body: bytes, mode: str) -> str:
    """The answer's XML."""
    text = body.decode()
    if mode == "plain":
        return text
    sealed = dict(SEALED.findall(text))
    return CRYPTO.open(sealed["Encrypt"], sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"])


def _order(servers: list[Server], number: int) -> list[Server]:
    """The servers in another order each round."""
    start = number % len(servers)
    return servers[start:] + servers[:start]


def _show(mode: str, rounds: Sequence[Mapping[Bot, Turn]]) -> None:
    busy = statistics.median(turn.busy for found in rounds for turn in found.values())
    print(
        f"Webhook, {mode} mode ({CLIENTS} connections, {STARTS} starts, {ROUNDS} rounds of {CALLS} in each; "
        f"the generator takes {busy:.0%} of a core)"
    )
    costs = {bot: statistics.mean(found[bot].cost for found in rounds) for bot in BOTS}
    for bot in BOTS:
        rate = statistics.median(found[bot].rate for found in rounds)
        low, middle, high = statistics.quantiles((found[OURS].rate / found[bot].rate for found in rounds), n=4)
        print(
            f"  {bot.name:<40} {rate:>6.0f} /s   ours / this {middle:.2f} (half of the rounds {low:.2f} to {high:.2f})"
            f" {costs[bot] * 1e6:>6.0f} us processor, by that {costs[bot] / costs[OURS]:.2f}"
        )
    print()
