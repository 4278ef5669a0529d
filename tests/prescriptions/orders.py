"""What the tests of the rules share: the shipped formulary, a child, an order and what is found in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from prescriptions.formulary.actions import shipped
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.product import Product
from prescriptions.rules import Child, Context, Finding, Line, Order, Weighed, check, propose

TODAY = date(2026, 11, 25)
KNOWN = knowledge()
PRODUCTS = {product.code: product for product in shipped()}
FEVER, IBUPROFEN = "paracetamol-susp-24", "ibuprofen-susp-20"


def born(years: int, months: int = 0) -> date:
    """Born so long ago, to the day."""
    back = TODAY.year * 12 + TODAY.month - 1 - years * 12 - months
    return date(back // 12, back % 12 + 1, TODAY.day)


def a_child(years: int = 3, kg: float | None = 15, *, months: int = 0, **more: Any) -> Child:
    """A child weighed today."""
    return Child(born(years, months), Weighed(round(kg * 1000), TODAY) if kg else None, **more)


def about(child: Child | None = None, **more: Any) -> Context:
    """Today, about a child; with ``child`` left out, of three years and 15 kg."""
    return Context(TODAY, child or a_child(), **more)


def proposed(code: str, child: Child | None = None) -> Line:
    """The product's proposal for a child. Raises AssertionError when there is none."""
    product = PRODUCTS[code]
    found = propose(product, child or a_child(), TODAY, KNOWN)
    assert found, code
    return found.line(product)


def line(code: str, dose: int, times: int = 1, interval: int | None = None, days: int = 3, **more: Any) -> Line:
    """A line as a doctor could write it; ``dose`` in thousandths of a unit."""
    return Line(PRODUCTS[code], dose, times, interval or 24 // times, days, **more)


def found(lines: Line | list[Line], context: Context | None = None, **more: Any) -> list[Finding]:
    """Everything found in an order of these lines."""
    order = Order(tuple(lines if isinstance(lines, list) else [lines]), **more)
    return check(order, context or about(), KNOWN)


def codes(lines: Line | list[Line], context: Context | None = None, **more: Any) -> list[tuple[str, str]]:
    """The code and severity of everything found."""
    return [(one.code, one.severity.value) for one in found(lines, context, **more)]


def changed(code: str, **values: Any) -> Product:
    """A product that differs from a shipped one."""
    return Product.model_validate({**PRODUCTS[code].as_data(), **values})


def with_product(of: Line, product: Product) -> Line:
    """The same line of another product."""
    return replace(of, product=product)
