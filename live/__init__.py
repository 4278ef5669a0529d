"""The live channel: streams of server-sent events from a process of its own, polling and POST from every process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from gevent.monkey import is_module_patched
from redis import Redis

from config.ids import parse_id
from config.settings import Settings
from consultation.talk.refusals import TooFast
from live import passes
from live.hub import STREAMS, Hub
from live.stream import LineStream, RoomStream

FILES = {file.name: file for file in sorted((Path(__file__).parent / "static").iterdir())}
LIVEKIT = "livekit-client.js"  # LiveKit's own client; loaded where a LiveKit server is set
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def join(app: Flask, settings: Settings, store: Redis) -> None:
    """Register the streams, and what pages need to find them."""
    hub = Hub(store)
    app.register_blueprint(Blueprint("live", __name__, template_folder="templates"))

    @app.get("/live/visits/<uuid:visit_id>")
    @passes.watching
    def live_room(visit_id: UUID) -> ResponseReturnValue:
        """What happens in a room, from ``Last-Event-ID`` or ``?after=`` on."""
        return _answer(hub, RoomStream.open(hub, passes.here(), visit_id, after()))

    @app.get("/live/line")
    @passes.watching
    def live_line() -> ResponseReturnValue:
        """That the doctor's line has moved; with ``?visit=`` for the family of that visit."""
        visit = request.args.get("visit")
        wanted = (parse_id(visit) or UUID(int=0)) if visit else None
        return _answer(hub, LineStream.open(hub, passes.here(), wanted))

    if settings.live_origin:
        app.after_request(lambda answer: _allowed(answer, settings.clinic_origin))
    place = {"origin": settings.live_origin, "home": urlsplit(settings.clinic_origin).netloc}
    app.add_template_global(lambda: place, "live_place")
    app.add_template_global(lambda: bool(settings.livekit_url), "over_livekit")


def files(settings: Settings) -> dict[str, Path]:
    """The scripts that parents and staff share, by the names under which they are served."""
    client = {LIVEKIT: settings.assets_dir / "livekit-client/dist/livekit-client.umd.js"}
    return FILES | (client if settings.livekit_url else {})


def after() -> int:
    """The number of the last event that the page has."""
    given = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    return int(given) if given.isdecimal() and len(given) < 10 else 0


def _answer(hub: Hub, stream: RoomStream | LineStream) -> ResponseReturnValue:
    """The stream; none from a process of threads: each would keep a thread, and a few would stop all pages."""
    if not is_module_patched("threading"):
        return Response("There are no streams here.", 503)
    if hub.open[stream.account_id] >= STREAMS:
        raise TooFast
    return Response(_counted(hub, stream.account_id, stream), content_type="text/event-stream", headers=HEADERS)


def _counted(hub: Hub, account_id: UUID, frames: Iterable[str]) -> Iterator[str]:
    hub.open[account_id] += 1
    try:
        yield from frames
    finally:
        hub.open[account_id] -= 1
        if not hub.open[account_id]:
            del hub.open[account_id]


def _allowed(answer: Response, origin: str) -> Response:
    """The clinic's own pages may read streams from here, and no other site's."""
    if request.path.startswith("/live/"):
        answer.headers["Vary"] = "Origin"
        if request.headers.get("Origin") == origin:
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Allow-Credentials"] = "true"
    return answer
