"""``flask triage``: a new file of rules checked, and tried on past answers, before it counts."""

from __future__ import annotations

from pathlib import Path

import click

from booking.admission import Level
from config.database import transaction
from consultation.intake.questionnaire import intake
from consultation.triage import queries
from consultation.triage.replay import Replay
from consultation.triage.replay import replay as tried
from consultation.triage.rules import SOURCE, BrokenRules, Rules, read

group = click.Group("triage", help="The rules for warning signs.")
File = click.Path(exists=True, dir_okay=False, path_type=Path)


@group.command("check")
@click.argument("file", type=File, default=SOURCE)
def check(file: Path) -> None:
    """Say whether FILE (the hospital's own unless given) can be read, and which rules nobody has verified yet."""
    rules = _read(file)
    open_ = [rule.id for rule in rules.rule if not (rule.verified_by and rule.verified_on)]
    click.echo(f"{rules.version}: {len(rules.rule)} rules, {len(open_)} not verified (stricter level)")
    for rule_id in open_:
        click.echo(f"  {rule_id}")


@group.command("replay")
@click.argument("file", type=File)
@click.option("--limit", default=10_000, show_default=True, help="The latest so many answers.")
def replay(file: Path, limit: int) -> None:
    """Judge past answers by FILE and by the rules in force, and say what would change. Nothing is kept."""
    new, old = _read(file), _read(SOURCE)
    with transaction() as session:
        found = tried(old, new, queries.past(session, limit))
    click.echo(f"{found.judged} past answers, {old.version} against {new.version}")
    click.echo(f"verdicts that change: {found.stricter} stricter, {found.milder} milder")
    _moves(found)
    for rule_id in sorted(found.gained | found.lost):
        click.echo(f"  rule {rule_id}: begins to hold in {found.gained[rule_id]}, ceases in {found.lost[rule_id]}")


def _moves(found: Replay) -> None:
    levels = list(Level)
    for (was, becomes), count in sorted(found.moves.items(), key=lambda move: [levels.index(one) for one in move[0]]):
        click.echo(f"  {was} -> {becomes}: {count}")


def _read(file: Path) -> Rules:
    """The rules of a file. Raises click.ClickException, which names the rule and the key."""
    try:
        return read(file, known=intake().names())
    except BrokenRules as error:
        raise click.ClickException(f"{file.name}: {error}") from error
