"""How a regular expression is written: the subset of Python's syntax that `Pattern` reads, by recursive descent.

A method reads what its rule says, from `at` on, and calls the next rule for what that is made of: alternatives of sequences of
repeated atoms. What is read is made by `helpers.adapting.regular.Pattern`.
"""

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from helpers.adapting.regular import Part, Pattern

SPECIAL = set("\\.[]()|*+?{}^$")
CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


class Parser:
    """Recursive descent, a method a rule: alternatives of sequences of repeated atoms."""

    def __init__(self, regex: str, make: "Pattern"):
        self.regex, self.make, self.at = regex, make, 0

    def parse(self) -> "Part":
        found = self.alternatives()
        if self.at < len(self.regex):
            self.refuse("a ) that closes no group; write \\) for the character")
        return found

    def alternatives(self) -> "Part":
        found = self.sequence()
        while self.take("|"):
            found = self.make.either(found, self.sequence())
        return found

    def sequence(self) -> "Part":
        parts = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return self.make.then(*parts)

    def repeated(self) -> "Part":
        atom = self.atom()
        if self.peek() not in ("*", "+", "?", "{"):
            return atom
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.peek()) or self.counts()
        self.at += 1
        if self.peek() in ("*", "+", "?", "{"):
            self.refuse("two repetitions in a row, such as the lazy *?; put the first in a group, or leave one out")
        return self.make.repeat(atom, least, most)

    def counts(self) -> tuple[int, int | None]:
        """The numbers of {m}, {m,} or {m,n}; goes on to the brace that closes them."""
        end = self.regex.find("}", self.at)
        least, comma, most = self.regex[self.at + 1 : max(end, self.at + 1)].partition(",")
        numbers = [int(number) for number in (least, most) if number.isascii() and number.isdigit() and len(number) < 5]
        if len(numbers) != 1 + bool(most) or not least or numbers != sorted(numbers):
            self.refuse("a { that is no {m}, {m,} or {m,n} with m ≤ n < 10,000; write \\{ for the character")
        self.at = end
        return numbers[0], None if comma and not most else numbers[-1]

    def atom(self) -> "Part":
        if self.take("("):
            if self.peek() == "?":
                self.refuse("a group that begins with ?; groups here only group, so write (…)")
            found = self.alternatives()
            if not self.take(")"):
                self.refuse("the end of the pattern before a ) for each (; write \\( for the character")
            return found
        if self.take("["):
            return self.char_class()
        if self.take("."):
            return self.make.chars([(ord("\n"), ord("\n"))], negated=True)
        return self.make.chars([(code := self.char(SPECIAL), code)])

    def char_class(self) -> "Part":
        negated, ranges = self.take("^"), []
        while self.peek() not in ("", "]"):
            low = high = self.char({"["})
            if self.peek() == "-" and self.regex[self.at + 1 : self.at + 2] not in ("", "]"):
                self.at += 1
                high = self.char({"["})
            if high < low:
                self.refuse(f"a range that ends before it begins, {chr(low)}-{chr(high)}; turn it round")
            ranges.append((low, high))
        if not ranges or not self.take("]"):
            self.refuse("a class that is empty or has no end; write [abc], or \\[ for the character")
        return self.make.chars(ranges, negated)

    def char(self, special: set[str]) -> int:
        """The code point of a character that stands for itself or is escaped."""
        if not self.take("\\"):
            if self.peek() in special:
                self.refuse(f"{self.peek()}, which means nothing here; write \\{self.peek()} for the character")
            self.at += 1
            return ord(self.regex[self.at - 1])
        char = self.peek()
        if not char or (char.isascii() and char.isalnum() and char not in CONTROL):
            self.refuse(f"the escape \\{char}; of letters only \\n, \\r and \\t are read, so write a class, such as [0-9]")
        self.at += 1
        return ord(CONTROL.get(char, char))

    def peek(self) -> str:
        return self.regex[self.at : self.at + 1]

    def take(self, char: str) -> bool:
        found = self.peek() == char
        self.at += found
        return found

    def refuse(self, what: str) -> NoReturn:
        raise ValueError(f"at position {self.at} of {self.regex!r} there is {what}")
