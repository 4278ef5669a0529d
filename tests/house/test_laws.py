"""The laws of the house that a reader of the source can check."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Enum, PrimaryKeyConstraint, Table, UniqueConstraint

from config.jobs import Fact
from config.settings import ROOT, Settings
from config.states import Stateful
from migrations.models import METADATA

ROOMS = (
    "config", "people", "payments", "booking", "consultation", "prescriptions", "notifications", "wechat",
    "integrations", "live", "menus", "desk", "worker", "commands",
)  # fmt: skip
SOURCES = [
    ROOT / "app.py",
    *sorted(path for room in (*ROOMS, "dev", "bench", "migrations") for path in (ROOT / room).rglob("*.py")),
]
PRODUCT = [
    path
    for path in SOURCES
    if path.relative_to(ROOT).parts[0] in (*ROOMS, "app.py")
    and not {"simulator", "simulators"} & set(path.relative_to(ROOT).parts)
]


def offenders(pattern: str, files: list[Path], *, allowed: tuple[str, ...] = ()) -> list[str]:
    """Where the pattern stands, as ``file:line``, outside the files allowed to have it."""
    found = []
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if name in allowed:
            continue
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if re.search(pattern, line):
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def test_transactions_end_in_one_place() -> None:
    assert offenders(r"\.(commit|rollback)\(", PRODUCT, allowed=("config/database.py",)) == []


def test_nothing_assigns_a_status() -> None:
    assert offenders(r"\.status = ", PRODUCT, allowed=("config/states.py",)) == []


def test_one_place_asks_the_clock() -> None:
    asks = r"datetime\.(now|utcnow|today)\(|date\.today\(|[^.\w]time\.time\(|import time$"
    assert offenders(asks, PRODUCT, allowed=("config/clock.py",)) == []


def test_the_product_does_not_know_that_it_is_tested() -> None:
    assert offenders(r"\b(testing|TESTING|pytest|PYTEST)\b", PRODUCT) == []


def test_no_room_is_a_drawer_for_everything() -> None:
    drawers = {"core", "utils", "helpers", "common", "misc", "lib"}
    rooms = {path: {part.removesuffix(".py") for part in path.relative_to(ROOT).parts} for path in SOURCES}
    assert [path for path, parts in rooms.items() if parts & drawers] == []
    assert not (ROOT / "templates").exists()
    assert not (ROOT / "static").exists()


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in SOURCES if path.stat().st_size and not path.read_text().lstrip().startswith('"""')]
    silent = [path for path in silent if not path.read_text().startswith("#!")]
    assert silent == []


def test_every_foreign_key_has_an_index() -> None:
    """By its first column, which tells the rows apart well enough."""
    missing = [
        f"{table.name}.{key.column_keys[0]}"
        for table in METADATA.sorted_tables
        for key in table.foreign_key_constraints
        if not _leads_an_index(table, key.column_keys[0])
    ]
    assert missing == []


def _leads_an_index(table: Table, column: str) -> bool:
    keyed = [c for c in table.constraints if isinstance(c, PrimaryKeyConstraint | UniqueConstraint)]
    return column in {next(iter(group.columns)).name for group in (*table.indexes, *keyed) if len(group.columns)}


def test_enumerations_are_kept_by_value_with_a_named_check() -> None:
    for table in METADATA.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum):
                assert not column.type.native_enum
                assert column.type.name, f"{table.name}.{column.name}"
                assert column.type.enum_class is not None
                assert column.type.enums == [member.value for member in column.type.enum_class]


def test_money_is_whole_fen_and_never_below_zero() -> None:
    for table in METADATA.sorted_tables:
        for column in table.columns:
            fen = column.name.endswith("_fen")
            named = fen or not re.search(r"price|amount|fee$|money", column.name)
            assert named, f"{table.name}.{column.name}: name it *_fen"
            if fen:
                checks = [str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)]
                assert any(column.name in check for check in checks), f"{table.name}.{column.name}"


def test_states_have_moves_for_every_state_or_are_ends() -> None:
    for mapper in Stateful.registry.mappers:
        moves = getattr(mapper.class_, "MOVES", None)
        if moves is not None:
            states = set(mapper.columns["status"].type.enum_class)  # type: ignore[attr-defined]
            assert set(moves) <= states
            assert {to for targets in moves.values() for to in targets} <= states


def test_facts_hold_ids_and_codes_only() -> None:
    for fact in Fact.KINDS.values():
        assert set(fact.__annotations__.values()) <= {"UUID", "str"}, fact
        assert fact.ORDER in fact.__annotations__, fact


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| (.+?) \|", page, flags=re.M))
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    assert set(rows) == set(fields)
    for name, field in fields.items():
        assert field.description, name
        assert rows[name] == field.description.replace("|", "\\|"), f"docs/settings.md: {name}"


PAGES = ["README.md", "README.zh-CN.md", *[page.relative_to(ROOT).as_posix() for page in (ROOT / "docs").glob("*.md")]]


@pytest.mark.parametrize("path", PAGES)
def test_the_files_that_the_docs_name_are_there(path: str) -> None:
    page = (ROOT / path).read_text()
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page)
    missing = [link for link in links if not ((ROOT / path).parent / link).exists()]
    assert missing == []


def test_lock_files_name_no_host_and_pin_every_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text()
        assert "://" not in lock
        packages = re.findall(r"^[a-z0-9].*==", lock, flags=re.M)
        assert len(packages) > 30
        assert lock.count("--hash=sha256:") >= len(packages)
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_nobody_imports_the_front_door() -> None:
    rooms = [path for path in SOURCES if path.relative_to(ROOT).parts[0] != "bench"]  # it measures the whole
    assert offenders(r"^\s*(from app|import app)\b", rooms) == []


def test_imports_go_down_only() -> None:
    """import-linter's contracts (pyproject.toml): layers, plain domain, product and simulator apart."""
    command = [str(ROOT / ".venv/bin/lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
