"""The quick look at signatures says what itsdangerous says."""

from __future__ import annotations

import time

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer

from menus.signatures import Seal

WEEK = 7 * 24 * 3600


def cookies() -> TimestampSigner:
    """As Flask signs a session, in an application whose key was changed."""
    app = Flask("clinic")
    app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = "new", ["old"]
    made = SecureCookieSessionInterface().get_signing_serializer(app)
    assert made
    signer = made.make_signer(made.salt)
    assert isinstance(signer, TimestampSigner)
    return signer


def forms() -> TimestampSigner:
    """As Flask-WTF signs the token of a form."""
    made = URLSafeTimedSerializer("secret", salt="wtf-csrf-token")
    signer = made.make_signer(made.salt)
    assert isinstance(signer, TimestampSigner)
    return signer


SIGNERS = [cookies(), forms()]
SEALS = [Seal(signer, WEEK) for signer in SIGNERS]


def said(signer: TimestampSigner, signed: str) -> bytes | None:
    try:
        return signer.unsign(signed, WEEK)
    except (BadData, ValueError):
        return None


@pytest.mark.parametrize("which", [0, 1])
@given(value=st.text("abcXYZ019-_.", min_size=1), data=st.data())
def test_it_opens_what_was_signed_and_nothing_that_was_changed(which: int, value: str, data: st.DataObject) -> None:
    signer, seal = SIGNERS[which], SEALS[which]
    signed = signer.sign(value).decode()
    assert seal.opened(signed) == signer.unsign(signed) == value.encode()
    place = data.draw(st.integers(0, len(signed) - 1))
    spoilt = signed[:place] + data.draw(st.characters(codec="utf-8")) + signed[place + 1 :]
    assert seal.opened(spoilt) == said(signer, spoilt)
    assert seal.opened(spoilt) in (None, value.encode())


@given(st.text())
def test_anything_else_is_not_ours(text: str) -> None:
    assert [seal.opened(text) for seal in SEALS] == [None, None]


def test_an_older_key_still_opens_and_anothers_does_not() -> None:
    app = Flask("clinic")
    opened = []
    for key in ("old", "stranger"):
        app.secret_key = key
        serializer = SecureCookieSessionInterface().get_signing_serializer(app)
        assert serializer
        opened.append(SEALS[0].opened(serializer.dumps({"a": 1})) is not None)
    assert opened == [True, False]


@pytest.mark.parametrize(("age", "opens"), [(-5, False), (0, True), (WEEK, True), (WEEK + 2, False)])
def test_its_time_runs_out(age: int, opens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, now = cookies(), int(time.time())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now - age)
    signed = signer.sign("value").decode()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now)
    assert (SEALS[0].opened(signed) is not None) is opens
    assert Seal(signer).opened(signed) == b"value", "for ever"


def test_a_signature_without_its_time_is_refused_at_the_start() -> None:
    with pytest.raises(TypeError):
        Seal(Signer("secret"))
