"""/metrics: who may ask, what is counted, and that nobody is in it."""

from __future__ import annotations

import multiprocessing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import config.database
from app import create_app
from config.jobs import defer
from config.metrics import PUSHES, forget
from config.settings import Settings
from tests.notifications.rows import queued
from tests.product import Hospital
from wechat.errors import QuotaUsed
from wechat.limits import Limits

TOKEN = {"Authorization": "Bearer t0ken"}


@pytest.fixture
def counting(settings: Settings, database: Connection, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with a token for its metrics."""
    monkeypatch.setattr(config.database, "connect", lambda _url: database.engine)
    return create_app(settings.model_copy(update={"metrics_token": SecretStr("t0ken")}))


def test_only_with_the_token(counting: Flask, app: Flask) -> None:
    client = counting.test_client()
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer t0kem"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer ü"}).status_code == 401
    assert client.get("/metrics", headers=TOKEN).status_code == 200
    assert app.test_client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_requests_by_route_and_status(counting: Flask) -> None:
    client = counting.test_client()
    client.get("/healthz")
    client.get("/nowhere/at/all")
    client.open("/healthz", method="BREW")
    shown = client.get("/metrics", headers=TOKEN).text
    assert 'clinic_request_seconds_count{method="GET",route="healthz",status="200"}' in shown
    assert 'clinic_request_seconds_count{method="GET",route="none",status="404"}' in shown
    assert 'method="other"' in shown
    assert "nowhere" not in shown
    assert "BREW" not in shown


def test_messages_jobs_and_closed_apis(
    counting: Flask,
    settings: Settings,
    session: Session,
    hospital: Hospital,
    redis_url: str,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("menus.metrics.DAY", timedelta(days=30))  # ids are of the real day, which is not the test's
    queued(session, hospital.mother, now)
    defer(session, "staff.tag", account_id=str(hospital.mother.id))
    session.commit()
    limits = Limits(config.redis.connect(redis_url), settings.wechat_appid)
    limits.note("/cgi-bin/menu/get", QuotaUsed(45009, "reach limit"))
    try:
        shown = counting.test_client().get("/metrics", headers=TOKEN).text
    finally:
        limits.reopen("/cgi-bin/menu/get")
    assert 'clinic_notifications{status="queued"} 1.0' in shown
    assert 'clinic_jobs{status="todo",task="staff.tag"} 1.0' in shown
    assert 'clinic_wechat_closed_until{code="45009",path="/cgi-bin/menu/get"}' in shown
    assert "clinic_database_up 1.0" in shown
    for private in (str(hospital.mother.id), hospital.mother.openid, hospital.child.name):
        assert private not in shown


def test_without_the_database_the_rest_is_still_told(counting: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception())

    monkeypatch.setattr("menus.metrics.by_status", away)
    shown = counting.test_client().get("/metrics", headers=TOKEN).text
    assert "clinic_database_up 0.0" in shown
    assert "clinic_request_seconds" in shown


def push() -> None:
    """One process that counts one push."""
    PUSHES.labels("Text", "TextReply").inc()


def test_processes_count_together(
    counting: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "metrics"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))  # as the Procfile gives it
    for _ in range(2):
        process = context.Process(target=push)
        process.start()
        process.join()
        assert process.exitcode == 0
    changes = {"metrics_token": SecretStr("t0ken"), "prometheus_multiproc_dir": folder}
    together = create_app(settings.model_copy(update=changes)).test_client()
    line = 'clinic_wechat_pushes_total{kind="Text",outcome="TextReply"} 2.0'
    assert line in together.get("/metrics", headers=TOKEN).text
    forget(folder)
    assert line not in together.get("/metrics", headers=TOKEN).text
