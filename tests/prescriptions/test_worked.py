"""Worked cases: what is proposed for a child, by the figures of the sources, computed by hand."""

from __future__ import annotations

import pytest

from prescriptions.rules import Home, packages, propose
from tests.prescriptions.orders import KNOWN, PRODUCTS, TODAY, a_child, about, codes, proposed

# product, years, months, kg, diagnosis, dose in thousandths of a unit, times, hours apart, days, packages, source
CASES = [
    ("paracetamol-susp-24", 1, 0, 10.0, "", 5000, 4, 6, 3, 1, "12.5 mg/kg = 125 mg = 5.2 mL; PMC8900682"),
    ("paracetamol-susp-24", 0, 4, 6.4, "", 3300, 4, 6, 3, 1, "12.5 mg/kg = 80 mg = 3.33 mL; PMC8900682"),
    ("paracetamol-susp-24", 15, 0, 60.0, "", 27000, 4, 6, 3, 4, "650 mg at most = 27.08 mL; PMC8900682"),
    ("paracetamol-drops-100", 0, 4, 6.0, "", 700, 4, 6, 3, 1, "12.5 mg/kg = 75 mg = 0.75 mL, the lower step"),
    ("ibuprofen-susp-20", 3, 0, 15.0, "", 4900, 3, 8, 3, 1, "6.6 mg/kg = 99 mg; 20 mg/kg a day: Calprofen SPC"),
    ("ibuprofen-susp-20", 16, 0, 70.0, "", 20000, 3, 8, 3, 2, "400 mg at most = 20 mL; PMC8900682"),
    ("ors-3", 1, 0, 10.0, "", 50000, 6, 4, 3, 1, "WHO plan A: under 2 years 50-100 mL after each stool"),
    ("ors-3", 5, 0, 18.0, "", 100000, 6, 4, 3, 2, "WHO plan A: 2-10 years 100-200 mL"),
    ("zinc-granules-10", 0, 4, 6.0, "", 1000, 1, 24, 10, 1, "WHO: 10 mg a day under 6 months"),
    ("zinc-granules-10", 2, 0, 12.0, "", 2000, 1, 24, 10, 2, "WHO: 20 mg a day for 10-14 days"),
    ("montmorillonite-3g", 3, 0, 14.0, "", 1000, 4, 6, 3, 2, "from 2 years 4 x 3 g for 3 days; Smetstad leaflet"),
    ("bacillus-licheniformis-05", 3, 0, 14.0, "", 500, 3, 8, 5, 1, "0.25 g three times; NMPA 2007"),
    ("ambroxol-sol-3", 3, 0, 15.0, "", 2500, 3, 8, 5, 1, "2-5 years 7.5 mg three times; Mucosolvan AT"),
    ("ambroxol-sol-3", 8, 0, 25.0, "", 5000, 2, 12, 5, 1, "6-12 years 15 mg twice; Mucosolvan AT"),
    ("cetirizine-sol-1", 0, 8, 8.0, "", 2500, 1, 24, 7, 1, "6-12 months 2.5 mg; healthsim"),
    ("loratadine-syrup-1", 9, 0, 30.0, "", 5000, 1, 24, 7, 1, "up to 30 kg 5 mg; Lorapaed SPC"),
    ("loratadine-syrup-1", 9, 0, 30.1, "", 10000, 1, 24, 7, 2, "above 30 kg 10 mg; Lorapaed SPC"),
    ("montelukast-gran-4", 2, 0, 12.0, "", 1000, 1, 24, 7, 1, "6 months-5 years 4 mg; FDA label"),
    ("montelukast-chew-5", 10, 0, 30.0, "", 1000, 1, 24, 7, 2, "6-14 years 5 mg; FDA label"),
    ("salbutamol-neb-25", 4, 0, 16.0, "", 1000, 3, 8, 3, 1, "under 20 kg 2.5 mg; eTG"),
    ("salbutamol-neb-25", 8, 0, 20.0, "", 2000, 3, 8, 3, 1, "from 20 kg 5 mg; eTG"),
    ("amoxicillin-susp-25", 3, 0, 15.0, "J20.9", 12500, 2, 12, 5, 2, "42 mg/kg a day = 630 mg = 25.2 mL a day"),
    ("amoxicillin-susp-25", 3, 0, 15.0, "H66.9", 25500, 2, 12, 7, 4, "85 mg/kg a day = 1275 mg = 51 mL; timeofcare"),
    ("amoxicillin-susp-25", 8, 0, 30.0, "J02.0", 20000, 2, 12, 10, 4, "50 mg/kg, at most 1 g a day; droracle 834726"),
    ("amoxicillin-susp-25", 0, 2, 5.0, "", 3000, 2, 12, 5, 1, "under 3 months 30 mg/kg a day = 150 mg = 6 mL"),
    ("co-amoxiclav-7-susp", 2, 0, 12.0, "", 6500, 2, 12, 7, 2, "45 mg/kg a day = 540 mg = 13.5 mL; Hamilton HSC"),
    ("co-amoxiclav-14-susp", 2, 0, 12.0, "H66.0", 4200, 2, 12, 7, 2, "85 mg/kg a day = 1020 mg = 8.5 mL; Hamilton HSC"),
    ("cefixime-susp-20", 2, 0, 12.0, "", 2400, 2, 12, 5, 1, "8 mg/kg a day = 96 mg; FDA label"),
    ("cefdinir-susp-25", 2, 0, 12.0, "", 3300, 2, 12, 5, 1, "7 mg/kg = 84 mg = 3.36 mL; FDA label"),
    ("azithromycin-susp-40", 2, 0, 12.0, "", 3000, 1, 24, 3, 1, "10 mg/kg for 3 days = 120 mg; FDA label"),
    ("azithromycin-susp-40", 16, 0, 60.0, "", 12500, 1, 24, 3, 3, "500 mg at most; FDA label"),
    ("azithromycin-susp-40", 8, 0, 25.0, "J02.0", 7500, 1, 24, 5, 3, "12 mg/kg for 5 days = 300 mg; FDA label"),
    ("oseltamivir-susp-6", 3, 0, 15.0, "J10.1", 5000, 2, 12, 5, 1, "up to 15 kg 30 mg; PMC4353274"),
    ("oseltamivir-susp-6", 3, 0, 15.1, "J10.1", 7500, 2, 12, 5, 2, "above 15 kg 45 mg; PMC4353274"),
    ("oseltamivir-susp-6", 9, 0, 30.0, "J10.1", 10000, 2, 12, 5, 2, "above 23 kg 60 mg; PMC4353274"),
    ("oseltamivir-susp-6", 14, 0, 50.0, "J10.1", 12500, 2, 12, 5, 3, "above 40 kg 75 mg; PMC4353274"),
    ("oseltamivir-susp-6", 0, 10, 9.0, "J10.1", 4500, 2, 12, 5, 1, "3 mg/kg at 9-11 months, the stricter"),
    ("lactulose-667", 0, 6, 7.0, "", 2500, 2, 12, 7, 1, "1-11 months 2.5 mL twice; NHS"),
    ("domperidone-susp-1", 13, 0, 40.0, "", 10000, 3, 8, 3, 1, "10 mg three times from 12 years and 35 kg; MHRA"),
    ("prednisolone-tab-5", 4, 0, 16.0, "", 3000, 1, 24, 3, 1, "1 mg/kg a day = 16 mg = 3.2 tablets; healthsim"),
    ("hydrocortisone-cream-1", 3, 0, 15.0, "", 1000, 2, 12, 5, 1, "a thin film twice a day; FDA"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}y{case[2]}m-{case[3]}kg-{case[4]}")
def test_a_worked_case(case: tuple[str, int, int, float, str, int, int, int, int, int, str]) -> None:
    code, years, months, kg, diagnosis, *wanted, _source = case
    child = a_child(years, kg, months=months, diagnoses=(diagnosis,) if diagnosis else ())
    line = proposed(code, child)
    assert [line.dose, line.times, line.interval, line.days, packages(line)] == wanted


@pytest.mark.parametrize(
    ("code", "years", "months", "kg"),
    [
        ("paracetamol-susp-24", 0, 2, 5.0),  # not under 3 months: PMC8900682
        ("ibuprofen-susp-20", 0, 5, 7.0),  # not under 6 months: PMC8900682
        ("ambroxol-sol-3", 1, 11, 12.0),  # not under 2 years: labels disagree
        ("domperidone-susp-1", 12, 0, 34.9),  # not under 35 kg: MHRA
        ("cefixime-susp-20", 0, 5, 7.0),  # not under 6 months: FDA label
        ("hydrocortisone-cream-1", 1, 11, 12.0),  # not under 2 years: FDA
        ("ondansetron-tab-4", 8, 0, 25.0),  # studied in hospitals only: CPS
    ],
)
def test_nothing_is_proposed(code: str, years: int, months: int, kg: float) -> None:
    assert propose(PRODUCTS[code], a_child(years, kg, months=months), TODAY, KNOWN) is None


def test_a_family_with_three_medicines_for_fever() -> None:
    """Paracetamol, and at home two more that hold it: both are found."""

    home = (Home("泰诺林"), Home("小儿氨酚黄那敏颗粒", given=True))
    assert codes(proposed("paracetamol-susp-24"), about(home=home)) == [("duplicate-ingredient", "reason")] * 2
