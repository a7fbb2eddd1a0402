"""The notation in which documents are written, and its translation into nodes of an automaton.

    some words           said as they stand
    [a|b|3%c]            one of several, with integer weights (1 where none is given); a part may be empty
    {x:dist(y, z)}       draw x from a distribution that may depend on y and z, and say it
    {x.form:dist(y)}     draw x, say its form: {x.a:thing} says "an old key"
    {x} or {x.form}      say what was drawn before, as it is or in another form: {hero.he}
    {x=word} or {x=y.form}   remember a value, say nothing
    <x=v?a|b>            say a where x is v, else b
    @name                another template in this place

Every random part must show in the text at once: `engine` checks it. Used inside `helpers.world` only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .tokens import tokenize


@dataclass(frozen=True)
class Say:
    """Say fixed tokens."""

    tokens: tuple[str, ...]
    next: int


@dataclass(frozen=True)
class Slot:
    """Say a variable in one of its forms ('' is the value itself)."""

    var: str
    form: str
    next: int


@dataclass(frozen=True)
class Choose:
    """Draw a variable from a named distribution of other variables, and say it in one of its forms."""

    var: str
    form: str
    dist: str
    args: tuple[str, ...]
    next: int


@dataclass(frozen=True)
class Branch:
    """Go one of several ways, at random."""

    ways: tuple[tuple[int, int], ...]  # (weight, node)


@dataclass(frozen=True)
class Switch:
    """Go one of two ways, by the value of a variable."""

    var: str
    value: str
    then: int
    otherwise: int


@dataclass(frozen=True)
class Set:
    """Remember a value (`source` is '') or another variable's form, and say nothing."""

    var: str
    source: str
    form: str  # the form of the source, or the value itself
    next: int


@dataclass(frozen=True)
class End:
    """The document ends."""


Node = Say | Slot | Choose | Branch | Switch | Set | End

_CHOOSE = re.compile(r"(\w+)(?:\.(\w+))?:(\w+)(?:\(([\w, ]*)\))?$")
_SLOT = re.compile(r"(\w+)(?:\.(\w+))?$")
_SET = re.compile(r"(\w+)=(?:(\w+)\.)?([\w-]+)$")
_SWITCH = re.compile(r"(\w+)=(\w+)\?")
_WEIGHT = re.compile(r"(\d+)%")
_CLOSES = {"[": "]", "{": "}", "<": ">"}


def compile_template(text: str, macros: Mapping[str, str]) -> tuple[list[Node], int]:
    """Translate a template into (nodes, index of the first); raise ValueError where the notation is wrong."""
    nodes: list[Node] = [End()]
    start = _compile(_expand(text, macros), 0, nodes)
    return nodes, start


def _expand(text: str, macros: Mapping[str, str]) -> str:
    while "@" in text:
        text = re.sub(r"@(\w+)", lambda found: macros[found[1]], text)
    return text.replace("\n", " ")


def _compile(text: str, after: int, nodes: list[Node]) -> int:
    """Compile a sequence, last piece first, so that each node knows its successor."""
    for piece in reversed(_pieces(text)):
        after = _compile_piece(piece, after, nodes)
    return after


def _compile_piece(piece: str, after: int, nodes: list[Node]) -> int:
    inside = piece[1:-1]
    if piece[0] == "[":
        ways = []
        for part in _split(inside):
            weight = _WEIGHT.match(part.lstrip())
            body = part.lstrip()[weight.end() :] if weight else part
            ways.append((int(weight[1]) if weight else 1, _compile(body, after, nodes)))
        node: Node = Branch(tuple(ways))
    elif piece[0] == "<":
        found = _SWITCH.match(inside)
        parts = _split(inside[found.end() :]) if found else []
        if not found or len(parts) > 2:
            raise ValueError(f"{piece!r} is not a switch; write <variable=value?then|otherwise>")
        then, otherwise = (_compile(part, after, nodes) for part in [*parts, ""][:2])
        node = Switch(found[1], found[2], then, otherwise)
    elif piece[0] == "{":
        node = _slot(inside, after)
    else:
        node = Say(tuple(tokenize(piece)), after)
    nodes.append(node)
    return len(nodes) - 1


def _slot(inside: str, after: int) -> Node:
    if found := _CHOOSE.match(inside):
        args = tuple(name.strip() for name in (found[4] or "").split(",") if name.strip())
        return Choose(found[1], found[2] or "", found[3], args, after)
    if found := _SLOT.match(inside):
        return Slot(found[1], found[2] or "", after)
    if found := _SET.match(inside):
        return Set(found[1], found[2] or "", found[3], after)
    raise ValueError(f"{{{inside}}} is not a slot; write {{x}}, {{x.form}}, {{x:dist(y)}} or {{x=value}}")


def _pieces(text: str) -> list[str]:
    """Cut a template into literals and bracketed pieces, outermost brackets only; blanks are dropped."""
    pieces, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        if char in "[{<":
            if depth == 0:
                pieces.append(text[begin:i])
                begin = i
            depth += 1
        elif char in "]}>":
            depth -= 1
            if depth == 0:
                if text[begin] not in _CLOSES or _CLOSES[text[begin]] != char:
                    raise ValueError(f"brackets do not match in {text[begin : i + 1]!r}")
                pieces.append(text[begin : i + 1])
                begin = i + 1
    if depth:
        raise ValueError(f"a bracket is left open in {text[begin:]!r}")
    pieces.append(text[begin:])
    return [piece for piece in pieces if piece.strip(" ")]


def _split(text: str) -> list[str]:
    """Split at the bars that stand in no inner bracket."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "[{<") - (char in "]}>")
        if char == "|" and depth == 0:
            parts.append(text[begin:i])
            begin = i + 1
    return [*parts, text[begin:]]
