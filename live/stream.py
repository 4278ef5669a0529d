"""Server-sent events: what happens in a room, or that a doctor's line has moved, for as long as a page is open.

No database connection is held while a stream waits. Any number of processes serve one room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from config.clock import now
from config.database import looking, transaction
from config.errors import NotFound, Refused
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import OVER, line_topic, topic
from consultation.talk.queries import Person, news
from live.hub import Hub, Listener
from live.passes import Pass
from people.access import Viewer, member_of
from people.models import Role
from people.refusals import NotStaff, RoleMissing

BEAT = 15.0  # seconds: proxies close what is silent for longer, and a page knows a dead stream by it
AGAIN = 1.0  # seconds, after which a database that did not answer is asked again
ASK = 2  # beats after which a silent stream asks for its seat anew
RETRY = "retry: 1000\n\n"


def framed(kind: str, data: Any, n: int | None = None) -> str:
    """One event on the wire."""
    name = f"id: {n}\n" if n is not None else ""
    return f"{name}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@dataclass
class RoomStream:
    """One page's view of a room from event ``after`` on."""

    hub: Hub
    right: Pass
    visit_id: UUID
    after: int
    account_id: UUID
    encounter_id: UUID
    beat: float = field(default=BEAT)
    names: dict[UUID, Person] = field(default_factory=dict)  # of who has written, as they were called then

    @classmethod
    def open(cls, hub: Hub, right: Pass, visit_id: UUID, after: int) -> RoomStream:
        """Ask for the seat. Raises what Pass.seat raises."""
        with hub.turn, looking() as session:
            found = right.place(session, visit_id, now())
        return cls(hub, right, visit_id, after, found.account_id, found.encounter_id)

    def __iter__(self) -> Iterator[str]:
        """Events as they come, until the visit is over or the seat is gone. Heartbeats between them."""
        with self.hub.listen(topic(self.encounter_id)) as listener:
            yield RETRY
            while True:
                try:
                    told, status = self._look()
                except Refused:
                    return  # the page asks again, and is told why not
                except (SQLAlchemyError, psycopg.Error):  # no database, or none free: without it nothing is told
                    listener.wait(AGAIN)
                    continue
                yield from told
                if status in OVER and not told:
                    yield framed("over", {"status": status})
                    return
                yield from () if told and status in OVER else self._wait(listener)

    def _wait(self, listener: Listener) -> Iterator[str]:
        for _ in range(ASK):
            if listener.wait(self.beat):
                return
            yield framed("beat", {})

    def _look(self) -> tuple[list[str], EncounterStatus]:
        """What is new as frames, and where the visit stands."""
        with self.hub.turn, looking() as session:
            found = self.right.place(session, self.visit_id, now())
            events = news(session, found, self.after, self.right.locale, self.names)
        if events:
            self.after = events[-1]["n"]
        return [framed(event["kind"], event, event["n"]) for event in events], found.status


@dataclass
class LineStream:
    """One page's view of a doctor's line: an event ``line`` without data means that it has moved.

    Of the doctor's own line, or for a family in the room of a visit (``visit_id``) the line of its doctor.
    """

    hub: Hub
    right: Pass
    visit_id: UUID | None
    topic: str
    account_id: UUID
    beat: float = field(default=BEAT)

    @classmethod
    def open(cls, hub: Hub, right: Pass, visit_id: UUID | None) -> LineStream:
        """Ask whose line it is. Raises what Pass.seat raises."""
        with hub.turn:
            name, account_id = _line_of(right, visit_id)
        return cls(hub, right, visit_id, name, account_id)

    def __iter__(self) -> Iterator[str]:
        """Events as they come, until the right is gone or the visit has another doctor."""
        with self.hub.listen(self.topic) as listener:
            yield RETRY + framed("line", {})  # what happened since the page was made is not known
            while True:
                for _ in range(ASK):
                    if listener.wait(self.beat):
                        yield framed("line", {})
                        break
                    yield framed("beat", {})
                try:
                    with self.hub.turn:
                        now_of, _ = _line_of(self.right, self.visit_id)
                    if now_of != self.topic:
                        return
                except (Refused, SQLAlchemyError, psycopg.Error):
                    return


def _line_of(right: Pass, visit_id: UUID | None) -> tuple[str, UUID]:
    with transaction() as session:
        if visit_id is not None:
            found = right.place(session, visit_id, now())
            encounter = session.get_one(Encounter, found.encounter_id)
            return line_topic(encounter.practitioner_id), found.account_id
        account_id = right.sign_in(session, now()).account_id
        try:
            doctor = member_of(session, Viewer(account_id, right.locale), (Role.DOCTOR,))
        except (NotStaff, RoleMissing):
            raise NotFound from None
        return line_topic(doctor.practitioner.id), account_id
