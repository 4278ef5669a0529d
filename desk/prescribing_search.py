"""Medicines for the prescription's form: found by words or by what they are for, and a line in figures."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from config.text import N_
from prescriptions.formulary.amounts import number
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.queries import PAGE, Entry, all_entries, search
from prescriptions.papers.shown import amount, mass
from prescriptions.rules import packages
from prescriptions.writing.draft import DraftLine

GUT = {"oral-rehydration-salts", "zinc", "adsorbent", "live-bacteria", "yeast", "lactulose", "domperidone"}
GROUPS = {
    "fever": (N_("Fever and pain"), {"paracetamol", "ibuprofen"}),
    "cough": (N_("Cough and phlegm"), {"mucolytic", "antitussive", "cough-cold"}),
    "allergy": (N_("Allergy"), {"antihistamine", "leukotriene-antagonist"}),
    "wheeze": (N_("Wheezing"), {"beta-agonist", "corticosteroid", "anticholinergic"}),
    "gut": (N_("Diarrhoea, constipation, vomiting"), GUT),
    "infection": (N_("Infection"), {"antibacterial", "antiviral"}),
}


def found(session: Session, words: str, group: str) -> list[Entry]:
    """What can be prescribed online, by words, or of a group; nothing without either."""
    if group in GROUPS:
        wanted, known = GROUPS[group][1], knowledge()
        entries = [one for one in all_entries(session) if one.medication.active]
        entries = [one for one in entries if wanted & known.groups(one.product)]
    else:
        entries = search(session, words, usable=True) if words else []
    return [one for one in entries if one.product.online][:PAGE]


def line(code: str, entry: Entry | None, one: DraftLine, locale: str) -> dict[str, Any]:
    """A line as the form shows it: its figures, and what they make."""
    if entry is None:
        return {"code": code, "name": code, "one": one, "gone": True, "dose": number(one.dose, 1000)}
    product, ordered = entry.product, one.line(entry)
    as_content = {"liquid": product.liquid, "unit": product.unit.model_dump()}
    return {
        "code": code,
        "name": product.name.say(locale),
        "strength": product.strength,
        "unit": "mL" if product.liquid else product.unit.say(locale),
        "one": one,
        "dose": number(one.dose, 1000),
        "mass": mass({"dose_ug": int(product.main.micrograms_in(one.dose))}),
        "total": amount(as_content, ordered.a_day * ordered.days, locale),
        "packages": packages(ordered),
        "package": str(product.package).replace(" u", f" {product.unit.say(locale)}"),
    }
