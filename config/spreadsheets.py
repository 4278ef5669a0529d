"""Spreadsheets as rows of text, both ways: CSV (UTF-8 or GB18030) and XLSX; and what a file can have wrong."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from config.errors import Refused
from config.text import N_, translate

BYTES = 2 * 1024 * 1024
ROWS, COLUMNS, CELL = 5000, 80, 1000  # rows below the heading; columns; characters of a cell
UNPACKED = 60 * 1024 * 1024  # bytes of an XLSX's parts in all
FORMULA = ("=", "+", "-", "@", "'", "\t", "\r")
WHOLE_NUMBER = re.compile(r"-?\d+\.0")

Rows = list[list[str]]


@dataclass(frozen=True)
class Problem:
    """One fault of a file: the row (1 is the heading; 0 the whole file), the column's heading, what is wrong."""

    row: int
    column: str
    message: str
    params: dict[str, Any] = field(default_factory=dict)

    def said(self, locale: str) -> str:
        """The fault in that language."""
        what = translate(locale, self.message, **self.params)
        if not self.row:
            return what
        if not self.column:
            return translate(locale, N_("Row %(row)s: %(what)s"), row=self.row, what=what)
        column = translate(locale, self.column)
        return translate(locale, N_("Row %(row)s, %(column)s: %(what)s"), row=self.row, column=column, what=what)


class FileRefused(Refused):
    """Nothing of the file was loaded; ``problems`` are all its faults."""

    code = "file-refused"
    status = 422
    message = N_("Nothing was loaded. Please correct the file and send it again.")

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = list(problems)


def read(data: bytes, *, exact: bool = False) -> Rows:
    """The rows of a file, its heading first; empty ones at the end are left out. ``exact``: full-width characters
    stay as they are, since Chinese prose has them. Raises FileRefused."""
    if len(data) > BYTES:
        raise _refused(N_("The file is larger than %(limit)s MB."), limit=BYTES // 1024 // 1024)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused(N_("This is a file of an old Excel (.xls). Save it as .xlsx or CSV."))
    found = _xlsx(data) if data.startswith(b"PK") else _csv(data)
    rows = [_row(cells, _trimmed if exact else _plain) for cells in found]
    while rows and not any(rows[-1]):
        rows.pop()
    if len(rows) > ROWS + 1:
        raise _refused(N_("The file has more than %(limit)s rows."), limit=ROWS)
    if not rows:
        raise _refused(N_("The file is empty."))
    return rows


def to_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """CSV in UTF-8 with a mark, as Excel opens it; a cell that would be a formula begins with an apostrophe."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def to_xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    """XLSX with text cells only, and the heading kept in sight."""
    from openpyxl import Workbook  # noqa: PLC0415 - slow to import, and hardly a process needs it

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([_harmless(cell) for cell in row])
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _plain(cell: str) -> str:
    """A cell as it is read: full-width digits and letters narrow, no spaces around, no apostrophe in front."""
    return _trimmed(unicodedata.normalize("NFKC", cell))


def _trimmed(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith("'") else text


def _csv(data: bytes) -> Rows:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _no_spreadsheet()
    if any(ord(character) < 32 and character not in "\r\n\t" for character in text):
        raise _no_spreadsheet()
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error:
        raise _no_spreadsheet() from None


def _xlsx(data: bytes) -> Rows:
    from openpyxl import load_workbook  # noqa: PLC0415 - as above

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > UNPACKED:
                raise _refused(N_("The file has more than %(limit)s rows."), limit=ROWS)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        cells = sheet.iter_rows(max_row=ROWS + 2, max_col=COLUMNS, values_only=True)
        return [[_text(cell) for cell in row] for row in cells]
    except FileRefused:
        raise
    except Exception:  # openpyxl raises whatever its parser meets
        raise _no_spreadsheet() from None


def _row(cells: Sequence[str], read_cell: Callable[[str], str]) -> list[str]:
    plain = [read_cell(cell[: CELL + 1]) for cell in cells[:COLUMNS]]
    while plain and not plain[-1]:
        plain.pop()
    return plain


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    text = str(cell)
    return text[:-2] if WHOLE_NUMBER.fullmatch(text) else text


def _refused(message: str, **params: object) -> FileRefused:
    return FileRefused([Problem(0, "", message, params)])


def _no_spreadsheet() -> FileRefused:
    return _refused(N_("This is no spreadsheet. CSV (UTF-8 or GBK) and XLSX can be read."))
