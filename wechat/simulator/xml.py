"""WeChat's little XML dialect: build pushes, read replies; no entities, no document types."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat


class XmlError(ValueError):
    """Text that is not the XML WeChat reads."""


def build(fields: dict[str, Any]) -> str:
    """`<xml>` with the fields in order: text in CDATA, integers bare, dicts nested, lists as repeated items."""
    return f"<xml>{_children(fields)}</xml>"


def _children(fields: dict[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, dict):
        inner = _children(value)
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return f"<{name}>{inner}</{name}>"


class _Reader:
    """Turns elements into dicts; a name met twice becomes a list, text stays text."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, dict[str, Any], list[str]]] = [("", {}, [])]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        del attributes
        self.stack.append((name, {}, []))

    def text(self, data: str) -> None:
        self.stack[-1][2].append(data)

    def end(self, name: str) -> None:
        _, children, text = self.stack.pop()
        value: Any = children or "".join(text)
        parent = self.stack[-1][1]
        if name in parent:
            known = parent[name]
            parent[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            parent[name] = value


def _refuse(*_: Any) -> None:
    raise XmlError("a document type is not allowed")


def parse(text: str) -> dict[str, Any]:
    """The fields of an `<xml>` message; raises XmlError for anything else."""
    reader, parser = _Reader(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, _refuse
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise XmlError(f"not XML: {error}") from error
    fields = reader.stack[0][1].get("xml")
    if not isinstance(fields, dict):
        raise XmlError("not an <xml> message")
    return fields
