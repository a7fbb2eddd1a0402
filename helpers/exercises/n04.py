"""Exercises and quiz of notebook 04, What is a token, and where does its meaning live?"""

import codecs
import math
from collections.abc import Sequence

import numpy as np

from helpers.exercises.choices import Choice, Reasoned
from helpers.exercises.feedback import Feedback, wrong
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Exactly, Number, Several, same, to_number

Merges = Sequence[tuple[bytes, bytes]]


class _Share(Between):
    """A share between 0 and 1; one above 1 is taken for a percentage."""

    def __call__(self, answer: object) -> Feedback:
        number = to_number(answer)
        if number is not None and 1 < number <= 100:
            return wrong("That looks like a percentage: give the share, between 0 and 1.")
        return super().__call__(answer)


class _Tokens(Exactly):
    """Texts, given as str or bytes; a space may be written as ␣, as the notebook shows it."""

    def __call__(self, answer: object) -> Feedback:
        return super().__call__(tuple(map(_as_text, answer)) if isinstance(answer, list | tuple) else answer)


def _as_text(token: object) -> object:
    """A token as str with plain spaces; what is no text stays as it is."""
    text = token.decode("utf-8", errors="replace") if isinstance(token, bytes) else token
    return text.replace("␣", " ") if isinstance(text, str) else text


class _Bytes(Exactly):
    """A list of byte values, however they are written: 226, "226", "0xE2", "E2", "11100010", or a bytes object."""

    def __call__(self, answer: object) -> Feedback:
        if not isinstance(answer, list | tuple | bytes):
            return super().__call__(answer)
        read = [_byte(part) for part in answer]
        feedback = super().__call__(read)
        foreseen = any(same(read, value) for value, _ in self.wrong)
        return feedback if feedback.passed or foreseen else wrong(f"{feedback.text} {_about_marks(read)}".rstrip())


def _about_marks(read: list[object]) -> str:
    """What to say of bytes that are no three-byte character: their marks."""
    if not read or not all(isinstance(byte, int) and 0 <= byte < 256 for byte in read):
        return 'Give each byte as a number from 0 to 255, or as a text such as `"0xC3"`.'
    if read[0] >> 4 != 0b1110:
        n = 1 if read[0] < 0x80 else 2 if 0xC0 <= read[0] < 0xE0 else 4 if read[0] >= 0xF0 else 0
        told = f"a character of {n} byte{'s' * (n > 1)}" if n else "that it is *not* the first byte"
        return f"The first byte, `{read[0]:08b}`, announces {told}: which row of the table holds 8,364?"
    if unmarked := [byte for byte in read[1:] if byte >> 6 != 0b10]:
        return f"Each byte after the first one begins with the bits `10`, and `{unmarked[0]:08b}` does not."
    return ""


def _byte(part: object) -> object:
    """One byte as an int; what cannot be read stays as it is."""
    if not isinstance(part, str):
        return part
    text = part.strip().lower().removeprefix("0b").replace(" ", "")
    base = 2 if len(text) == 8 and set(text) <= {"0", "1"} else 10 if len(text) == 3 else 16
    try:
        return int(text.removeprefix("0x"), base)
    except ValueError:
        return part


def encode_word(word: bytes, merges: Merges) -> list[bytes]:
    """BPE of one word: its bytes, and the merges in the order in which they were learned → its tokens."""
    tokens = [word[i : i + 1] for i in range(len(word))]
    for left, right in merges:
        merged, i = [], 0
        while i < len(tokens):
            found = tokens[i : i + 2] == [left, right]
            merged.append(left + right if found else tokens[i])
            i += 2 if found else 1
        tokens = merged
    return tokens


def _longest_match(word: bytes, merges: Merges) -> list[bytes]:
    """Takes the longest token that fits, from the left: another algorithm, with other tokens."""
    known = {left + right for left, right in merges}
    tokens, start = [], 0
    while start < len(word):
        ends = [end for end in range(len(word), start + 1, -1) if word[start:end] in known]
        end = ends[0] if ends else start + 1
        tokens.append(word[start:end])
        start = end
    return tokens


def _first_place_only(word: bytes, merges: Merges) -> list[bytes]:
    """Merges a pair at its first place and goes on to the next merge."""
    tokens = [word[i : i + 1] for i in range(len(word))]
    for left, right in merges:
        for i in range(len(tokens) - 1):
            if tokens[i : i + 2] == [left, right]:
                tokens[i : i + 2] = [left + right]
                break
    return tokens


def _any_order(word: bytes, merges: Merges) -> list[bytes]:
    """Merges the leftmost pair that is in the list, whichever was learned first."""
    tokens = [word[i : i + 1] for i in range(len(word))]
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) in set(merges):
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
            i = 0
        else:
            i += 1
    return tokens


def decode_stream(chunks: Sequence[bytes]) -> list[str]:
    """What can be shown after each token: bytes of each → str of each, no character before its last byte has come."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    return [decoder.decode(chunk) for chunk in chunks]


def _each_alone(chunks: Sequence[bytes]) -> list[str]:
    """Decodes each token by itself."""
    return [chunk.decode("utf-8", errors="replace") for chunk in chunks]


def _drops_parts(chunks: Sequence[bytes]) -> list[str]:
    """Decodes each token by itself and drops what does not fit."""
    return [chunk.decode("utf-8", errors="ignore") for chunk in chunks]


def _all_or_nothing(chunks: Sequence[bytes]) -> list[str]:
    """Waits until everything held back is valid, so a finished character waits for the next one's end."""
    shown, held = [], b""
    for chunk in chunks:
        held += chunk
        try:
            shown.append(held.decode("utf-8"))
            held = b""
        except UnicodeDecodeError:
            shown.append("")
    return shown


def _at_the_end(chunks: Sequence[bytes]) -> list[str]:
    """Shows everything after the last token."""
    return [""] * (len(chunks) - 1) + [b"".join(chunks).decode("utf-8")] if chunks else []


def word_gradient(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Gradient, by v, of −log σ(u·v) − Σ log σ(−n·v): word (C,), context (C,), noise contexts (k, C) → (C,)."""
    v, u, negatives = np.asarray(v, float), np.asarray(u, float), np.asarray(negatives, float).reshape(-1, len(v))
    return (_sigmoid(u @ v) - 1) * u + _sigmoid(negatives @ v) @ negatives


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _uphill(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """The gradient of the log likelihood, which is the loss with the other sign."""
    return -word_gradient(v, u, negatives)


def _only_positive(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Leaves the noise out."""
    return word_gradient(v, u, [])


def _noise_as_seen(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Treats the noise as if it had been seen."""
    v, all_u = np.asarray(v, float), np.array([u, *negatives], float)
    return (_sigmoid(all_u @ v) - 1) @ all_u


def _without_minus_one(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Subtracts nothing for the context, whose true answer is yes."""
    return word_gradient(v, u, negatives) + np.asarray(u, float)


def _noise_turned(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Takes σ(−n·v), the value inside the loss, for its derivative."""
    noise = np.asarray(negatives, float).reshape(-1, len(v))
    return word_gradient(v, u, []) + _sigmoid(-(noise @ np.asarray(v, float))) @ noise


def _by_the_context(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """The gradient by u: the factor times v."""
    v, u = np.asarray(v, float), np.asarray(u, float)
    return (_sigmoid(u @ v) - 1) * v


def _mean_of_noise(v: Sequence[float], u: Sequence[float], negatives: Sequence[Sequence[float]]) -> np.ndarray:
    """Averages over the noise in place of adding it up."""
    noise = word_gradient(v, u, negatives) - word_gradient(v, u, [])
    return word_gradient(v, u, []) + noise / max(len(negatives), 1)


def nearest(vectors: Sequence[Sequence[float]], i: int, k: int) -> list[int]:
    """The k rows most similar to row i by cosine, best first, i itself left out: (V, C) → k row numbers."""
    rows = np.asarray(vectors, float)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = np.argsort(-(rows @ rows[i]), kind="stable")
    return [int(j) for j in order if j != i][:k]


def _by_dot_product(vectors: Sequence[Sequence[float]], i: int, k: int) -> list[int]:
    """Forgets to divide by the lengths."""
    rows = np.asarray(vectors, float)
    return [int(j) for j in np.argsort(-(rows @ rows[i]), kind="stable") if j != i][:k]


def _by_distance(vectors: Sequence[Sequence[float]], i: int, k: int) -> list[int]:
    """Straight-line distance, which depends on the lengths too."""
    rows = np.asarray(vectors, float)
    return [int(j) for j in np.argsort(np.linalg.norm(rows - rows[i], axis=1), kind="stable") if j != i][:k]


def _with_itself(vectors: Sequence[Sequence[float]], i: int, k: int) -> list[int]:
    """Counts the row itself as its first neighbour."""
    return [i, *nearest(vectors, i, k - 1)]


def _worst_first(vectors: Sequence[Sequence[float]], i: int, k: int) -> list[int]:
    """Sorts the wrong way round."""
    return nearest(vectors, i, len(vectors))[::-1][:k]


EXERCISES = (
    Exercise(
        id="4.1",
        title="The bytes of a character",
        kind="by hand",
        grade=_Bytes(
            [0xE2, 0x82, 0xAC],
            wrong=(
                ([0x20, 0xAC], "That is the number itself in two bytes. UTF-8 spends bits on saying how long a character is."),
                ([0xAC, 0x82, 0xE2], "The right bytes, the wrong way round: the highest bits come first."),
                ([0xE2, 0x02, 0x2C], "Each byte after the first one begins with the bits `10`."),
                ([0x02, 0x02, 0x2C], "You cut the bits rightly; now put the marks `1110`, `10` and `10` before them."),
            ),
            why="1110**0010** 10**000010** 10**101100**: the sixteen free bits hold 0010 000010 101100.",
        ),
        hints=(
            "8,364 is more than 2,047 and less than 65,536: which row of the table is that, and how many bits does it hold?",
            "Write the number with 16 binary digits, `0010000010101100`, and cut it from the right into groups of 6, 6 and 4.",
        ),
        solution="""
Three bytes: `1110xxxx 10xxxxxx 10xxxxxx` has room for 4 + 6 + 6 = 16 bits. With 16 digits the number is
`0010 000010 101100`, so the bytes are `11100010`, `10000010`, `10101100`: 0xE2, 0x82, 0xAC, or 226, 130, 172.
`list("€".encode())` says the same.
""",
        answer=[0xE2, 0x82, 0xAC],
        wrong_answers=(
            (["0x20", "0xAC"], "the number itself"),
            (["AC", "82", "E2"], "wrong way round"),
            ([0xE2, 0x02, 0x2C], "begins with the bits"),
            ([0x02, 0x02, 0x2C], "put the marks"),
            (["11100010", "10000010"], "2 elements"),
            ([0xC2, 0x82], "2 bytes"),
            ([0x82, 0xAC], "not* the first byte"),
            ([0x41], "1 byte:"),
            ([0xF0, 0x82, 0x82, 0xAC], "4 bytes"),
            ([0xE2, 0x82, 0x2C], "`00101100` does not"),
            (["zz", 0x82, 0xAC], "from 0 to 255"),
            (8364, "is not it"),
        ),
    ),
    Exercise(
        id="4.2",
        title="Two merges",
        kind="by hand",
        grade=_Tokens(
            ("co", " co"),
            wrong=(
                (("co", "co"), "The space belongs to the token: `␣co` is what you mean."),
                (("co", "coco"), "`coco` is there twice, and so are two other pairs: what does our rule say about equals?"),
                (("co", "coa"), "`coa` is there twice, and so are two other pairs: compare the *left* ids first."),
                (("co", "oc"), "Once `co` is a token there is no single `o` before a `c` any more: count again after a merge."),
                (
                    ("co", "oa"),
                    "Once `co` is a token there is no single `o` before an `a` any more: count again after a merge.",
                ),
                (("co", "ca"), "`ca` is there once; three other pairs come twice."),
            ),
            why="Five times `co`. Then three pairs come twice, and the space (id 32) is the smallest left id.",
        ),
        hints=(
            "The words are `cocoa`, ` cocoa` and ` coca`. Count all pairs of neighbours in each; which comes most often?",
            "After the merge the words are `co co a`, `␣ co co a`, `␣ co c a`. Three pairs come twice. The ids: a space is "
            "byte 32, `a` is 97, and `co` is the first new token, 256.",
        ),
        solution="""
`co` comes 2 + 2 + 1 = 5 times, `oc` three times, all others less; so `co` becomes 256. Now the words are `256 256 97`,
`32 256 256 97` and `32 256 99 97`. The pairs `256 256`, `256 97` and `32 256` come twice each. The smallest *left* id is 32:
the second merge makes ` co`.
""",
        answer=("co", " co"),
        wrong_answers=(
            (("co", "co"), "space belongs"),
            ((b"co", b"coco"), "about equals"),
            (("co", "coco"), "about equals"),
            (("co", "coa"), "left"),
            (("co", "oc"), "count again"),
            (("co", "oa"), "count again"),
            (("co", "ca"), "once"),
            (("oc", "co"), "is not it"),
        ),
    ),
    Exercise(
        id="4.3",
        title="Encode a word",
        kind="implement",
        grade=Function(
            cases=(
                Case((b"shells", [(b"l", b"l"), (b"s", b"h"), (b"sh", b"e")]), [b"she", b"ll", b"s"]),
                Case((b"abcabc", [(b"b", b"c"), (b"a", b"b"), (b"a", b"bc")]), [b"abc", b"abc"]),
                Case((b"abcd", [(b"b", b"c"), (b"a", b"b")]), [b"a", b"bc", b"d"]),
                Case((b"aaaaa", [(b"a", b"a"), (b"aa", b"aa")]), [b"aaaa", b"a"]),
                Case((b"", [(b"a", b"b")]), [], say="A word without bytes has no tokens."),
            ),
            mistakes=(
                (
                    _longest_match,
                    "You took the longest token that fits, from the left. BPE replays the *merges*, the first learned first.",
                ),
                (_first_place_only, "You merged each pair at its first place only; a merge holds for the whole word."),
                (
                    _any_order,
                    "You merged whatever pair came first from the left; the pair that was *learned* first comes first.",
                ),
            ),
            why="An earlier merge always comes before a later one, wherever they stand in the word.",
        ),
        hints=(
            "Begin with single bytes, `[word[i:i+1] for i in range(len(word))]`, and take one merge after the other.",
            "For each merge go through the tokens from left to right: where two neighbours are the pair, write one token "
            "and skip both; else write one and skip one.",
        ),
        solution="One loop over the merges, and in it one pass over the word. (The helper does it in one pass with a heap.)",
        answer=encode_word,
        wrong_answers=(
            (_longest_match, "longest token"),
            (_first_place_only, "first place only"),
            (_any_order, "learned"),
            (lambda word, merges: [word], "it should give"),
        ),
    ),
    Exercise(
        id="4.4",
        title="Take the mark out?",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "Yes: what has been removed can do no harm.",
                    "Try it: what does `replace` make of `<|sys<|system|>tem|>`?",
                ),
                "b": (
                    "Yes, as long as capitals are treated too.",
                    "`<|SYSTEM|>` is no special token; it is encoded as ordinary text. What slips through is something else.",
                ),
                "c": (
                    "No: a mark can be put together by the removal itself, and other marks stay. Encode what users type "
                    "without special tokens.",
                    "Right. `<|sys<|system|>tem|>` becomes `<|system|>` *by* the removal, and `<|endoftext|>` was not touched. "
                    "With no special tokens allowed there is nothing to remove.",
                ),
                "d": (
                    "No: special tokens must be made longer, so that nobody can guess them.",
                    "They stand in every published tokenizer file. A secret that everybody has is none.",
                ),
            },
            right="c",
        ),
        hints=(
            "Look for a text from which the removal *makes* a mark.",
            "Remove the middle of `<|sys<|system|>tem|>`. What is left?",
        ),
        solution="""
**c.** Cleaning text with lists of bad strings is a race that attackers win; here `<|sys<|system|>tem|>` does. Ids that no text
can produce need no cleaning: `encode(typed)` with its default, and the marks added as ids by the program.
""",
        answer="c",
        wrong_answers=(("a", "what does `replace` make"), ("b", "no special token"), ("d", "published"), ("e", "Choose one")),
    ),
    Exercise(
        id="4.5",
        title="Show tokens as they come",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case(([b"So ", b"\xe4", b"\xbd\xa0", b"!"],), ["So ", "", "你", "!"]),
                Case(([b"a\xf0\x9f", b"\x98\x80b\xc3", b"\xa9"],), ["a", "😀b", "é"]),
                Case(([b"", b"ok"],), ["", "ok"]),
                Case(([],), [], say="No tokens, nothing to show: an empty list."),
            ),
            mistakes=(
                (_each_alone, "A token that ends inside a character gives `�` when it is decoded alone; keep its bytes back."),
                (_drops_parts, "You dropped the bytes of unfinished characters; keep them until the rest has come."),
                (
                    _all_or_nothing,
                    "A finished character must not wait for the next one: of `a\\xf0\\x9f` the `a` can be shown at once.",
                ),
                (
                    _at_the_end,
                    "That shows everything at the end; each character should appear as soon as its last byte has come.",
                ),
            ),
            why="Every chat window does this; where it is forgotten you see � flicker in Chinese and in emoji.",
        ),
        hints=(
            "Keep the bytes that are not yet a whole character, and put them before the next chunk.",
            "At most three bytes are held back. Try `held[:n].decode()` for n = len(held), len(held) − 1, … until it succeeds; "
            'or look at `codecs.getincrementaldecoder("utf-8")`.',
        ),
        solution="""
The first byte of a character says how many follow, so a decoder knows when to wait. Python has one that remembers:
`codecs.getincrementaldecoder("utf-8")()` decodes what is complete and keeps the rest for the next call.
""",
        answer=decode_stream,
        wrong_answers=(
            (_each_alone, "keep its bytes back"),
            (_drops_parts, "until the rest has come"),
            (_all_or_nothing, "must not wait"),
            (_at_the_end, "at the end"),
            (lambda chunks: [str(chunk) for chunk in chunks], "it should give"),
        ),
    ),
    Exercise(
        id="4.6",
        title="Which way does the word move?",
        kind="implement",
        grade=Function(
            cases=(
                Case((np.zeros(2), np.array([1.0, 2.0]), np.array([[3.0, 0.0]])), [1.0, -1.0]),
                Case(
                    (np.array([1.0, -1.0]), np.array([2.0, 0.0]), np.array([[0.0, 1.0], [1.0, 1.0]])),
                    word_gradient([1, -1], [2, 0], [[0, 1], [1, 1]]).tolist(),
                ),
                Case(
                    (np.array([0.5]), np.array([-1.0]), np.empty((0, 1))),
                    word_gradient([0.5], [-1.0], []).tolist(),
                    say="Without noise only the true context is left.",
                ),
            ),
            mistakes=(
                (_uphill, "All signs are turned: that is the gradient of the log likelihood, and the *loss* is asked for."),
                (_only_positive, "The noise contexts are missing: each adds σ(n·v) n."),
                (_noise_as_seen, "For noise the answer should be *no*: its factor is σ − 0, not σ − 1."),
                (_without_minus_one, "For the context the answer should be *yes*: its factor is σ − 1, not σ."),
                (_noise_turned, "σ(−n·v) stands in the loss; the derivative of −log σ(−x) is σ(x)."),
                (_by_the_context, "That is the gradient by $u$, the context's vector; the one by $v$ is asked for."),
                (_mean_of_noise, "Add the noise contexts up; the loss has a sum over them, not a mean."),
            ),
            why="(σ − 1) u + Σ σ n. A step against it moves v towards its context, and away from the noise.",
        ),
        hints=(
            "Each context adds (what the model says − what is true) times its own vector.",
            "What the model says is σ(u·v). What is true is 1 for the context and 0 for each noise word.",
        ),
        solution=r"""
$$\frac{\partial\ell}{\partial v} = (\sigma(u \cdot v) - 1)\,u + \sum_i \sigma(n_i \cdot v)\,n_i$$

as derived in section 4.10: what the model says, less what is true, times the other vector.
""",
        answer=word_gradient,
        wrong_answers=(
            (_uphill, "signs are turned"),
            (_only_positive, "missing"),
            (_noise_as_seen, "not σ − 1"),
            (_without_minus_one, "not σ."),
            (_noise_turned, "stands in the loss"),
            (_by_the_context, "gradient by $u$"),
            (_mean_of_noise, "not a mean"),
            (lambda v, u, negatives: v, "it should give"),
        ),
    ),
    Exercise(
        id="4.7",
        title="Nearest neighbours",
        kind="implement",
        grade=Function(
            cases=(
                Case((np.array([[1, 0], [0.2, 0.1], [5, 5], [-1, 0], [0, 3]]), 0, 2), [1, 2]),
                Case((np.array([[3.0, 4], [30, 41], [4, 3], [-3, -4]]), 0, 3), [1, 2, 3]),
                Case((np.eye(2), 1, 1), [0]),
            ),
            mistakes=(
                (_by_dot_product, "A dot product grows with the length of a vector: divide each row by its length first."),
                (_by_distance, "Straight-line distance depends on the lengths too; the cosine looks at directions only."),
                (_with_itself, "Row i is its own nearest neighbour, always; leave it out."),
                (_worst_first, "Those are the least similar rows: sort the other way round."),
            ),
            why="A frequent word often has a longer vector; the cosine asks only where it points.",
        ),
        hints=(
            "The cosine of two vectors is the dot product of the two after each is divided by its length.",
            "`rows = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)`; then `np.argsort(-(rows @ rows[i]))`.",
        ),
        solution="Divide every row by its length once; then one matrix product gives all the cosines.",
        answer=nearest,
        wrong_answers=(
            (_by_dot_product, "divide each row"),
            (_by_distance, "directions only"),
            (_with_itself, "leave it out"),
            (_worst_first, "other way round"),
            (lambda vectors, i, k: list(range(k)), "it should give"),
        ),
    ),
    Exercise(
        id="4.8",
        title="How much oftener than by chance?",
        kind="by hand",
        grade=Several(
            {
                "PMI": Number(
                    math.log(2),
                    tolerance=0.006,
                    wrong={
                        1: "That is in bits. Take the natural logarithm.",
                        math.log10(2): "That is a logarithm to base 10. Take the natural one.",
                        math.log(12 / 100): "That is log P(w, c); compare it with what independence would give.",
                        math.log(12 / 20): "That is log P(c | w); compare it with P(c), how often `tea` comes anyway.",
                        math.log(12 / 30): "That is log P(w | c); compare it with P(w), how often `strong` comes anyway.",
                        -math.log(2): "The ratio is upside down: they meet *oftener* than by chance.",
                        2: "That is the ratio; PMI is its logarithm.",
                    },
                ),
                "u·v": Number(
                    math.log(0.5),
                    tolerance=0.006,
                    wrong={
                        -1: "That is in bits. Take the natural logarithm.",
                        math.log10(0.5): "That is a logarithm to base 10. Take the natural one.",
                        math.log(
                            12 / 20
                        ): "That is log P(c | w). The noise draws `tea` with probability P(c), four times a pair.",
                        math.log(2) + math.log(4): "log k is taken *off*: more noise makes *no* the better guess.",
                        math.log(2) - 4: "Take off log k, not k.",
                        0: "A zero is what shifted *positive* PMI makes of it; the optimum itself may be negative.",
                    },
                ),
            },
            why="Twice as often as by chance is log 2; against four noise words the answer is still rather *no*: log(2/4).",
        ),
        hints=(
            "If the two were independent, how many of the 100 pairs would be (strong, tea)?",
            "PMI = log(12 · 100 / (20 · 30)), and the optimum is PMI − log k.",
        ),
        solution=r"""
By chance: $100 \cdot \tfrac{20}{100} \cdot \tfrac{30}{100} = 6$ pairs; 12 came. So
$\mathrm{PMI} = \log\tfrac{12}{6} = \log 2 = 0.693$ nats, and the optimum is $\log 2 - \log 4 = -0.693$.
""",
        answer=(0.693, -0.693),
        wrong_answers=(
            ((1, -1), "v**: That is in bits"),
            ((0.3, -0.3), "base 10"),
            (("ln 2", "ln 0.5"), "one number"),
            ((math.log(0.12), -0.693), "independence"),
            ((-0.511, -0.511), "how often `tea` comes"),
            ((-0.916, -0.693), "how often `strong` comes"),
            ((0.693, -0.511), "The noise draws"),
            ((-0.693, -0.693), "upside down"),
            ((2, -0.693), "its logarithm"),
            ((0.693, 2.079), "taken *off*"),
            ((0.693, -3.307), "not k"),
            ((0.693, 0), "may be negative"),
            (0.693, "2 answers"),
        ),
    ),
    Exercise(
        id="4.9",
        title="Left and right",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "The embedding of the changed text is worse, because the text is false.",
                        "Nothing in the text says what is left and what is right: training never leaves the page.",
                    ),
                    "b": (
                        "The two words' vectors become alike.",
                        "They would if the words were mixed at random. Here all the uses of one go to the other.",
                    ),
                    "c": (
                        "The vectors of the two words have changed places, and the rest is the same.",
                        "Right: two names have been exchanged, and nothing else.",
                    ),
                },
                right="c",
            ),
            reason=Choice(
                {
                    "x": (
                        "All that a vector can hold is the company of its word, and the company has moved to the other name.",
                        "Yes. That is the strength of the distributional hypothesis, and its limit: meaning here is a place "
                        "among words, not a link to the world.",
                    ),
                    "y": (
                        "Words are compared letter by letter, and the letters are different.",
                        "Words are row numbers to skip-gram; it never sees a letter.",
                    ),
                    "z": (
                        "Training starts from random vectors, so any order of the rows can come out.",
                        "Another seed turns the whole space around; it does not exchange two words in it.",
                    ),
                },
                right="x",
            ),
        ),
        hints=(
            "Write down the pairs (word, context) of a sentence before and after the change.",
            "What does training see of a word, besides its row number?",
        ),
        solution="""
**c, x.** Training sees pairs of row numbers. After the exchange each pair with one of the two rows is a pair with the other, so
the same vectors come out under exchanged names. An embedding knows how words stand to each other; that `left` is where the
heart is, it cannot know.
""",
        answer=("c", "x"),
        wrong_answers=(
            (("a", "x"), "never leaves the page"),
            (("b", "x"), "mixed at random"),
            (("c", "y"), "never sees a letter"),
            (("c", "z"), "does not exchange two words"),
            ("c", "two letters"),
        ),
    ),
    Exercise(
        id="4.10",
        title="A narrow window",
        kind="experiment",
        grade=_Share(
            0.05,
            0.45,
            below="`accuracy(...)` gives shares between 0 and 1; did you train on `stories`, and ask for `animal : home`?",
            above="That is more like what the wide window reached: did you train with `replace(CONFIG, window=2)`, and ask for "
            "the accuracy of *these* vectors?",
            why="An animal and its home seldom stand within two words of each other, so the relation is lost; what is left are "
            "words that could stand in the same *place*: the neighbours of `duck` are now animals only.",
        ),
        hints=(
            "`narrow = train_skip_gram(stories, replace(CONFIG, window=2))` takes a few seconds.",
            '`accuracy(narrow)` gives all six families; compare with `results["skip-gram"]`.',
        ),
        solution="""
```python
narrow = train_skip_gram(stories, replace(CONFIG, window=2))
accuracy(narrow)["animal : home"]
```

About 0.2, where the window of 10 had 1.0. On our machine the six are: man : woman 0.21, animal : young 0.66,
animal : home 0.16, village : river 0.84, fruit : colour 0.14, singular : plural 0.04. Narrow windows learn what can stand in
the same place (`duck`, `frog`, `fox`), wide ones also what belongs together (`duck`, `pond`, `duckling`). Neither is better;
they answer different questions.
""",
        answer=0.18,
        wrong_answers=(
            (0.99, "wide window"),
            (18, "percentage"),
            (0.0, "smaller"),
            ("less", "one number"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        id="4.q1",
        question="Why does a byte-level tokenizer need no `<unk>`?",
        options=(
            Option("Its vocabulary is so large that it has every word.", "It can be 256. Size is not the reason."),
            Option(
                "Every text is bytes, and all 256 of them are tokens.",
                "Right: what no merge fits is spelled out, byte by byte.",
                right=True,
            ),
            Option(
                "It learned merges from all languages.",
                "Ours read only Shakespeare. Merges make a text shorter; they are not needed to encode it.",
            ),
        ),
    ),
    Quiz(
        id="4.q2",
        question="With a larger vocabulary the perplexity per token went from 5 to 100. What had happened to the model?",
        options=(
            Option(
                "Hardly anything: its tokens had become longer.",
                "Yes, to three characters on average. The unit had changed; per byte the loss was nearly the same.",
                right=True,
            ),
            Option(
                "It had become twenty times worse at predicting the text.",
                "Then its bits per byte would have risen with it; they hardly moved.",
            ),
            Option(
                "It overfitted, since larger vocabularies have more parameters.",
                "It was measured on text it had not seen, in bits per byte, and was as good as before.",
            ),
        ),
    ),
    Quiz(
        id="4.q3",
        question="Two programs train BPE on the same text, with the same number of merges, and get different merges. Then …",
        options=(
            Option("… one of them has a bug.", "Perhaps, but not for this reason: look at what happens when two pairs tie."),
            Option("… their training was random.", "Nothing in BPE is drawn at random."),
            Option(
                "… both may be right, and break ties differently.",
                "Yes: the algorithm says «the most frequent pair», and there may be several.",
                right=True,
            ),
        ),
    ),
    Quiz(
        id="4.q4",
        question="A user types `<|endoftext|>`. What should the tokenizer of a chat do?",
        options=(
            Option(
                "Make it the id of the end token, since that is its name in the table.",
                "Then users can end the conversation, and begin one as somebody else.",
            ),
            Option(
                "Encode it as ordinary text, like anything else that is typed.",
                "Right. Only the program itself adds special ids; what users type must not be able to produce one.",
                right=True,
            ),
            Option(
                "Replace it by `<unk>`, as a word that no text may contain.",
                "There is none here, and none is needed: it is text like any other.",
            ),
        ),
    ),
    Quiz(
        id="4.q5",
        question="A sentence goes through an embedding table of 50,000 rows, and the loss is sent back. Which rows get a "
        "gradient?",
        options=(
            Option("All rows.", "The others were multiplied by the zeros of the one-hot vectors."),
            Option(
                "None: ids are not numbers that one can differentiate by.", "Right about the ids. The *table* is what learns."
            ),
            Option(
                "The rows of the tokens that occur in the sentence.",
                "Yes; and a row that is looked up twice gets the sum of both.",
                right=True,
            ),
        ),
    ),
    Quiz(
        id="4.q6",
        question="Skip-gram with k negative samples, enough data and enough dimensions: what does the product of a word's "
        "and a context's vector approach?",
        options=(
            Option(
                "The log probability of the context, given the word, as with full softmax.",
                "Full softmax would give that, up to a constant for each word. Here the noise divides the frequency of c out.",
            ),
            Option(
                "Their pointwise mutual information, less log k.",
                "Right: the log of how much oftener they meet than by chance, and the noise sets what «by chance» means.",
                right=True,
            ),
            Option(
                "1 if the two occur together in the text, 0 if they don't.",
                "Those are the answers for one pair; over many pairs it is a rate.",
            ),
        ),
    ),
    Quiz(
        id="4.q7",
        question="What does word2vec give for a word that was not in its training text?",
        options=(
            Option(
                "Nothing: it has a table of rows, and no row for it.",
                "Right; cutting words into pieces is the way out.",
                right=True,
            ),
            Option("A vector near to words that are spelled alike.", "It has never seen a letter: words are ids to it."),
            Option("The mean of all vectors.", "One could program that, and it would mean nothing."),
        ),
    ),
    Quiz(
        id="4.q8",
        question="An analogy's accuracy is usually reported with the three words of the question left out of the answers. What "
        "does that hide?",
        options=(
            Option(
                "That rare words are answered worse than frequent ones.",
                "That is often so, but it would show with the question's words allowed, too.",
            ),
            Option(
                "That the nearest word to b − a + c is often b or c itself.",
                "Yes: c where the step b − a is short, b where a and c nearly cancel. So report the accuracy without the "
                "exclusion, too, and that of c's nearest neighbour alone.",
                right=True,
            ),
            Option(
                "That a word can be a right answer without being the only one.",
                "A true weakness of many analogy sets, and another one: the question's own words are never right here.",
            ),
        ),
    ),
    Quiz(
        id="4.q9",
        question="After the gender direction was projected out, WEAT finds no bias. What is known?",
        options=(
            Option(
                "That these words no longer show it; others may.",
                "Right, and you measured it: with relatives not used to find the direction most of it was still there.",
                right=True,
            ),
            Option(
                "That the vectors hold the stereotype no more.", "One measure of bias is gone, the one that was optimised away."
            ),
            Option(
                "That the effect was there by chance before.",
                "The p-value was 1/70, by three methods. It found what had been planted in the text.",
            ),
        ),
    ),
)
