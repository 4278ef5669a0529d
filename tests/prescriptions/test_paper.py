"""The form on paper: what must stand on it, real glyphs, and a seal that an independent tool believes until a byte is
changed."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from pypdf import PdfReader
from sqlalchemy.orm import Session

from prescriptions.papers import paper
from prescriptions.papers.shown import Shown, names_of, shown
from prescriptions.signing.actions import verify
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.prescriptions.made import SIGNER, signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital

PDFSIG = shutil.which("pdfsig")


def seen(session: Session, row: Prescription, locale: str = "zh_CN") -> Shown:
    read = verify(session, row)
    return shown(read, names_of(session, read), locale)


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    return signed(session, hospital, now, FEVER, IBUPROFEN)


def pdf(session: Session, row: Prescription, now: datetime, locale: str = "zh_CN") -> bytes:
    return paper.pdf(seen(session, row, locale), locale, paper.Seal.of(SIGNER.seal(session, now)), now)


def test_every_field_of_the_law_stands_on_it(session: Session, made: Prescription, now: datetime) -> None:
    read = PdfReader(BytesIO(pdf(session, made, now)))
    text = re.sub(r"\s", "", "".join(leaf.extract_text() for leaf in read.pages))
    header = (
        "医院 处方笺 儿科 姓名 性别 年龄 体重：15kg 科室 就诊号 处方编号 开具日期 2026年11月25日 急性鼻咽炎 费别 过敏史"
    )
    body = "Rp 对乙酰氨基酚混悬液 布洛芬混悬液 每次 mg 口服 共3天 总量 以下空白"
    end = "有效期 药品金额 开方医师：赵医生 审核药师：钱平 调配药师 核对、发药药师"
    wanted = [made.number, *header.split(), *body.split(), *end.split()]
    assert [words for words in wanted if words not in text] == []


def test_who_has_not_signed_has_an_empty_line(session: Session, hospital: Hospital, now: datetime) -> None:
    waiting = signed(session, hospital, now, status=PrescriptionStatus.IN_REVIEW)
    assert [bool(one.name) for one in seen(session, waiting).signatures] == [True, False, False, False]


def test_english_has_it_all_too(session: Session, made: Prescription, now: datetime) -> None:
    text = PdfReader(BytesIO(pdf(session, made, now, "en"))).pages[0].extract_text()
    assert not re.search(r"[一-鿿]", text.replace("王小明", ""))
    assert "times a day" in text


def test_pictures_are_png(session: Session, made: Prescription) -> None:
    sheets = paper.pictures(seen(session, made), "zh_CN")
    assert [one[:4] for one in sheets] == [b"\x89PNG"] * len(sheets)


def pdfsig(file: Path) -> str:
    assert PDFSIG
    done = subprocess.run([PDFSIG, str(file)], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


@pytest.mark.skipif(PDFSIG is None, reason="poppler-utils can't be had here")
def test_the_seal_is_believed_until_a_byte_is_changed(
    session: Session, made: Prescription, now: datetime, tmp_path: Path
) -> None:
    whole = pdf(session, made, now)
    file = tmp_path / "rx.pdf"
    file.write_bytes(whole)
    said = pdfsig(file)
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    changed = bytearray(whole)
    changed[whole.index(b"endobj") - 3] ^= 1
    file.write_bytes(changed)
    assert "Signature is Valid" not in pdfsig(file)


def test_the_seal_names_the_clinic_and_its_authority(session: Session, made: Prescription, now: datetime) -> None:
    whole = pdf(session, made, now)
    assert SIGNER.authority
    root = SIGNER.authority.roots[0]
    assert b"/ETSI.CAdES.detached" in whole
    assert root.public_bytes(Encoding.DER) not in whole, "the root is the reader's to trust"
