"""Each check finds what it is for, and not its twin beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from prescriptions.formulary.amounts import Amount
from prescriptions.formulary.product import Both
from prescriptions.rules import CODES, Child, Context, Home, Line, Order, Reacted, Running, accepted
from tests.prescriptions.orders import (
    FEVER,
    IBUPROFEN,
    PRODUCTS,
    TODAY,
    a_child,
    about,
    changed,
    codes,
    found,
    line,
    proposed,
    with_product,
)

AMOX, MONT, DOMP, ERY = "amoxicillin-susp-25", "montmorillonite-3g", "domperidone-susp-1", "erythromycin-susp-40"
TEEN = a_child(13, 40)


def weighed(child: Child, **changes: Any) -> Child:
    assert child.weight
    return replace(child, weight=replace(child.weight, **changes))


def days_ago(days: int) -> Any:
    return TODAY - timedelta(days=days)


def before(of: Line, began: int, left: int) -> tuple[Running, ...]:
    return (Running(of, days_ago(began), TODAY + timedelta(days=left)),)


def reacted(ingredient: str, *, severe: bool = False) -> Reacted:
    return Reacted(frozenset({ingredient}), Both(zh_CN="皮疹", en="Rash"), days_ago(30), severe)


def injected() -> Line:
    return with_product(proposed(AMOX), changed(AMOX, route="injected"))


Case = tuple[str, str, Any, Context, Any, Context]


def case(
    code: str,
    severity: str,
    lines: Any,
    context: Context | None = None,
    twin: Any = None,
    beside: Context | None = None,
) -> Case:
    """Lines and context that have the finding; lines and context beside them that have not (else a plain order)."""
    return code, severity, lines, context or about(), twin or proposed(FEVER), beside or about()


FIVE = [proposed(code) for code in (FEVER, "ambroxol-sol-3", "cetirizine-sol-1", "ors-3", "boulardii-250")]
INFANT = a_child(0, 7, months=6)
CASES: list[Case] = [
    case("weight-missing", "block", proposed(FEVER), about(a_child(kg=None))),
    case(
        "weight-stale",
        "block",
        proposed(FEVER),
        about(weighed(a_child(), measured_on=days_ago(31))),
        proposed(FEVER),
        about(weighed(a_child(), measured_on=days_ago(30))),
    ),
    case(
        "weight-stale",
        "block",
        proposed(FEVER, INFANT),
        about(weighed(INFANT, measured_on=days_ago(15))),
        proposed(FEVER, INFANT),
        about(weighed(INFANT, measured_on=days_ago(14))),
    ),
    case("weight-stale", "block", proposed(FEVER), about(weighed(a_child(), measured_on=days_ago(-1)))),
    case("weight-implausible", "block", proposed(FEVER), about(weighed(a_child(), plausible=False))),
    case("weight-implausible", "reason", proposed(FEVER), about(weighed(a_child(), plausible=False, confirmed=True))),
    case("weight-implausible", "block", line(FEVER, 100), about(weighed(a_child(), grams=300, confirmed=True))),
    case(
        "allergy",
        "block",
        proposed(AMOX),
        about(allergies=("对青霉素过敏，皮疹",)),
        proposed(FEVER),
        about(allergies=("对青霉素过敏，皮疹",)),
    ),
    case("reaction", "block", proposed(FEVER), about(reacted=(reacted("paracetamol", severe=True),))),
    case(
        "reaction",
        "reason",
        proposed(FEVER),
        about(reacted=(reacted("paracetamol"),)),
        proposed(FEVER),
        about(reacted=(reacted("ibuprofen"),)),
    ),
    case("allergy", "block", proposed(AMOX), about(allergies=("阿莫仙",)), proposed(AMOX), about(allergies=("鸡蛋",))),
    case(
        "allergy",
        "block",
        proposed(IBUPROFEN),
        about(allergies=("aspirin",)),
        proposed(FEVER),
        about(allergies=("aspirin",)),
    ),
    case(
        "cross-allergy",
        "reason",
        proposed("cefixime-susp-20"),
        about(allergies=("青霉素",)),
        proposed("azithromycin-susp-40"),
        about(allergies=("青霉素",)),
    ),
    case("allergy-unknown", "reason", proposed(FEVER), about(allergies=None), proposed(FEVER), about(allergies=())),
    case(
        "allergy-unread",
        "tell",
        proposed(FEVER),
        about(allergies=("花生",)),
        proposed(FEVER),
        about(allergies=("布洛芬",)),
    ),
    case("stop", "block", line(DOMP, 10000, 3), about(a_child(11, 40)), proposed(DOMP, TEEN), about(TEEN)),
    case("stop", "block", line(DOMP, 10000, 3), about(a_child(13, 34)), proposed(DOMP, TEEN), about(TEEN)),
    case(
        "stop",
        "reason",
        proposed(MONT, a_child(1, 11)),
        about(a_child(1, 11)),
        proposed(MONT, a_child(2, 12)),
        about(a_child(2, 12)),
    ),
    case(
        "contraindication",
        "block",
        proposed(IBUPROFEN),
        about(a_child(diagnoses=("B01.9",))),
        proposed(FEVER),
        about(a_child(diagnoses=("B01.9",))),
    ),
    case(
        "contraindication",
        "reason",
        proposed(IBUPROFEN),
        about(a_child(told="上周水痘接触")),
        proposed(IBUPROFEN),
        about(a_child(diagnoses=("J00",), told="咳嗽")),
    ),
    case(
        "caution",
        "reason",
        proposed(IBUPROFEN),
        about(a_child(diagnoses=("R11",))),
        proposed(IBUPROFEN),
        about(a_child(diagnoses=("J00",))),
    ),
    case(
        "interaction",
        "block",
        [proposed(DOMP, TEEN), proposed(ERY, TEEN)],
        about(TEEN),
        [proposed(DOMP, TEEN), proposed(AMOX, TEEN)],
        about(TEEN),
    ),
    case(
        "interaction",
        "block",
        proposed(ERY, TEEN),
        about(TEEN, running=before(proposed(DOMP, TEEN), 1, 0)),
        proposed(ERY, TEEN),
        about(TEEN, running=before(proposed(DOMP, TEEN), 5, -1)),
    ),
    case(
        "interaction",
        "block",
        proposed(ERY, TEEN),
        about(TEEN, home=(Home("吗丁啉", given=True),)),
        proposed(ERY, TEEN),
        about(TEEN, home=(Home("维生素C", given=True),)),
    ),
    case(
        "interaction",
        "reason",
        proposed(ERY, TEEN),
        about(TEEN, home=(Home("吗丁啉"),)),
        proposed(ERY, TEEN),
        about(TEEN),
    ),
    case(
        "interaction",
        "tell",
        [proposed(MONT), proposed(AMOX)],
        about(),
        [proposed(MONT), proposed("hydrocortisone-cream-1")],
    ),
    case(
        "interaction",
        "block",
        [with_product(proposed(FEVER), changed(FEVER, avoid_with=["zinc"])), proposed("zinc-granules-10")],
        about(),
        [proposed(FEVER), proposed("zinc-granules-10")],
    ),
    case(
        "duplicate-ingredient",
        "block",
        [proposed(FEVER), proposed("paracetamol-drops-100")],
        about(),
        [proposed(FEVER), proposed(IBUPROFEN)],
    ),
    case("duplicate-ingredient", "block", [line(FEVER, 1000), line(FEVER, 1000)], about(), line(FEVER, 2000)),
    case(
        "duplicate-ingredient",
        "reason",
        proposed(FEVER),
        about(home=(Home("氨酚黄那敏颗粒"),)),
        proposed(FEVER),
        about(home=(Home("益生菌"),)),
    ),
    case(
        "duplicate-ingredient",
        "reason",
        proposed(AMOX),
        about(running=before(proposed("co-amoxiclav-7-susp"), 1, 1)),
        proposed(AMOX),
        about(running=before(proposed("co-amoxiclav-7-susp"), 9, -2)),
    ),
    case(
        "duplicate-class",
        "block",
        [proposed("cetirizine-sol-1"), proposed("loratadine-syrup-1")],
        about(),
        [proposed("cetirizine-sol-1"), proposed(FEVER)],
    ),
    case("duplicate-class", "reason", [proposed(AMOX), proposed("azithromycin-susp-40")], about(), proposed(AMOX)),
    case(
        "duplicate-class",
        "reason",
        proposed(IBUPROFEN),
        about(home=(Home("阿司匹林"),)),
        proposed(FEVER),
        about(home=(Home("阿司匹林"),)),
    ),
    case("per-dose", "block", line(FEVER, 9500, 4), about(), line(FEVER, 9000, 4)),
    case("per-day", "block", line(AMOX, 14000, 2), about(), line(AMOX, 13500, 2)),
    case(
        "per-day",
        "block",
        line(FEVER, 3000, 4),
        about(running=before(line(FEVER, 8000, 4), 1, 1)),
        line(FEVER, 3000, 4),
        about(running=before(line(FEVER, 8000, 4), 5, -1)),
    ),
    case("times", "block", line(FEVER, 7000, 5, 4), about(), line(FEVER, 7000, 4, 4)),
    case("interval", "block", line(FEVER, 7000, 4, 3), about(), line(FEVER, 7000, 4, 4)),
    case("interval", "block", line(FEVER, 7000, 4, 8), about(), line(FEVER, 7000, 4, 6)),
    case("course", "block", line(FEVER, 7000, 4, days=4), about(), line(FEVER, 7000, 4, days=3)),
    case(
        "course",
        "block",
        line(FEVER, 7000, 2, days=2),
        about(running=before(line(FEVER, 1000), 2, 0)),
        line(FEVER, 7000, 2, days=2),
        about(running=before(line(FEVER, 1000), 2, -1)),
    ),
    case("dose-step", "block", line(FEVER, 7300, 4), about(), line(FEVER, 7500, 4)),
    case("dose-step", "block", line("prednisolone-tab-5", 2700), about(), line("prednisolone-tab-5", 3500)),
    case(
        "age-limit",
        "block",
        line(IBUPROFEN, 1500, 3),
        about(a_child(0, 7, months=5)),
        line(IBUPROFEN, 2000, 3),
        about(INFANT),
    ),
    case(
        "age-limit", "block", line("montelukast-gran-4", 1000), about(a_child(6, 20)), line("montelukast-gran-4", 1000)
    ),
    case(
        "weight-limit",
        "block",
        line(IBUPROFEN, 1000, 3),
        about(a_child(0, 4.9, months=6)),
        line(IBUPROFEN, 1500, 3),
        about(a_child(0, 5, months=6)),
    ),
    case(
        "no-rule",
        "block",
        line("co-amoxiclav-14-susp", 2500, 2),
        about(),
        line("co-amoxiclav-14-susp", 5000, 2),
        about(a_child(diagnoses=("H66.9",))),
    ),
    case(
        "no-rule",
        "block",
        line(AMOX, 12500, 2, rule="otitis-pneumonia"),
        about(),
        line(AMOX, 12500, 2, rule="standard"),
    ),
    case("not-online", "block", line("ondansetron-tab-4", 1000)),
    case("not-online", "block", with_product(proposed(FEVER), changed(FEVER, control="narcotic"))),
    case("not-online", "block", injected(), about(), proposed(AMOX)),
    case("not-verified", "block", replace(proposed(FEVER), verified=False)),
    case("not-verified", "tell", replace(proposed(FEVER), verified=False), about(verified_only=False)),
    case("too-many", "block", [*FIVE, proposed(MONT)], about(), FIVE),
    case("day-high", "reason", line(IBUPROFEN, 6000, 3), about(), line(IBUPROFEN, 5000, 3)),
    case("underdose", "reason", line(FEVER, 5500, 4), about(), line(FEVER, 6000, 4)),
    case(
        "rule-reason", "reason", proposed("oseltamivir-susp-6", INFANT), about(INFANT), proposed("oseltamivir-susp-6")
    ),
    case("supply", "reason", line("lactulose-667", 5000, 2, days=8), about(), line("lactulose-667", 5000, 2, days=7)),
    case(
        "home-unknown",
        "tell",
        proposed(FEVER),
        about(home=(Home("奶奶的药"),)),
        proposed(FEVER),
        about(home=(Home("美林"),)),
    ),
    case("home-stop", "tell", proposed(FEVER), about(a_child(3), home=(Home("可待因糖浆"),))),
    case("warning", "tell", proposed("montelukast-gran-4")),
    case("cold-chain", "tell", proposed("triple-bifid"), about(), proposed("subtilis-enterococcus")),
]


@pytest.mark.parametrize("of", CASES, ids=lambda of: f"{of[0]}-{of[1]}")
def test_a_check_and_its_twin(of: Case) -> None:
    code, severity, lines, context, twin, beside = of
    assert (code, severity) in codes(lines, context)
    assert code not in dict(codes(twin, beside))


def test_every_code_has_a_case() -> None:
    assert {of[0] for of in CASES} == set(CODES)


def test_an_emergency_has_a_supply_of_three_days() -> None:
    assert ("supply", "reason") in codes(line("lactulose-667", 5000, 2, days=4), emergency=True)
    assert codes(line("lactulose-667", 5000, 2, days=3), emergency=True) == []


def test_findings_are_ranked_and_each_is_found_once() -> None:
    lines = [line(FEVER, 9500, 5, 3, days=8), line(IBUPROFEN, 6000, 3), proposed(MONT)]
    severities = [one.severity.value for one in found(lines)]
    assert severities == sorted(severities, key=["block", "reason", "tell"].index)
    keys = [one.key for one in found(lines)]
    assert len(set(keys)) == len(keys)
    assert codes(lines)[0] == ("per-dose", "block")


def test_a_reason_is_enough_for_what_asks_for_one_and_for_nothing_that_blocks() -> None:
    asks, blocks = line(IBUPROFEN, 6000, 3), line(IBUPROFEN, 8000, 4)
    (finding,) = found(asks)
    assert not accepted(Order((asks,)), [finding])
    assert not accepted(Order((asks,), reasons={finding.key: "  "}), [finding])
    assert accepted(Order((asks,), reasons={finding.key: "高热不退"}), [finding])
    all_of_them = found(blocks)
    assert not accepted(Order((blocks,), reasons={one.key: "高热不退" for one in all_of_them}), all_of_them)


def test_a_finding_is_said_with_its_figures_in_both_languages() -> None:
    (blocked,) = [one for one in found(line(FEVER, 9500, 4)) if one.code == "per-dose"]
    assert blocked.say("en") == "Paracetamol suspension: 9.5 mL (228 mg) a dose, at most 9 mL (216 mg)"
    assert blocked.say("zh_CN") == "对乙酰氨基酚混悬液：每次9.5毫升（228 mg），最多9毫升（216 mg）"
    (young,) = [
        one for one in found(line("montelukast-gran-4", 1000), about(a_child(7, 20))) if one.code == "age-limit"
    ]
    assert young.say("en").endswith("from 6 mo until 6 y")
    assert young.say("zh_CN").endswith("6个月起，未满6岁")
    assert all(one.source for one in found([line(FEVER, 9500, 5, 3), line(IBUPROFEN, 6000, 3)]))


def test_a_line_of_nothing_is_no_line() -> None:
    with pytest.raises(ValueError, match="at least one"):
        line(FEVER, 0)


def test_texts_of_the_data_are_shown_as_they_are() -> None:
    (warned,) = found(proposed("montelukast-gran-4"))
    assert warned.params["text"] == PRODUCTS["montelukast-gran-4"].warning
    assert isinstance(warned.params["text"], Both)
    assert str(Amount.read("0.5 g")) == "500 mg"
