"""The states of a visit, made in the database of a running service that has the demo's visits; nobody taps for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.policy import Policy
from config.text import CHINESE
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.encounters.rooms import encounter_of, known, seat
from consultation.intake import actions as intake
from consultation.intake.questionnaire import intake as questions
from consultation.line import actions as line
from consultation.line.models import Handover
from consultation.record import actions as record
from consultation.record import library, queries, writing
from consultation.record.content import Content, Outcome
from consultation.talk import actions as talk
from consultation.triage import actions as triage
from people import staff
from people.access import Viewer
from people.models import Practitioner, Role
from tests.journeys.rooms import database
from tests.journeys.service import Service


class States:
    """Moves visits of the demo's first doctor; each call commits."""

    def __init__(self, service: Service, leave: Callable[[], object]) -> None:
        self.service, self.leave = service, leave

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """The database, once the page that would load itself anew has been left."""
        self.leave()
        with database(self.service) as session:
            yield session

    def waiting(self) -> str:
        """The demo's visit whose family has checked in; late in the evening it is not the first of the day."""
        with self._session() as session:
            arrived = select(Encounter.appointment_id).where(Encounter.status == EncounterStatus.ARRIVED)
            return f"/visits/{session.scalars(arrived).one()}"

    def arrive(self, path: str, missed: int = 0) -> None:
        """The family has checked in, and has missed so many calls."""
        with self._session() as session:
            visit, now = whole(session, _id(path)), datetime.now(UTC)
            encounter = line.check_in(
                session, visit, visit.appointment.account_id, "朝阳区1号", "13800001234", now, Policy()
            )
            encounter.missed = missed

    def ask_for_another(self, path: str) -> None:
        """The parent is asked whether a colleague may see the child."""
        with self._session() as session:
            encounter = known(session, _id(path))
            assert encounter
            doctors = select(Practitioner).where(Practitioner.department_id == encounter.department_id)
            other = session.scalars(doctors.where(Practitioner.id != encounter.practitioner_id)).first()
            assert other
            asked = {"from_id": encounter.practitioner_id, "to_id": other.id, "asked_by_id": other.id}
            session.add(Handover(encounter_id=encounter.id, asked_at=datetime.now(UTC), **asked))

    def call(self, path: str) -> None:
        """The doctor calls the child, whatever was asked before."""
        with self._session() as session:
            line.call(session, self._desk(session), _id(path), datetime.now(UTC), Policy())

    def begin(self, path: str) -> None:
        """The family has joined; they have written."""
        with self._session() as session:
            encounter, now = encounter_of(session, whole(session, _id(path)), datetime.now(UTC)), datetime.now(UTC)
            line.join(session, encounter, encounter.account_id, now)
            for viewer in (Viewer(encounter.account_id, CHINESE), self._desk(session)):
                mine = seat(session, viewer, _id(path), lock=True)
                talk.write(session, mine, "孩子精神还可以", UUID(int=1), now, Policy())

    def link(self, path: str) -> str:
        """A link that opens the call in another browser: its path."""
        with self._session() as session:
            encounter = known(session, _id(path))
            assert encounter
            mine = seat(session, Viewer(encounter.account_id, CHINESE), _id(path), lock=True)
            return f"/call/{talk.make_link(session, mine, datetime.now(UTC))}"

    def write(self, path: str, outcome: Outcome) -> None:
        """The doctor has put a template in, and chosen what follows."""
        with self._session() as session:
            template = library.templates().template[0]
            content = writing.with_outcome(writing.applied(Content(), template, CHINESE), outcome, CHINESE)
            mine = seat(session, self._desk(session), _id(path), lock=True)
            written = queries.composition(session, mine.encounter.id)
            record.save(session, mine, written.version if written else 0, content, datetime.now(UTC))

    def amend(self, path: str) -> None:
        """The doctor has opened the signed record for a new version."""
        with self._session() as session:
            mine = seat(session, self._desk(session), _id(path), lock=True)
            record.amend(session, mine, "补充", datetime.now(UTC))

    def tell(self, path: str, step: str, **said: Sequence[str]) -> None:
        """The family tells a step anew; the rules look at it."""
        with self._session() as session:
            visit, now = whole(session, _id(path)), datetime.now(UTC)
            asked, account_id = questions().step(step), visit.appointment.account_id
            assert asked
            intake.save(session, visit, account_id, asked, said, now, Policy())
            triage.run(session, visit, now, f"account:{account_id}")

    def close(self, path: str, ending: Ending) -> None:
        """The visit ends."""
        with self._session() as session:
            encounter = known(session, _id(path))
            assert encounter
            line.finish(session, encounter, ending, datetime.now(UTC), Policy(), "test")

    def lead(self) -> None:
        """The doctor leads the team, too."""
        with self._session() as session:
            doctor = self._doctor(session)
            staff.grant(session, doctor, Role.TEAM_LEAD, doctor.department_id, by=None, now=datetime.now(UTC))

    def _doctor(self, session: Session) -> Practitioner:
        return session.scalars(select(Practitioner).where(Practitioner.code == "D001")).one()

    def _desk(self, session: Session) -> Viewer:
        account_id = self._doctor(session).account_id
        assert account_id
        return Viewer(account_id, CHINESE)


def _id(path: str) -> UUID:
    return UUID(path.rstrip("/").rpartition("/")[2])
