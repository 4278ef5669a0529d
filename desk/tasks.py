"""Tasks: what waits for me or a role of mine, taken and done with a note."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from desk.pages import bp, page
from people import tasks
from people.models import Role
from people.queries import practitioner_names
from wechat.signin import member, staff

FILTERS: tuple[tasks.Filter, ...] = get_args(tasks.Filter)


@bp.get("/tasks")
@staff(*Role)
def task_list() -> ResponseReturnValue:
    which: tasks.Filter = next((name for name in FILTERS if name == request.args.get("show")), "open")
    at = now()
    with transaction() as session:
        found = tasks.listed(session, member(), which, at)
        counts = {name: len(tasks.listed(session, member(), name, at)) for name in FILTERS}
        names = practitioner_names(session, {task.practitioner_id for task in found if task.practitioner_id})
    mine = member().practitioner.id
    return page("tasks.html", tasks=found, which=which, counts=counts, now=at, names=names, mine=mine, note=tasks.NOTE)


@bp.post("/tasks/<uuid:task_id>/take")
@staff(*Role)
def take_task(task_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        tasks.take(session, member(), task_id)
    return redirect(url_for("desk.task_list", show="mine"), 303)


@bp.post("/tasks/<uuid:task_id>/done")
@staff(*Role)
def finish_task(task_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        tasks.done(session, member(), task_id, request.form.get("note", "").strip(), now())
    return redirect(url_for("desk.task_list", show="mine"), 303)
