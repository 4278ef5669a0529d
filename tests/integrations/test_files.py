"""Where files are kept: one contract for both stores, and what each has of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import encryption
from config.encryption import KeyRing
from config.settings import Settings
from integrations.files import Folder, Sealed, connect
from integrations.simulators import s3
from people.files import FileMissing, FileStore, FilesUnavailable, new_name
from tests.product import make_settings

DATA = b"\xff\xd8 a picture of a rash " * 1000
KEY, SECRET = "clinic-key", "clinic-secret"


@pytest.fixture(autouse=True)
def ring() -> Iterator[None]:
    before = encryption._ring
    encryption.use(KeyRing({"new": b"n" * 32, "old": b"o" * 32}, b"i"))
    yield
    encryption._ring = before


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[s3.Store, str]]:
    """The stand-in of S3, and its address."""
    store = s3.Store(KEY, SECRET)
    listening = s3.serve(store)
    yield store, f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


def settings(**more: object) -> Settings:
    return make_settings("postgresql://nobody@127.0.0.1:9/none", "redis://127.0.0.1:9/0", **more)


def s3_settings(origin: str, **more: object) -> Settings:
    named = {"endpoint": origin, "bucket": "clinic", "access_key": KEY, "secret_key": SECRET, **more}
    return settings(**{f"files_s3_{name}": value for name, value in named.items()})


Raw = Callable[[str], bytes | None]


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, server: tuple[s3.Store, str]) -> tuple[FileStore, Raw]:
    """A store as the application gets it, and what of a file really lies there."""
    if request.param == "s3":
        store, origin = server
        return connect(s3_settings(origin)), store.objects.get

    def raw(name: str) -> bytes | None:
        return next((path.read_bytes() for path in tmp_path.rglob(name)), None)

    return connect(settings(files_dir=tmp_path)), raw


def test_the_contract(kept: tuple[FileStore, Raw]) -> None:
    store, raw = kept
    name, other = new_name(), new_name()
    with pytest.raises(FileMissing):
        store.get(name)
    store.put(name, b"first")
    store.put(name, DATA)
    store.put(other, b"")
    assert (store.get(name), store.get(other)) == (DATA, b"")
    lies = raw(name)
    assert lies is not None
    assert b"rash" not in lies
    assert lies.startswith(b"\x03new")
    store.delete(name)
    store.delete(name)
    assert raw(name) is None
    with pytest.raises(FileMissing):
        store.get(name)
    assert store.get(other) == b""


@pytest.mark.parametrize("name", ["", "../../../etc/passwd", "A" * 32, "a" * 31, "a" * 32 + "\n", "aa/" + "a" * 29])
def test_only_names_of_ours(kept: tuple[FileStore, Raw], name: str) -> None:
    for act in (store := kept[0]).get, store.delete, lambda name: store.put(name, b""):
        with pytest.raises(ValueError, match="name"):
            act(name)


def test_an_old_key_still_opens_and_a_changed_file_does_not(tmp_path: Path) -> None:
    store, raw = connect(settings(files_dir=tmp_path)), Folder(tmp_path)
    encryption.use(KeyRing({"old": b"o" * 32}, b"i"))
    name, other = new_name(), new_name()
    store.put(name, DATA)
    encryption.use(KeyRing({"new": b"n" * 32, "old": b"o" * 32}, b"i"))
    assert store.get(name) == DATA
    sealed = raw.get(name)
    for wrong in (b"", sealed[:6], sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x03xyz" + sealed[4:]):
        raw.put(name, wrong)
        with pytest.raises(FilesUnavailable):
            store.get(name)
    raw.put(other, sealed)  # one child's picture in the place of another's
    with pytest.raises(FilesUnavailable):
        store.get(other)


def test_a_crash_leaves_the_old_file_and_no_half_of_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, name = Folder(tmp_path), new_name()
    store.put(name, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FilesUnavailable):
        store.put(name, b"new")
    assert store.get(name) == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [name]


def test_files_are_for_the_services_user_alone(tmp_path: Path) -> None:
    store, name = Folder(tmp_path / "files"), new_name()
    store.put(name, DATA)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "files").rglob("*")} == {0}


def test_s3_refuses_a_wrong_secret_and_an_unknown_bucket(server: tuple[s3.Store, str]) -> None:
    for wrong in ({"secret_key": "other"}, {"access_key": "other"}, {"bucket": "other"}):
        store = connect(s3_settings(server[1], **wrong))
        with pytest.raises((FilesUnavailable, FileMissing)):
            store.put(new_name(), DATA)


def test_s3_that_stumbles_is_asked_again(server: tuple[s3.Store, str]) -> None:
    store, name = connect(s3_settings(server[1])), new_name()
    server[0].faults.append(503)
    store.put(name, DATA)
    assert store.get(name) == DATA


def test_s3_that_is_away() -> None:
    store = connect(s3_settings("http://127.0.0.1:9"))
    for act in (lambda: store.get(new_name()), lambda: store.put(new_name(), b""), lambda: store.delete(new_name())):
        with pytest.raises(FilesUnavailable):
            act()


def test_settings_go_together() -> None:
    with pytest.raises(ValueError, match="FILES_S3_BUCKET, FILES_S3_SECRET_KEY missing"):
        s3_settings("http://127.0.0.1:9", bucket="", secret_key="")
    with pytest.raises(ValueError, match="FILES_S3_ENDPOINT must be an origin"):
        s3_settings("http://127.0.0.1:9/bucket")
    assert isinstance(connect(settings()), Sealed)
