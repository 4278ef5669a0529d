"""Server-sent events: what happens in the simulated WeChat, for the page with the phones."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .world import World

HEARTBEAT = 15.0  # seconds


def stream(world: World, after: str) -> Iterator[str]:
    """Feed entries after the given `<epoch>-<number>`; `reset` when the page has to read the whole state again."""
    epoch, _, number = after.partition("-")
    yield "retry: 1000\n\n"
    if epoch != world.epoch or not number.isdigit():
        yield f"id: {world.epoch}-{world.seq}\nevent: reset\ndata: {{}}\n\n"
        number = str(world.seq)
    seq = int(number)
    while not world.closed:
        events = world.events_after(seq, HEARTBEAT)
        if events is None:
            seq = world.seq
            yield f"id: {world.epoch}-{seq}\nevent: reset\ndata: {{}}\n\n"
        elif not events:
            yield ": still here\n\n"
        else:
            for seq, kind, data in events:
                yield f"id: {world.epoch}-{seq}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
