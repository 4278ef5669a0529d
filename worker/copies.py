"""A copy of a child's whole file as a ZIP: everything as data, pictures, papers, and a page to be read by people."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import structlog
from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from procrastinate import App, JobContext, RetryStrategy
from sqlalchemy import select
from sqlalchemy.orm import Session

from config import templates
from config.clock import now
from config.database import transaction
from config.errors import Refused
from config.hospital import hospital
from config.policy import current
from config.settings import ROOT
from config.text import CHINESE, LOCALES
from consultation.intake.models import QuestionnaireResponse
from consultation.intake.questionnaire import BrokenQuestionnaire, intake
from consultation.intake.words import spoken
from consultation.models import Media, MediaStatus
from consultation.record import paper
from consultation.record.models import Composition
from consultation.record.queries import Signed, versions
from consultation.record.shown import shown
from people.files import FileMissing, FileStore
from people.keeping import copies
from people.keeping.holdings import Reader, Resource
from people.models import Patient
from worker.holdings import HOLDINGS

log = structlog.get_logger()

EVERY = 10  # files between two looks at how far it has come
TRIES = 5  # further ones, after 3 s, 9 s, 27 s, ...
RETRY = RetryStrategy(max_attempts=TRIES, exponential_wait=3)
HOURLY = "47 * * * *"
NAMES = {CHINESE: "zh", "en": "en"}
Told = Callable[[int, int], None]
Lines = list[tuple[str, str]]


@dataclass(frozen=True)
class Contents:
    """What is in a copy: the child (name, number, birth date), every row as a resource, the names of the pictures'
    files by id, the newest signed version of each visit, what was told before each visit in each language, by visit."""

    child: Mapping[str, Any]
    resources: Sequence[Resource]
    pictures: Mapping[str, str]
    signed: Mapping[str, Signed]
    told: Mapping[str, Mapping[str, Lines]]
    made: datetime

    @property
    def files(self) -> int:
        """How many files are to be fetched or rendered."""
        return len(self.pictures) + len(self.signed)


def gather(session: Session, patient_id: UUID, reader: Reader, at: datetime) -> Contents:
    """Everything that is kept of a child and may be given to this reader."""
    child = session.get_one(Patient, patient_id)
    resources: list[Resource] = []
    for holding in reversed(HOLDINGS):
        if holding.told:
            mine = select(holding.table).where(holding.of([patient_id])).order_by(holding.since)
            found = [holding.told(session, row, reader) for row in session.scalars(mine)]
            resources += [one for one in found if one]
    pictures = select(Media).where(Media.patient_id == patient_id, Media.status == MediaStatus.COMPLETED)
    answers = select(QuestionnaireResponse).where(QuestionnaireResponse.patient_id == patient_id)
    last = {str(row.appointment_id): row for row in session.scalars(answers.order_by(QuestionnaireResponse.version))}
    return Contents(
        child={"name": child.name, "number": child.number, "born": child.birth_date},
        resources=resources,
        pictures={str(row.id): row.file_name for row in session.scalars(pictures)},
        signed=_signed(session, patient_id),
        told={visit: {locale: _lines(row, locale) for locale in LOCALES} for visit, row in last.items()},
        made=at,
    )


def _signed(session: Session, patient_id: UUID) -> dict[str, Signed]:
    """A record that is not what was signed has no paper; the data say that it is damaged."""
    found: dict[str, Signed] = {}
    records = select(Composition).where(Composition.patient_id == patient_id, Composition.signed > 0)
    for one in session.scalars(records):
        try:
            newest = versions(session, one)[-1]
        except Refused:
            continue
        found[str(newest.appointment_id)] = newest
    return found


def _lines(row: QuestionnaireResponse, locale: str) -> Lines:
    """The answers in words; those to questions that there are no more are in the data alone."""
    try:
        asked = [item for step in intake().item for item in step.item]
        said = [(item.label.model_dump()[locale], spoken(item, row.answers.get(item.linkId), locale)) for item in asked]
    except (BrokenQuestionnaire, KeyError, TypeError, ValueError):
        return []
    return [(label, text) for label, text in said if text]


def packed(contents: Contents, files: FileStore, locale: str, told: Told = lambda done, total: None) -> bytes:  # noqa: ARG005
    """The ZIP; ``locale`` is that of index.html, the other language lies beside it. Call with no transaction open.

    A picture that the store has not is left out, and the page says so. Raises FilesUnavailable.
    """
    made = io.BytesIO()
    missing: set[str] = set()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for done, (name, data) in enumerate(_files(contents, files, locale, missing)):
            if done % EVERY == 0:
                told(done, contents.files)
            if data is not None:
                archive.writestr(name, data, ZIP_STORED)
        archive.writestr("data.json", _bundle(contents))
        for other in LOCALES:
            page = _page(contents, other, missing)
            archive.writestr("index.html" if other == locale else f"index.{NAMES[other]}.html", page)
    return made.getvalue()


def _files(contents: Contents, files: FileStore, locale: str, missing: set[str]) -> Iterable[tuple[str, bytes | None]]:
    for picture, name in contents.pictures.items():
        try:
            data: bytes | None = files.get(name)
        except FileMissing:
            log.error("picture-missing", media=picture)
            missing.add(picture)
            data = None
        yield f"pictures/{picture}.jpg", data
    for visit, signed in contents.signed.items():
        yield f"visits/{visit}.pdf", paper.pdf(shown(signed, locale), hospital(), locale)


def _bundle(contents: Contents) -> str:
    entries = [{"resource": one} for one in contents.resources]
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": contents.made.isoformat(), "entry": entries}
    return json.dumps(bundle, ensure_ascii=False, indent=1)


def _page(contents: Contents, locale: str, missing: set[str]) -> str:
    by_visit: dict[str, dict[str, list[Resource]]] = {}
    for one in contents.resources:
        about = one.get("appointment", {}).get("reference", "").removeprefix("Appointment/")
        if about:
            by_visit.setdefault(about, {}).setdefault(one["resourceType"], []).append(one)
    visits = [one for one in contents.resources if one["resourceType"] == "Appointment"]
    return _environment(locale).get_template("worker/file.html").render(
        lang="zh-CN" if locale == CHINESE else "en",
        child=contents.child,
        visits=sorted(visits, key=lambda one: str(one["start"]), reverse=True),
        of_visit=by_visit,
        records={visit: shown(signed, locale) for visit, signed in contents.signed.items()},
        told={visit: said[locale] for visit, said in contents.told.items()},
        missing=missing,
        made=contents.made,
        hospital=hospital(),
        kinds=sorted(Counter(one["resourceType"] for one in contents.resources).items()),
        when=datetime.fromisoformat,
    )  # fmt: skip


@cache
def _environment(locale: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(ROOT / "worker/templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install(made, lambda: locale)
    return made


def prepare(files: FileStore, copy_id: UUID, *, last: bool) -> None:
    """Make a copy that was asked for. What goes wrong is tried again; at the last try the guardian is told."""
    try:
        _prepare(files, copy_id)
    except Exception as error:
        log.warning("copy-failed", copy=str(copy_id), error=type(error).__name__, last=last)
        if not last:
            raise
        with transaction() as session:
            copies.failed(session, copy_id, now())


def _prepare(files: FileStore, copy_id: UUID) -> None:
    with transaction() as session:
        asked = copies.to_prepare(session, copy_id, now())
        if asked is None or asked.file_name is None:
            return
        locale, name = asked.locale, asked.file_name
        contents = gather(session, asked.patient_id, Reader(asked.account_id), now())

    def told(done: int, total: int) -> None:
        with transaction() as session:
            copies.progress(session, copy_id, done, total)

    data = packed(contents, files, locale, told)
    files.put(name, data)
    with transaction() as session:
        copies.ready(session, copy_id, len(data), now(), current(session, now()))


def tidy(files: FileStore) -> None:
    """Delete the files of copies that can't be fetched any more. Raises FilesUnavailable."""
    with transaction() as session:
        gone = copies.outdate(session, now())
    for copy_id, name in gone:
        files.delete(name)
        with transaction() as session:
            copies.forget_file(session, copy_id)


def join(app: App, files: FileStore) -> None:
    """Add the tasks to the queue's."""

    @app.task(name=copies.PREPARE, retry=RETRY, pass_context=True)
    def prepare_copy(context: JobContext, copy_id: str) -> None:
        prepare(files, UUID(copy_id), last=context.job.attempts >= TRIES)

    @app.periodic(cron=HOURLY)
    @app.task(name="keeping.tidy", queueing_lock="keeping.tidy")
    def tidy_copies(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        tidy(files)
