"""The formulary: what its amounts mean, versions, verification, spreadsheets out and in."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.spreadsheets import CELL, FileRefused, Rows, read, to_csv, to_xlsx
from config.text import LOCALES
from people.models import AuditEvent
from prescriptions.formulary import actions, importing, queries
from prescriptions.formulary.amounts import Amount, Content, Kilograms, Years
from prescriptions.formulary.columns import cells
from prescriptions.formulary.knowledge import Knowledge, knowledge, mentions
from prescriptions.formulary.product import Product
from prescriptions.formulary.refusals import VersionChanged
from prescriptions.models import Medication, MedicationVersion
from tests.prescriptions.orders import FEVER, PRODUCTS, TODAY, born, changed
from tests.product import Hospital


@pytest.fixture
def formulary(session: Session, hospital: Hospital, now: datetime) -> list[queries.Entry]:
    assert actions.load(session, now) == len(PRODUCTS)
    return queries.all_entries(session)


def put(session: Session, product: Product, hospital: Hospital, now: datetime) -> queries.Entry:
    actions.put(session, product, by=hospital.mother.id, note="price", now=now)
    found = queries.find(session, product.code)
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [("120 mg", 120_000, "120 mg"), ("0.5 g", 500_000, "500 mg"), ("250ug", 250, "250 ug"), ("2.5 mL", 2500, "2.5 mL"),
     ("1.5 g", 1_500_000, "1.5 g"), ("0.5 片", 500, "0.5 u"), ("9.999 mg", 9999, "9.999 mg")],
)  # fmt: skip
def test_amounts(text: str, value: int, shown: str) -> None:
    assert Amount.read(text).value == value
    assert str(Amount.read(text)) == shown
    assert Amount.read(shown) == Amount.read(text)


@pytest.mark.parametrize("text", ["120", "mg", "-5 mg", "1.0005 mL", "0.0001 mg", "1 e3 mg", "5 mg/kg", "一片"])
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        Amount.read(text)


def test_contents_and_ages() -> None:
    content = Content.read("lactulose 10 g/15 mL")
    assert content.micrograms_in(1500) == 1_000_000
    assert content.holding(Fraction(1_000_000)) == 1500
    assert Years.read("6 mo").reached(born(0, 6), TODAY)
    assert not Years.read("6 mo").reached(born(0, 5), TODAY)
    assert Years.read("2岁") == Years.read("2 y")
    assert Kilograms.read("30.001 kg").grams == 30_001


def test_a_child_of_the_leap_day_is_a_year_old_on_the_first_of_march() -> None:
    year = Years.read("1 y")
    leap = born(0).replace(year=2024, month=2, day=29)
    assert [year.reached(leap, TODAY.replace(year=2025, month=m, day=d)) for m, d in ((2, 28), (3, 1))] == [False, True]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"package": "100 u"}, "amounts of the form are in mL"),
        ({"package": "0 mL"}, "above zero"),
        ({"online": False}, "has to be said in Chinese"),
        ({"dose": []}, "needs a dose rule"),
        ({"contents": ["paracetamol 120 mg/5 mL"] * 2}, "stands there twice"),
        ({"spelled": "wrong"}, "Extra inputs"),
    ],
)
def test_a_product_that_does_not_agree_with_itself(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        changed(FEVER, **values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"low": "20 mg"}, "usual dose lies between"),
        ({"high": "1 mL"}, "keeps to one unit"),
        ({"times": 9}, "at most the highest"),
        ({"interval": 8}, "do not fit"),
    ],
)
def test_a_rule_that_does_not_agree_with_itself(values: dict[str, object], said: str) -> None:
    rule = PRODUCTS[FEVER].as_data()["dose"][0]
    with pytest.raises(ValidationError, match=said):
        changed(FEVER, dose=[{**rule, **values}])


def test_the_hospitals_files_name_their_sources_and_known_codes() -> None:
    assert all(product.source and product.grade for product in PRODUCTS.values())
    known = knowledge()
    assert all(one.source for one in (*known.stop, *known.pair, *known.cross))
    with pytest.raises(ValidationError, match="nothing has the code nowhere"):
        Knowledge.model_validate(known.model_dump(by_alias=True) | {"cross": [
            {"allergic_to": "nowhere", "other": "nsaid", "severity": "reason", "source": "x", "grade": "A"}
        ]})  # fmt: skip


def test_words_are_found_where_they_stand_alone() -> None:
    assert mentions("吃过美林", ["美林"])
    assert mentions("ORS III", ["ors"])
    assert not mentions("environment", ["iron"])
    written = knowledge().written("小儿氨酚烷胺颗粒")
    assert written == {"paracetamol", "amantadine"}


def test_the_file_is_loaded_once_and_the_desks_changes_stay(
    session: Session, formulary: list[queries.Entry], hospital: Hospital, now: datetime
) -> None:
    entry = put(session, changed(FEVER, price_fen=2100), hospital, now)
    assert (entry.version.n, entry.verified) == (2, False)
    assert actions.load(session, now) == 0
    assert queries.entry(session, entry.medication.id).product.price_fen == 2100
    assert put(session, changed(FEVER, price_fen=2100), hospital, now).version.n == 2
    assert [past.version.n for past in queries.history(session, entry.medication.id)] == [2, 1]


def test_a_change_has_to_be_verified_anew(
    session: Session, formulary: list[queries.Entry], hospital: Hospital, now: datetime
) -> None:
    medicine = formulary[0].medication.id
    actions.verify(session, medicine, 1, by=hospital.doctor, now=now)
    assert queries.entry(session, medicine).verified
    entry = put(session, formulary[0].product.model_copy(update={"price_fen": 1}), hospital, now)
    assert not entry.verified
    with pytest.raises(VersionChanged):
        actions.verify(session, medicine, 1, by=hospital.doctor, now=now)
    newest, oldest = queries.history(session, medicine)
    assert (newest.verifier, oldest.verifier) == (None, hospital.doctor)
    said = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert said[-2:] == ["verify-medicine", "change-medicine"]


@pytest.mark.parametrize(
    "text", ["对乙酰", "dyxajf", "duiyixian", "paracetamol", "扑热息痛", "N02BE01", "Acetaminophen susp", "DYXAJFHXY"]
)
def test_search(session: Session, formulary: list[queries.Entry], text: str) -> None:
    assert FEVER in [entry.medication.code for entry in queries.search(session, text)]


def test_search_by_class_and_what_is_out_of_use(
    session: Session, formulary: list[queries.Entry], hospital: Hospital, now: datetime
) -> None:
    found = queries.search(session, "大环内酯")
    assert [entry.medication.code for entry in found] == ["azithromycin-susp-40", "erythromycin-susp-40"]
    assert queries.search(session, "_") == []
    by = hospital.mother.id
    actions.set_active(session, found[0].medication.id, 1, active=False, by=by, now=now)
    assert len(queries.search(session, "大环内酯", usable=True)) == 1
    assert len(queries.search(session, "大环内酯")) == 2


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("write", [to_csv, to_xlsx])
def test_what_is_exported_is_imported_without_a_change(
    session: Session, formulary: list[queries.Entry], now: datetime, locale: str, write: object
) -> None:
    assert callable(write)
    rows = read(write(importing.export(session, locale)), exact=True)
    loaded = importing.load(session, rows, by=None, note="", now=now)
    assert (loaded.changes, loaded.unchanged) == ([], len(PRODUCTS))


def cell(rows: Rows, code: str, heading: str, text: str) -> None:
    """Write a cell of a product's first row."""
    row = next(row for row in rows[1:] if row[0] == code)
    row[rows[0].index(heading)] = text


def test_every_fault_is_named_and_nothing_is_loaded(
    session: Session, formulary: list[queries.Entry], now: datetime
) -> None:
    rows = importing.export(session, "en")
    rows = [rows[0], *(list(row) for row in rows[1:] if row[0] in {FEVER, "ors-3"})]
    cell(rows, FEVER, "Lowest", "10")
    cell(rows, FEVER, "Form", "syrup")
    cell(rows, FEVER, "Price of a package (yuan)", "cheap")
    cell(rows, FEVER, "Generic name (English)", "")
    cell(rows, "ors-3", "Cautions", "nothing-known")
    cell(rows, "ors-3", "Other names", "x" * (CELL + 1))
    with pytest.raises(FileRefused) as cut:
        importing.load(session, rows, by=None, note="", now=now)
    assert [one.said("en") for one in cut.value.problems] == ["Row 2, Other names: is too long"]
    cell(rows, "ors-3", "Other names", "")
    rows[2][rows[0].index("Generic name (Chinese)")] = "另一个"
    rows.append(["", "nameless"])
    with pytest.raises(FileRefused) as caught:
        importing.load(session, rows, by=None, note="", now=now)
    said = [one.said("en") for one in caught.value.problems]
    where = [one.split(":")[0] for one in said]
    assert where == [
        "Row 2, Cautions", "Row 3, Generic name (Chinese)", "Row 4, Generic name (English)", "Row 4, Form",
        "Row 4, Price of a package (yuan)", "Row 4, Lowest", "Row 5, Code",
    ]  # fmt: skip
    assert said[4].endswith("cheap is no amount in yuan such as 50 or 12.50")
    assert said[5] == "Row 4, Lowest: 10 is no amount such as 120 mg, 2.5 mL or 1 u"
    assert session.scalar(select(func.count()).select_from(MedicationVersion)) == len(PRODUCTS)


def test_a_heading_that_lacks_a_column() -> None:
    with pytest.raises(FileRefused) as caught:
        importing.load(Session(), [["Code"]], by=None, note="", now=datetime.now().astimezone())
    assert "Row 1, Ingredients: The heading lacks this column." in [one.said("en") for one in caught.value.problems]


def test_an_import_says_what_differs(session: Session, formulary: list[queries.Entry], now: datetime) -> None:
    rows = importing.export(session, "zh_CN")
    rows = [rows[0], next(row for row in rows[1:] if row[0] == FEVER)]
    cell(rows, FEVER, "单次上限", "600 mg")
    cell(rows, FEVER, "剂型", "Oral solution")  # both languages are read
    loaded = importing.load(session, rows, by=None, note="", now=now)
    (change,) = loaded.changes
    assert change.differences("en") == [("Form", "Suspension", "Oral solution"), ("At most a dose", "650 mg", "600 mg")]
    assert loaded.unchanged == 0
    again = importing.Loaded([importing.Change(change.before, change.after)])
    assert again.digest == loaded.digest


def test_an_ingredient_that_nobody_knows_needs_its_classes() -> None:
    row = {**cells(PRODUCTS["zinc-granules-10"], "en")[0], "contents": "novum 10 mg"}
    _, problems = importing.one([(2, row)])
    assert [one.said("en") for one in problems] == ["Row 2, Ingredients: nothing has the code novum"]
    product, problems = importing.one([(2, row | {"classes": "antibacterial"})])
    assert product
    assert problems == []
    assert "antibacterial" in knowledge().groups(product)


def test_a_medicine_that_is_not_there(session: Session, hospital: Hospital) -> None:
    assert queries.find(session, "nothing") is None
    assert session.scalar(select(func.count()).select_from(Medication)) == 0
    assert session.get(Medication, uuid4()) is None
