"""Where files are kept: a folder, or an S3-compatible store; encrypted with the clinic's keys before they leave us."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from config import encryption
from config.encryption import DecryptionError
from config.settings import Settings
from people.files import FileMissing, FileStore, FilesUnavailable

log = structlog.get_logger()

NAME = re.compile(r"[0-9a-f]{32}")
SECONDS = timedelta(seconds=10)  # for one try; a person may be waiting
TRIES = 3
ABSENT = (NotFoundError, FileNotFoundError)  # the library raises either
REFUSED = (BaseError, OSError)


def connect(settings: Settings) -> FileStore:
    """The store that the settings name."""
    return Sealed(bucket(settings) if settings.files_s3_endpoint else Folder(settings.files_dir))


@dataclass(frozen=True)
class Sealed:
    """Encrypts for another store. The name is bound in, so that one file can't be passed off as another."""

    store: FileStore

    def put(self, name: str, data: bytes) -> None:
        """Encrypt and keep. Raises FilesUnavailable."""
        self.store.put(_checked(name), encryption.ring().seal(data, _context(name)))

    def get(self, name: str) -> bytes:
        """Fetch and decrypt. Raises FileMissing, FilesUnavailable."""
        try:
            return encryption.ring().unseal(self.store.get(_checked(name)), _context(name))
        except DecryptionError:
            log.error("file-unreadable")  # its key is gone from the ring, or somebody changed the bytes
            raise FilesUnavailable from None

    def delete(self, name: str) -> None:
        """Forget. Raises FilesUnavailable."""
        self.store.delete(_checked(name))


@dataclass(frozen=True)
class Folder:
    """Files in a folder that only the service's user can read."""

    root: Path

    def put(self, name: str, data: bytes) -> None:
        """Write beside, flush to the disk, then rename: a crash leaves the whole file or none."""
        try:
            folder = self._path(name).parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, delete=False) as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    os.replace(file.name, self._path(name))
                except BaseException:
                    os.unlink(file.name)
                    raise
            _flush(folder)
        except OSError as error:
            raise _unavailable(error) from None

    def get(self, name: str) -> bytes:
        """Read."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise FileMissing from None
        except OSError as error:
            raise _unavailable(error) from None

    def delete(self, name: str) -> None:
        """Remove."""
        try:
            with contextlib.suppress(FileNotFoundError):
                self._path(name).unlink()
                _flush(self._path(name).parent)
        except OSError as error:
            raise _unavailable(error) from None

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name


@dataclass(frozen=True)
class Bucket:
    """Files in a bucket; the store keeps a whole file or none."""

    store: S3Store

    def put(self, name: str, data: bytes) -> None:
        """Send, in one request."""
        try:
            self.store.put(name, data, use_multipart=False)
        except REFUSED as error:
            raise _unavailable(error) from None

    def get(self, name: str) -> bytes:
        """Fetch."""
        try:
            return self.store.get(name).bytes().to_bytes()
        except ABSENT:
            raise FileMissing from None
        except REFUSED as error:
            raise _unavailable(error) from None

    def delete(self, name: str) -> None:
        """Remove."""
        try:
            self.store.delete(name)
        except ABSENT:
            return
        except REFUSED as error:
            raise _unavailable(error) from None


def bucket(settings: Settings) -> Bucket:
    """The bucket of the settings, addressed by path, as every S3-compatible store understands."""
    store = S3Store(
        settings.files_s3_bucket,
        endpoint=settings.files_s3_endpoint,
        region=settings.files_s3_region,
        access_key_id=settings.files_s3_access_key,
        secret_access_key=settings.files_s3_secret_key.get_secret_value(),
        virtual_hosted_style_request=False,
        disable_bulk_delete=True,  # many compatible stores know only one at a time
        client_options={"timeout": SECONDS, "connect_timeout": SECONDS / 5, "allow_http": not settings.production},
        retry_config={"max_retries": TRIES - 1, "retry_timeout": SECONDS * 2},
    )
    return Bucket(store)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("not a file's name")
    return name


def _context(name: str) -> str:
    return f"files.{name}"


def _unavailable(error: Exception) -> FilesUnavailable:
    log.error("files-unavailable", error=type(error).__name__)
    return FilesUnavailable()


def _flush(folder: Path) -> None:
    """Flush a folder's list of names to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
