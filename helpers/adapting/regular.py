"""Regular expressions by derivatives: what may still come after a text has begun.

The derivative of a language by a character is what remains of those of its texts that begin with it: of `ab|ac` by "a" it is
`b|c`. That is a regular expression again, so a text is matched by one derivative a character; the last says what can follow.
Derived in `08_adapting_and_applications.ipynb`. Brzozowski, *Derivatives of Regular Expressions* (1964); Owens, Reppy and
Turon, *Regular-expression derivatives re-examined* (2009).
"""

from bisect import bisect_right
from dataclasses import dataclass

from helpers.adapting.regular_syntax import Parser

LAST = 0x10FFFF  # the last code point
LARGEST = 10_000  # parts that a pattern and its derivatives may have: some patterns have 2ⁿ derivatives


@dataclass(frozen=True, eq=False)
class Part:
    """A regular expression. `Pattern` makes each only once, so that equal ones are the same object.

    Without content it is the empty text, EMPTY, or no text at all, NEVER. empty: whether the empty text matches.
    """

    empty: bool


@dataclass(frozen=True, eq=False)
class Chars(Part):
    """One character, of the code points in these ranges, ends included."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Then(Part):
    """One after the other."""

    first: Part
    rest: Part


@dataclass(frozen=True, eq=False)
class Either(Part):
    """Any of several."""

    options: frozenset[Part]


@dataclass(frozen=True, eq=False)
class Star(Part):
    """Any number of times, none included."""

    inner: Part


NEVER, EMPTY = Part(empty=False), Part(empty=True)


class Pattern:
    """A regular expression that the whole text must match; a state is what remains to be matched, and begins as `start`.

    Read are characters, escapes of punctuation and \\n, \\r, \\t, `.` (all but the newline), classes such as [a-z] and [^"], |,
    groups, and *, +, ?, {m}, {m,}, {m,n}, all meaning what they mean in Python. Raises ValueError, with the position, for
    other syntax, and for a pattern, or later a state, with too many parts.
    """

    def __init__(self, regex: str):
        self.regex = regex
        self._parts: dict[tuple, Part] = {}
        self._steps: dict[tuple[Part, int], Part] = {}
        try:
            self.start = Parser(regex, self).parse()
        except RecursionError:
            raise self._too_deep() from None
        ranges = [pair for part in self._parts.values() if isinstance(part, Chars) for pair in part.ranges]
        # Between two cuts all characters behave alike, so one derivative serves them all.
        self._cuts = sorted({low for low, _ in ranges} | {high + 1 for _, high in ranges})

    def step(self, state: Part, text: str) -> Part:
        """The state after reading on; NEVER where nothing that begins so matches."""
        for char in text:
            key = state, bisect_right(self._cuts, ord(char))
            if key not in self._steps:
                try:
                    self._steps[key] = self.derivative(state, ord(char))
                except RecursionError:
                    raise self._too_deep() from None
            state = self._steps[key]
        return state

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        return self.step(self.start, text).empty

    def allowed(self, text: str) -> bool:
        """Whether some text that begins so matches."""
        return self.step(self.start, text) is not NEVER

    def derivative(self, part: Part, code: int) -> Part:
        """What remains to be matched after the character with this code point."""
        match part:
            case Chars(ranges=ranges):
                return EMPTY if any(low <= code <= high for low, high in ranges) else NEVER
            case Then(first=first, rest=rest):
                after = self.then(self.derivative(first, code), rest)
                return self.either(after, self.derivative(rest, code)) if first.empty else after
            case Either(options=options):
                return self.either(*(self.derivative(option, code) for option in options))
            case Star(inner=inner):
                return self.then(self.derivative(inner, code), part)
        return NEVER  # nothing follows the empty text, or no text

    # What follows makes parts, and simplifies: without it there would be no end of derivatives that differ in nothing but form.

    def chars(self, ranges: list[tuple[int, int]], negated: bool = False) -> Part:
        """One character in these ranges of code points, or in none of them."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(high, merged[-1][1])
            else:
                merged.append((low, high))
        if negated:
            edges = [-1, *(edge for pair in merged for edge in pair), LAST + 1]
            merged = [(a + 1, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if a + 1 < b]
        return self._one(Chars, False, tuple(merged)) if merged else NEVER

    def then(self, *parts: Part) -> Part:
        """The parts one after the other; ∅·r = ∅, and ε·r = r."""
        rest = EMPTY
        for first in reversed(parts):
            if NEVER in (first, rest):
                rest = NEVER
            elif rest is EMPTY:
                rest = first
            elif first is not EMPTY:
                rest = self._one(Then, first.empty and rest.empty, first, rest)
        return rest

    def either(self, *options: Part) -> Part:
        """r | s; order and repetition mean nothing, and ∅ | r = r."""
        flat = {inner for part in options for inner in (part.options if isinstance(part, Either) else [part])} - {NEVER}
        if len(flat) < 2:
            return flat.pop() if flat else NEVER
        return self._one(Either, any(part.empty for part in flat), frozenset(flat))

    def star(self, inner: Part) -> Part:
        """r*; (r*)* = r*, and ∅* = ε* = ε."""
        if inner in (NEVER, EMPTY):
            return EMPTY
        return inner if isinstance(inner, Star) else self._one(Star, True, inner)

    def repeat(self, inner: Part, least: int, most: int | None) -> Part:
        """least to most times, None: as often as you like; r{1,3} is r(r(r|ε)|ε)."""
        found = self.star(inner) if most is None else EMPTY
        for _ in range((most or least) - least):
            found = self.either(self.then(inner, found), EMPTY)
        for _ in range(least):
            found = self.then(inner, found)
        return found

    def _one(self, kind: type[Part], *content: object) -> Part:
        """The one part of this kind and content."""
        key = (kind, *content)
        if key not in self._parts:
            if len(self._parts) >= LARGEST:
                raise ValueError(f"{self.regex[:30]!r} grows beyond {LARGEST} parts; repeat less, or nest fewer repetitions")
            self._parts[key] = kind(*content)
        return self._parts[key]

    def _too_deep(self) -> ValueError:
        return ValueError(f"{self.regex[:30]!r} is nested too deeply, or has too many optional parts in a row; shorten it")
