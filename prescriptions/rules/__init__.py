"""Dose rules: what is proposed for a child, and what is wrong with an order. Pure: no database, no clock, no floats.

Amounts are whole: micrograms of an ingredient, thousandths of a unit of the form (microlitres of a liquid), grams of
weight.
"""

from prescriptions.rules.check import accepted, check
from prescriptions.rules.dosing import Proposal, propose, steps
from prescriptions.rules.finding import CODES, Finding
from prescriptions.rules.order import Child, Context, Home, Limits, Line, Order, Reacted, Running, Weighed, packages

__all__ = [
    "CODES",
    "Child",
    "Context",
    "Finding",
    "Home",
    "Limits",
    "Line",
    "Order",
    "Proposal",
    "Reacted",
    "Running",
    "Weighed",
    "accepted",
    "check",
    "packages",
    "propose",
    "steps",
]
