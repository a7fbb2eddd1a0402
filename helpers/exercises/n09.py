"""Exercises and quiz of notebook 09, What can it not do, and what comes next?"""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from helpers.exercises.choices import Choice
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Exactly, Number, Several


def copied(ids: list[int]) -> int | None:
    """The token after the latest earlier occurrence of the last one; None where there is none."""
    for at in range(len(ids) - 2, -1, -1):
        if ids[at] == ids[-1]:
            return ids[at + 1]
    return None


def _copied_from(earlier: Callable[[list[int]], list[int]]) -> Callable[[list[int]], int | None]:
    """Gives the token after the first of the places that `earlier` names."""

    def copy(ids: list[int]) -> int | None:
        return next((ids[at + 1] for at in earlier(ids) if ids[at] == ids[-1]), None)

    return copy


_from_the_first = _copied_from(lambda ids: list(range(len(ids) - 1)))
_neighbour_missed = _copied_from(lambda ids: list(range(len(ids) - 3, -1, -1)))


def _before_it(ids: list[int]) -> int | None:
    """Gives the token before the earlier occurrence, in place of the one after it."""
    return next((ids[at - 1] for at in range(len(ids) - 2, 0, -1) if ids[at] == ids[-1]), None)


def _itself(ids: list[int]) -> int | None:
    """Gives the token that it looks for."""
    return ids[-1] if ids[-1] in ids[:-1] else None


def _place(ids: list[int]) -> int | None:
    """Gives the place of the token, and not the token."""
    return next((at + 1 for at in range(len(ids) - 2, -1, -1) if ids[at] == ids[-1]), None)


def _finds_the_last(ids: list[int]) -> int | None:
    """Searches from the end, and finds the last token itself, after which nothing stands."""
    return next((ids[at + 1] for at in range(len(ids) - 1, -1, -1) if ids[at] == ids[-1]), None)


def dpo(plus: list[float], minus: list[float], plus_before: list[float], minus_before: list[float], beta: float) -> float:
    """Mean DPO loss of pairs, from log probabilities in nats: −log σ(z) is log(e⁰ + e⁻ᶻ), which NumPy computes safely."""
    margins = (np.asarray(plus) - plus_before) - (np.asarray(minus) - minus_before)
    return float(np.logaddexp(0, -beta * margins).mean())


def _margins(plus: ArrayLike, minus: ArrayLike, plus_before: ArrayLike, minus_before: ArrayLike) -> np.ndarray:
    return np.subtract(plus, plus_before) - np.subtract(minus, minus_before)


def _sign(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Takes the rejected answers for the preferred ones."""
    return dpo(minus, plus, minus_before, plus_before, beta)


def _no_reference(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Leaves out the model before."""
    return dpo(plus, minus, [0.0] * len(plus), [0.0] * len(plus), beta)


def _reference_reversed(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Adds the margin of the model before, where it should be subtracted."""
    return dpo(plus, minus, minus_before, plus_before, beta)


def _sum(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Adds the pairs' losses."""
    return len(plus) * dpo(plus, minus, plus_before, minus_before, beta)


def _no_beta(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Leaves out beta."""
    return dpo(plus, minus, plus_before, minus_before, 1.0)


def _beta_outside(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Multiplies the loss by beta, and not the margin."""
    return beta * _no_beta(plus, minus, plus_before, minus_before, beta)


def _mean_inside(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Takes the mean of the margins before the logarithm."""
    return float(np.logaddexp(0, -beta * _margins(plus, minus, plus_before, minus_before).mean()))


def _minus_forgotten(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """Gives the mean of log σ."""
    return -dpo(plus, minus, plus_before, minus_before, beta)


def _overflows(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """As the formula is written, with the standard library: exp(10,000) raises."""
    margins = _margins(plus, minus, plus_before, minus_before).tolist()
    return sum(-math.log(1 / (1 + math.exp(-beta * margin))) for margin in margins) / len(margins)


def _infinite(plus: list, minus: list, plus_before: list, minus_before: list, beta: float) -> float:
    """As the formula is written, with NumPy: exp(10,000) is inf."""
    with np.errstate(all="ignore"):
        return float(-np.log(1 / (1 + np.exp(-beta * _margins(plus, minus, plus_before, minus_before)))).mean())


def quantise_row(values: list[float], bits: int) -> tuple[list[int], float]:
    """Codes and scale of one row of weights; a row of zeros has scale 0.0."""
    largest = 2 ** (bits - 1) - 1
    scale = max(abs(value) for value in values) / largest
    if scale == 0:
        return [0] * len(values), 0.0
    return [round(value / scale) for value in values], scale


def _quantiser(
    scale_of: Callable[[list[float], int], float] = lambda values, bits: max(map(abs, values)) / (2 ** (bits - 1) - 1),
    rounded: Callable[[float], int] = round,
) -> Callable[[list[float], int], tuple[list[int], float]]:
    """A symmetric quantiser with another scale or another rounding."""

    def quantise(values: list[float], bits: int) -> tuple[list[int], float]:
        scale = scale_of(values, bits)
        return [rounded(value / scale) if scale else 0 for value in values], scale

    return quantise


_one_code_too_many = _quantiser(lambda values, bits: max(map(abs, values)) / 2 ** (bits - 1))
_unsigned = _quantiser(lambda values, bits: max(map(abs, values)) / (2**bits - 1))
_largest_not_in_size = _quantiser(lambda values, bits: max(values) / (2 ** (bits - 1) - 1))
_truncated = _quantiser(rounded=int)
_downwards = _quantiser(rounded=math.floor)
_half_up = _quantiser(rounded=lambda x: math.floor(x + 0.5))
_half_away = _quantiser(rounded=lambda x: int(math.copysign(math.floor(abs(x) + 0.5), x)))


def _asymmetric(values: list[float], bits: int) -> tuple[list[int], float]:
    """Spreads all codes from the smallest value to the largest, with a code for zero that moves."""
    scale = (max(values) - min(values)) / (2**bits - 1)
    return [round((value - min(values)) / scale) - 2 ** (bits - 1) if scale else 0 for value in values], scale


def _zeros_forgotten(values: list[float], bits: int) -> tuple[list[int], float]:
    """Divides by the scale, whatever it is."""
    scale = max(map(abs, values)) / (2 ** (bits - 1) - 1)
    return [round(value / scale) for value in values], scale


def _scale_one(values: list[float], bits: int) -> tuple[list[int], float]:
    """Gives a row of zeros the scale 1."""
    codes, scale = quantise_row(values, bits)
    return codes, scale or 1.0


def _scale_first(values: list[float], bits: int) -> tuple[float, list[int]]:
    """Returns the two in the other order."""
    return quantise_row(values, bits)[::-1]


def _back_again(values: list[float], bits: int) -> tuple[list[float], float]:
    """Returns what the codes stand for."""
    codes, scale = quantise_row(values, bits)
    return [code * scale for code in codes], scale


EXERCISES = (
    Exercise(
        id="9.1",
        title="A probe and its control",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "It is in the stream nearly as clearly as the first.",
                    "0.95 is nearly 0.97, but the probe can score 0.94 where nothing is there. Compare with the controls.",
                ),
                "b": (
                    "Nothing: the probe could score that by learning types by heart.",
                    "Right. The first has a selectivity of 0.25, the second of 0.01: what it scores, memory alone scores too.",
                ),
                "c": (
                    "It is not in the stream.",
                    "It may be. This probe could score as much without it, so the number speaks neither for nor against it.",
                ),
                "d": (
                    "The model uses it, but less.",
                    "No probe says what is used; for that one has to change the stream and see what becomes of the answer.",
                ),
            },
            right="b",
        ),
        hints=(
            "What would the probe score if the property were not there at all?",
            "Subtract: 0.97 − 0.72 and 0.95 − 0.94.",
        ),
        solution="""
**b.** The selectivity of the first property is 0.97 − 0.72 = 0.25, of the second 0.95 − 0.94 = 0.01. The control task's labels
were drawn at random, so its score is what the probe can learn by heart about token types; 0.95 is no more than that. That does
not show that the property is *absent* (c). With fewer token types in common between training and test, or a weaker probe,
the control would score less, and the question could be asked again. And neither number says what the model *uses* (d).
""",
        answer="b",
        wrong_answers=(
            ("a", "Compare with the controls"),
            ("c", "neither for nor against"),
            ("d", "No probe says what is used"),
            ("e", "Choose one of"),
        ),
    ),
    Exercise(
        id="9.2",
        title="Without head (2, 1)",
        kind="experiment",
        grade=Exactly(
            ["were", "were"],
            wrong=(
                (
                    ["were", "was"],
                    "That is with the head still on (or with (3, 1) off). Give `loss_without` the list `[(2, 1)]`, for both "
                    "sentences.",
                ),
                (
                    ["was", "was"],
                    'So it would be if the head carried "plural". Run it: the word with the *lower* loss is what is written.',
                ),
                (
                    ["was", "were"],
                    "A loss is lower where the word is likelier. And give the word for *keys* first.",
                ),
            ),
            why='The head carries "a singular stands here". Without it no such sign arrives, and the rest says *were* always.',
        ),
        hints=(
            "Four losses: each of the two sentences, `ids` and `other_ids`, with each of the two targets, `were` and `was`.",
            "`loss_without(base, ids, [(2, 1)], were)` and the three others. In each sentence the lower loss wins.",
        ),
        solution="""
Of *were* and *was* the one with the lower loss is written. After *keys* that is *were* (0.3 nats against 4.3), and after *key*
it is *were* as well (0.4 against 3.7; with the head on, 2.7 against 1.1). So `["were", "were"]`: what the head brings is the
sign of a singular subject, and *were* is what is written where no sign comes.
""",
        answer=["were", "were"],
        wrong_answers=(
            (["were", "was"], "the head still on"),
            (["was", "was"], "the *lower* loss"),
            (["was", "were"], "lower where the word is likelier"),
            ("were", "list is asked for"),
            (["were"], "1 elements"),
        ),
    ),
    Exercise(
        id="9.3",
        title="What an induction head says",
        kind="implement",
        grade=Function(
            cases=(
                Case(([3, 5, 7, 3],), 5, say="… 3 5 … 3: after the earlier 3 came 5."),
                Case(([4, 1, 4, 2, 8, 4],), 2, say="4 came twice; after the *latest* of the two came 2."),
                Case(([9, 6, 6],), 6, say="The earlier 6 stands right before the last one, and after it came 6."),
                Case(([1, 2, 3],), None, say="3 never came before: nothing to copy."),
                Case(([5],), None, say="A single token has nothing before it."),
            ),
            mistakes=(
                (_from_the_first, "That is the *first* earlier occurrence. Search from the end."),
                (_before_it, "That is the token *before* the earlier occurrence. The head copies what came after it."),
                (_itself, "That is the token itself: what a *duplicate-token* head looks at. Go one place further."),
                (_place, "That is a place in the text. Give the token that stands there."),
                (_neighbour_missed, "Right, unless the earlier occurrence is the token right before the last."),
                (_finds_the_last, "That finds the last token itself, after which nothing stands. Begin one place before it."),
            ),
            why="Two heads do it: one tells each place the token before, the other looks for a place that was told this token.",
        ),
        hints=(
            "Go backwards through the places before the last one. Where does the same token stand?",
            "`range(len(ids) - 2, -1, -1)` gives them, the latest first.",
            "`if ids[at] == ids[-1]: return ids[at + 1]`, and `None` after the loop.",
        ),
        solution=r"""
The places before the last one, the latest first; at the first that holds the same token, the answer is the token after it.
In the circuit the comparison is made the other way round: the first head has written into each place which token stands
*before* it, and the second looks for a place where that is the present token, and copies what stands there.
""",
        answer=copied,
        wrong_answers=(
            (_from_the_first, "Search from the end"),
            (_before_it, "copies what came after"),
            (_itself, "duplicate-token"),
            (_place, "Give the token"),
            (_neighbour_missed, "right before the last"),
            (_finds_the_last, "one place before it"),
            (lambda ids: 0, "should give"),
        ),
    ),
    Exercise(
        id="9.4",
        title="The expected calibration error",
        kind="by hand",
        grade=Number(
            0.30,
            tolerance=0.0005,
            wrong={
                0.275: "That weights the two bins equally. One holds six answers, the other four.",
                0.18: "That is with signs: too sure in one bin, too modest in the other, and the two cancel. Take sizes.",
                0.055: "That divides by all ten bins. Each bin counts by its share of the *answers*; empty ones by nothing.",
                0.55: "The two gaps, added. Weight each by its bin's share of the answers.",
                0.105: "Those are squares. The ECE takes the gaps themselves.",
                0.24: "That is the first bin's part. The second is off as well, to the other side.",
                0.06: "That is the second bin's part. The first is missing.",
                0.4: "That is the largest gap of a bin (the *maximum* calibration error). The ECE is a weighted mean.",
                0.6: "That is the accuracy, six of ten. What was promised, and where?",
                0.78: "That is the mean confidence. Compare it with what is right, bin by bin.",
                3: "That is with the numbers of answers. Divide by ten of them.",
            },
            why="Overall it promises 0.78 and keeps 0.60, a gap of 0.18 only: within the bins it is further off.",
        ),
        hints=(
            "Two bins hold something. In each: which share is right, and which was promised?",
            "The gaps are |3/6 − 0.9| and |3/4 − 0.6|. Each counts by its bin's share of the ten answers.",
            "0.6 · 0.4 + 0.4 · 0.15.",
        ),
        solution=r"""
In the bin of 0.9: $\mathrm{acc} = 3/6 = 0.5$, a gap of $0.4$ (overconfident). In the bin of 0.6: $\mathrm{acc} = 3/4$, a gap of
$0.15$ (too modest). $\mathrm{ECE} = \frac{6}{10} \cdot 0.4 + \frac{4}{10} \cdot 0.15 = 0.24 + 0.06 = 0.30$. With signs the two
would partly cancel, $0.24 - 0.06 = 0.18$, and so hide what is wrong in each.
""",
        answer=0.3,
        wrong_answers=(
            (0.275, "weights the two bins equally"),
            (0.18, "Take sizes"),
            (0.055, "all ten bins"),
            (0.55, "gaps, added"),
            (0.105, "Those are squares"),
            (0.24, "first bin's part"),
            (0.06, "second bin's part"),
            (0.4, "largest gap"),
            (0.6, "That is the accuracy"),
            (0.78, "mean confidence"),
            (3, "Divide by ten"),
            (0.35, "too large"),
        ),
    ),
    Exercise(
        id="9.5",
        title="What a classifier leaves",
        kind="by hand",
        grade=Number(
            Fraction(4, 175),
            tolerance=0.00006,  # four decimals
            wrong={
                Fraction(2, 100): "Two of the hundred, yes; but fewer than a hundred are left. Divide by what passes.",
                Fraction(2, 92): "You took away the rude ones that are caught, and forgot the polite ones that are rejected.",
                Fraction(2, 90): "You divide by the polite ones. Divide by all that pass, rude ones among them.",
                Fraction(
                    4, 171
                ): "That is the ratio of rude to polite. The share of rude ones in *all* that pass is asked for.",
                Fraction(2, 87): "5 % of the polite ones are 5 % of 90, not of 100.",
                Fraction(8, 100): "Those are the ones that are caught. What is left of the ten?",
                Fraction(2, 10): "So many of the rude ones pass. Which share are they of everything that passes?",
                Fraction(16, 25): "That is the share of rude ones among the *rejected*.",
                Fraction(1, 8): "That is the share of all texts that is rejected.",
                Fraction(1, 10): "That is before rejection.",
                Fraction(171, 175): "That is the share of polite ones.",
                Fraction(16, 7): "In per cent. Give the share itself.",
                2.29: "In per cent. Give the share itself.",
            },
            why="From 10 in 100 to 2.3. Of the 12.5 that are drawn again 4.5 were polite: more than a third.",
        ),
        hints=(
            "Take a hundred texts. How many rude ones pass, and how many polite ones?",
            "2 rude ones pass. Of 90 polite ones 5 % are rejected.",
            "2 / (2 + 85.5).",
        ),
        solution=r"""
Of 100 texts 10 are rude, of which 2 pass; 90 are polite, of which 4.5 are rejected and 85.5 pass. So $2 / (2 + 85.5) = 2 / 87.5
= 4/175 \approx 0.0229$. Drawing again changes no share: what is drawn passes by the same rule. The price is in the two other
numbers: one text in eight is thrown away, and more than a third of those, 4.5 of 12.5, were polite.
""",
        answer="4/175",
        wrong_answers=(
            (0.02, "Divide by what passes"),
            (0.0217, "the polite ones that are rejected"),
            (0.0222, "Divide by all that pass"),
            (0.0234, "ratio of rude to polite"),
            (0.023, "5 % of 90"),
            (0.08, "Those are the ones that are caught"),
            (0.2, "everything that passes"),
            (0.64, "among the *rejected*"),
            (0.125, "all texts that is rejected"),
            (0.1, "before rejection"),
            (0.9771, "polite ones"),
            (2.2857, "In per cent"),
            (2.29, "In per cent"),
            (0.05, "too large"),
        ),
    ),
    Exercise(
        id="9.6",
        title="The loss of DPO",
        kind="implement",
        grade=Function(
            cases=(
                Case(
                    ([-20.0], [-24.0], [-21.0], [-22.0], 0.1),
                    math.log1p(math.exp(-0.3)),
                    say="The margin is (−20 + 21) − (−24 + 22) = 3 nats.",
                ),
                Case(
                    ([-21.0, -5.0], [-22.0, -9.0], [-21.0, -5.0], [-22.0, -9.0], 0.5),
                    math.log(2),
                    say="Before any step each margin is 0, and the loss log 2.",
                ),
                Case(
                    ([-20.0, -7.0], [-24.0, -8.0], [-21.0, -6.0], [-22.0, -8.0], 0.5),
                    (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(0.5))) / 2,
                    say="The margins are 3 and −1. Each pair has its own loss; then the mean.",
                ),
                Case(([-10.0], [-10_010.0], [-10.0], [-10.0], 1.0), 0.0, say="A margin of 10,000: nothing is left to gain."),
                Case(
                    ([-10_010.0], [-10.0], [-10.0], [-10.0], 1.0),
                    10_000.0,
                    say="A margin of −10,000: −log σ(z) is nearly −z there. exp(10,000) is no float; avoid computing it.",
                ),
            ),
            tolerance=1e-6,
            mistakes=(
                (_sign, "The margin has the wrong sign: you reward the rejected answers."),
                (_no_reference, "The model before is missing: it is the *change* that counts, `plus - plus_before`."),
                (
                    _reference_reversed,
                    "`plus_before` and `minus_before` enter with the wrong sign; subtract each from its own.",
                ),
                (_sum, "That is the sum over pairs. The mean is asked for."),
                (_no_beta, "beta is missing: it multiplies the margin."),
                (_beta_outside, "beta multiplies the margin, inside σ, and not the loss."),
                (_mean_inside, "You take the mean of the margins. Each pair has its own loss; take the mean of these."),
                (_minus_forgotten, "The sign: the loss is *minus* log σ, and never below 0."),
                (
                    _overflows,
                    "Right, until `exp` overflows. −log σ(z) = log(1 + e⁻ᶻ): for z < 0 write it as −z + log(1 + eᶻ), or use "
                    "`np.logaddexp(0, -z)`.",
                ),
                (
                    _infinite,
                    "Right, until `exp` becomes inf, and the loss with it. −log σ(z) = log(1 + e⁻ᶻ): for z < 0 write it as "
                    "−z + log(1 + eᶻ), or use `np.logaddexp(0, -z)`.",
                ),
            ),
            why="For a large negative margin the loss is a straight line of slope −β, so no pair pulls harder than β.",
        ),
        hints=(
            "First the margin of each pair: the improvement of the preferred answer minus that of the rejected one.",
            "−log σ(z) = log(1 + e⁻ᶻ). Which of e⁻ᶻ and eᶻ can be computed when z is −10,000?",
            "`np.logaddexp(0, -beta * margins).mean()`: NumPy's log(e⁰ + e⁻ᶻ), without overflow.",
        ),
        solution=r"""
$-\log \sigma(z) = -\log \frac{1}{1 + e^{-z}} = \log(1 + e^{-z})$. For $z < 0$ take $e^{-z}$ out of the bracket:
$-z + \log(1 + e^{z})$, in which no exponential is above 1. `np.logaddexp(0, -z)` does just that (and PyTorch's `logsigmoid`).
""",
        answer=dpo,
        wrong_answers=(
            (_sign, "reward the rejected"),
            (_no_reference, "The model before is missing"),
            (_reference_reversed, "subtract each from its own"),
            (_sum, "sum over pairs"),
            (_no_beta, "beta is missing"),
            (_beta_outside, "inside σ"),
            (_mean_inside, "mean of the margins"),
            (_minus_forgotten, "never below 0"),
            (_overflows, "until `exp` overflows"),
            (_infinite, "the loss with it"),
            (lambda plus, minus, plus_before, minus_before, beta: 0.5, "should give"),
        ),
    ),
    Exercise(
        id="9.7",
        title="A mail that gives orders",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "Making no special token from what the mail says.",
                    "Do that, it is free. But this mail needs none: it lies in ordinary words.",
                ),
                "b": (
                    "Telling the model to obey nothing that stands inside the mail.",
                    "That is one more sentence among sentences. It helps on average, and nothing enforces it.",
                ),
                "c": (
                    "Paying nobody without a check that never reads the mail.",
                    "Right. The model may still be fooled; what follows from that no longer depends on it.",
                ),
                "d": (
                    "A larger model.",
                    "It reads all that it is given, the stranger's orders among it, and follows them as well or better.",
                ),
            },
            right="c",
        ),
        hints=(
            "Which of them still holds when the model believes everything that it reads?",
            "A rule about tokens can be enforced, a rule about meaning cannot. What of a rule about *actions*?",
        ),
        solution="""
**c.** (a) closes the attack by special tokens and leaves the one in ordinary words, as in the section. (b) is itself text, and
the stranger's text comes after it. (d) changes how well the text is followed, not whose it is. What can be enforced is what the
program *does* with the answer: treat it as something that the sender of the mail may have written.
""",
        answer="c",
        wrong_answers=(
            ("a", "ordinary words"),
            ("b", "nothing enforces it"),
            ("d", "as well or better"),
            ("e", "Choose one of"),
        ),
    ),
    Exercise(
        id="9.8",
        title="Other stories in place of copies",
        kind="experiment",
        grade=Several(
            {
                "recited": Between(0, 0.1, above="That is as with the copies in. Is each story in the new text once?"),
                "ece": Between(
                    0.01,
                    0.1,
                    below="Is that the ECE on `to_test`, of all its tokens?",
                    above="`crammed` itself has 0.15. Train a *new* model on `once_each`, for as many steps.",
                ),
            },
            why="Nothing was paid for it: the loss on new stories is *lower*. Other sentences teach more than copies do.",
        ),
        hints=(
            "Shuffle `once_each` and make ids of it, as `crammed_ids` were made of `pile`; then a new `GPT` of the same sizes.",
            "`calibration.expected_calibration_error(*judged(*next_token_table(model, to_test)))` is the ECE.",
            "The loss on `to_test` is minus the mean of `table[np.arange(len(came)), came]`, with `table, came = "
            "next_token_table(model, to_test)`.",
        ),
        solution="""
Of the 20 stories that came 32 times none is recited, the ECE is about 0.04 in place of 0.15, and the loss on new stories about
1.2 nats per token in place of 2.2. The same steps now go through 1,300 different stories in place of 160, so the model has to
learn what they have in common. The training loss is *higher*, and says nothing against it: what is known by heart is
free. It is the *number of readings* that matters: with the copies merely left out, the same 120 steps read each of the 160
stories some eight times; a third of the 20 or more are still recited, and the loss on new ones falls to 1.8 only.
""",
        answer={"recited": 0.0, "ece": 0.04},
        wrong_answers=(
            ({"recited": 1.0, "ece": 0.04}, "as with the copies in"),
            ({"recited": 0.0, "ece": 0.15}, "Train a *new* model"),
            ({"recited": 0.0, "ece": 0.001}, "all its tokens"),
            ("lower", "Give 2 answers"),
        ),
    ),
    Exercise(
        id="9.9",
        title="A cache for a long text",
        kind="by hand",
        grade=Number(
            1024,
            tolerance=0.5,
            wrong={
                512: "Half of it. Keys *and* values are kept, and a 16-bit number takes 2 bytes.",
                256: "A quarter of it: keys *and* values are kept, and a 16-bit number takes 2 bytes.",
                2048: "Twice too much: that is with 4 bytes for each number. 16 bits are 2 bytes.",
                4096: "That is with 32 heads of keys and values. There are 8; the other number is that of the layers.",
                8192: "That is in bits: 16 of them for each number. A byte has 8.",
                32: "That is one layer. There are 32.",
                128: "That is one head of keys and values. There are 8.",
                0.125: "That is one token's. There are 8,192.",
                1: "That is in GiB. Give MiB.",
                1073.741824: "That is with a million bytes. A MiB has 1,048,576.",
                2**30: "Those are the bytes. Divide by 1,048,576.",
            },
            why="Exactly 1 GiB for one text, and eight users at once need 8, whatever the size of the model's weights.",
        ),
        hints=(
            "How many numbers are kept for one token in one layer? A key and a value for each of the 8 heads.",
            "2 · 8 · 128 numbers for a token and a layer; times layers, tokens, and bytes for a number.",
            "2 · 32 · 8 · 128 · 8,192 · 2 bytes, over 1,048,576.",
        ),
        solution=r"""
$2 \cdot L \cdot T \cdot C_{kv}$ numbers with $C_{kv} = 8 \cdot 128 = 1024$. That is $2 \cdot 32 \cdot 8192 \cdot 1024 =
536{,}870{,}912$ numbers of 2 bytes each, $1{,}073{,}741{,}824$ bytes, $1024$ MiB or 1 GiB; for one token it is 128 KiB. With 32
key–value heads it would be four times as much.
""",
        answer=1024,
        wrong_answers=(
            (512, "Half of it"),
            (256, "A quarter of it"),
            (2048, "4 bytes for each number"),
            (4096, "There are 8"),
            (8192, "in bits"),
            (32, "one layer"),
            (128, "one head"),
            (0.125, "one token's"),
            (1, "Give MiB"),
            (1073.74, "a million bytes"),
            (1_073_741_824, "Those are the bytes"),
            (1500, "too large"),
        ),
    ),
    Exercise(
        id="9.10",
        title="A million tokens",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "That it uses the whole context.",
                    "A model that looks at the last 256 tokens alone has such a curve, too.",
                ),
                "b": (
                    "That what is far does no harm on average, as if it were ignored.",
                    "Right. Whether it is *used* takes a test in which an answer stands far away, among what misleads.",
                ),
                "c": (
                    "That it finds a fact wherever the fact stands.",
                    "A fact is one token in thousands, so the mean loss hardly moves when it is missed (9.1).",
                ),
                "d": (
                    "That it was trained on a million tokens at once.",
                    "The curve says nothing about training; `stories` runs far beyond its own at hardly any cost.",
                ),
            },
            right="b",
        ),
        hints=(
            "What curve would a model have that forgets all but the last few hundred tokens?",
            "The loss is a mean, and most tokens can be told from what is near.",
        ),
        solution="""
**b.** `stories` reads four times its training length, its loss rises by about a hundredth of a nat, and nothing far away can
help it, since its stories have nothing to do with each other. A flat loss is what ignoring gives as well. To show use, ask for
something that stands once, far away, beside others that could be mistaken for it, and compare with the same text cut off.
""",
        answer="b",
        wrong_answers=(
            ("a", "last 256 tokens"),
            ("c", "one token in thousands"),
            ("d", "nothing about training"),
            ("e", "Choose one of"),
        ),
    ),
    Exercise(
        id="9.11",
        title="Quantise a row",
        kind="implement",
        grade=Function(
            cases=(
                Case(([0.5, -1.75, 1.2], 4), ([2, -7, 5], 0.25), say="−1.75 is the largest in size, so it becomes −7."),
                Case(([6.0, 2.0, 3.3], 4), ([7, 2, 4], 6 / 7), say="Zero keeps the code 0, also where all are positive."),
                Case(([63.5, -20.3, 0.0], 8), ([127, -41, 0], 0.5), say="With 8 bits the largest code is 127."),
                Case(
                    ([7.0, 2.5, -3.5, 0.5], 4),
                    ([7, 2, -4, 0], 1.0),
                    say="What lies half-way goes to the even neighbour, as with Python's `round`.",
                ),
                Case(([1.0, -0.4, 0.8], 2), ([1, 0, 1], 1.0), say="With 2 bits the codes are −1, 0 and 1."),
                Case(([0.0, 0.0, 0.0], 8), ([0, 0, 0], 0.0), say="Nothing to scale: scale 0.0 and codes 0, no division."),
            ),
            tolerance=1e-6,  # float32 will do
            mistakes=(
                (_one_code_too_many, "The largest code is 2^(bits − 1) − 1: 7 with 4 bits, 127 with 8. An int8 has no 128."),
                (_unsigned, "2^bits − 1 is for codes without a sign; with one it is 2^(bits − 1) − 1."),
                (
                    _largest_not_in_size,
                    "The scale is that of the largest |value|; yours lets large negative ones off the range.",
                ),
                (_truncated, "`int` cuts off towards zero: off by up to a whole scale. `round` is off by half of one at most."),
                (_downwards, "That rounds down always: off by up to a whole scale, and to one side. Use `round`."),
                (_half_up, "Only what lies half-way differs: Python's `round` takes the even neighbour, 2.5 → 2."),
                (_half_away, "Only what lies half-way differs: Python's `round` takes the even neighbour, 2.5 → 2."),
                (_asymmetric, "That spreads the codes from the smallest to the largest value. Symmetric: 0 has the code 0."),
                (_zeros_forgotten, "Right, except for a row of zeros: its scale is 0.0, and nothing can be divided by it."),
                (_scale_one, "For a row of zeros any scale would do; 0.0 is asked for, max |w| over the largest code."),
                (_scale_first, "The codes first, and then the scale."),
                (_back_again, "Those are the weights that the codes stand for. Give the codes themselves."),
            ),
            why="What comes back, code · scale, is off by half a scale at most; a single large weight makes that half large.",
        ),
        hints=(
            "`quantised_by_hand` in the section is nearly it. What does it do with a row of zeros?",
            "The largest |value| over the largest code is the scale; each value over the scale, rounded, is its code.",
            "`if scale == 0: return [0] * len(values), 0.0`.",
        ),
        solution=r"""
The largest code is $2^{b-1} - 1$, so that the codes lie symmetrically around 0; the scale is $\max_i |w_i|$ over it. A row
of zeros has the scale 0, and its codes are 0 without any division (what comes back, $0 \cdot 0$, is right). Such rows
exist: with `zero_init` whole matrices begin as zeros.
""",
        answer=quantise_row,
        wrong_answers=(
            (_one_code_too_many, "An int8 has no 128"),
            (_unsigned, "codes without a sign"),
            (_largest_not_in_size, "largest |value|"),
            (_truncated, "towards zero"),
            (_downwards, "rounds down always"),
            (_half_up, "the even neighbour"),
            (_half_away, "the even neighbour"),
            (_asymmetric, "Symmetric: 0 has the code 0"),
            (_zeros_forgotten, "except for a row of zeros"),
            (_scale_one, "0.0 is asked for"),
            (_scale_first, "The codes first"),
            (_back_again, "codes themselves"),
            (lambda values, bits: (values, 1.0), "should give"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        "9.q1",
        "In a text one token in 200 is determined by what was said before. A model tosses a coin between two words at each of "
        "these, and gives the true probabilities elsewhere. How far above the floor is it?",
        (
            Option(
                "0.69 nats per token: log 2, the price of a coin.",
                "That price is paid at one token in 200, and the loss is a mean over all of them.",
            ),
            Option(
                "0.0035 nats per token: hardly to be seen.",
                "Right: log 2 over 200. So a low loss does not tell whether a model knows; ask at such places by themselves.",
                right=True,
            ),
            Option(
                "0.5 nats per token: half of the answers are wrong.",
                "A share of wrong answers is not in nats, and these places are one in 200.",
            ),
            Option(
                "Not at all: the floor tosses these coins as well.",
                "For the floor, the grammar's own entropy, the right word is certain there: it costs nothing.",
            ),
        ),
    ),
    Quiz(
        "9.q2",
        "At the last position the logit lens finds no trace of the subject's number after two blocks. What does that show?",
        (
            Option(
                "That the number is nowhere in the model before block 2.",
                "It sat at the word after the subject all the time (section 9.5); this is one position.",
            ),
            Option(
                "That blocks 0 and 1 could be left out.",
                "What they write may be what block 2 reads. Leave them out and measure, if you want to know.",
            ),
            Option(
                "That the last norm, which the lens applies, has taken it out.",
                "It rescales, and takes off the mean at most. Other directions are still there after it.",
            ),
            Option(
                "That the output matrix could not read it here, as it stands.",
                "Right. It may be elsewhere, or here in a direction which that matrix does not read; so a probe asked as well.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "9.q3",
        "A probe finds a property with 0.88. With labels drawn at random for each token type it scores 0.86. What was found?",
        (
            Option("Hardly anything: memory alone scores nearly as much.", "Right: the selectivity is 0.02.", right=True),
            Option(
                "The property, clearly: 0.88 is far above one half.",
                "Random labels are far above it too, and there is nothing in them to be found.",
            ),
            Option(
                "That random labels are in the stream as well.",
                "They were drawn after training. What is in the stream is the token type, and the probe learned its label.",
            ),
            Option(
                "That a stronger probe is needed, with a hidden layer.",
                "It would learn still more by heart, and the control task would score still more.",
            ),
        ),
    ),
    Quiz(
        "9.q4",
        "Where the verb is chosen a head puts 0.95 of its weight on the subject. How do you learn whether the verb depends on "
        "that head?",
        (
            Option(
                "By the weight itself: nearly all it fetches is the subject's.",
                "What is fetched need not be used. Head (3, 1) looked at the subject, and nothing depended on it.",
            ),
            Option(
                "By its mean weight on the subject over many sentences.",
                "A mean of maps is a map. Head (3, 1) had the largest mean, too.",
            ),
            Option(
                "By putting its mean there instead and measuring the loss.",
                "Right. A map is a guess about a mechanism, and an ablation is a test of the guess.",
                right=True,
            ),
            Option(
                "By a probe that reads the number off what it fetches.",
                "It will succeed: the subject's number is in there. What can be read need not be used.",
            ),
        ),
    ),
    Quiz(
        "9.q5",
        "You switch one head off, and the loss on your sentences stays as it was. What have you shown?",
        (
            Option(
                "That these sentences can do without this one head.",
                "Right, while the others are there. Switch several off at once, and try other texts.",
                right=True,
            ),
            Option(
                "That the head computes nothing of use.",
                "Perhaps another does the same, or steps in when this one is silent (a backup head; Wang et al., 2023).",
            ),
            Option(
                "That its attention map must have been misread.",
                "The map may well be right: it says where the head looks, not what depends on it.",
            ),
            Option(
                "That zeros are too mild, and its mean should be put there.",
                "Zeros are the cruder of the two. The mean takes away less: only what varies.",
            ),
        ),
    ),
    Quiz(
        "9.q6",
        "Why does temperature 0 not make a model truthful?",
        (
            Option(
                "It divides by zero, so that in the end the choice is left to chance.",
                "It is taken as a limit: always the likeliest token, and no chance at all.",
            ),
            Option(
                "It repeats itself, and what is said twice is more often false.",
                "Loops are another weakness of greedy text; a false village needs no loop.",
            ),
            Option(
                "Training was at temperature 1, so its probabilities are wrong at 0.",
                "They are the same numbers, only otherwise chosen from. Their order does not change.",
            ),
            Option(
                "Where the model does not know, its likeliest word is still a guess.",
                "Right, and it sounds like the rest. The rarer slips go; what the model does not know stays unknown.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "9.q7",
        "Temperature scaling brings a model's ECE from 0.15 down to 0.04. It was right in 0.62 of all cases. In how many is it "
        "right afterwards?",
        (
            Option("In more of them: its confident errors are gone.", "The errors are all there, at a lower confidence."),
            Option(
                "In 0.62 of them: the likeliest token is the same.",
                "Right. Dividing by T changes no order. It is more honest, and no wiser.",
                right=True,
            ),
            Option(
                "In fewer of them: it is less sure of itself now.",
                "Being less sure changes no answer: the likeliest token stays the likeliest.",
            ),
            Option(
                "That is open: T was chosen on other stories.",
                "Whatever T is, and on whatever text, the order of the tokens stays.",
            ),
        ),
    ),
    Quiz(
        "9.q8",
        "A model answers from a page with a confidence of 0.97. In one case of three the retriever brings a wrong page. What "
        "does the 0.97 say?",
        (
            Option(
                "That the answer is right with a probability of 0.97.",
                "It would be, if every page were right. With the wrong page it is as sure, and wrong.",
            ),
            Option(
                "That the page, whoever it is about, leaves little doubt.",
                "Right. Whether the page is about the question has to be checked in another way.",
                right=True,
            ),
            Option(
                "That this was one of the two cases of three with the right page.",
                "With the wrong page the confidence is the same, so it cannot tell the two apart.",
            ),
            Option(
                "That the model would have known it without any page.",
                "Without a page its probability spread over the ten villages: it did not know.",
            ),
        ),
    ),
    Quiz(
        "9.q9",
        "Of 1,000 texts that a system wrote greedily and passed through its filter, none is rude. What do you ask?",
        (
            Option(
                "Nothing: 0 of 1,000 is as good as a rate can be, whatever the filter does.",
                "Greedy text shows the majority only; eight in a hundred vanish in it. And a filter that stops everything has "
                "this rate, too.",
            ),
            Option(
                "Whether 1,000 are enough: with 100,000 greedy texts some rude ones will turn up.",
                "However many: as long as politeness is likelier, greedy decoding writes it each time.",
            ),
            Option(
                "How long the filter's list of words is, since a longer list always catches more.",
                "And it hits more innocents. How many, you still do not know.",
            ),
            Option(
                "How rude it is at the temperature of use, and how many polite texts are stopped.",
                "Right. A rate belongs to a way of drawing, and means little without its false positives.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "9.q10",
        "A model has 0.95 on a published test, and 0.70 on new questions of the same kind. What do you look into first?",
        (
            Option(
                "Whether the test stood in its training text, and how often.",
                "Right. What stood there sixteen times is known by heart. So remove duplicates, and test with what is new.",
                right=True,
            ),
            Option(
                "Whether the temperature was lower for the published test.",
                "It should be the same for both. But it seldom makes such a difference.",
            ),
            Option(
                "Whether the new questions are harder, though of the same kind.",
                "Worth a look. But a quarter of the marks is a lot for questions that were made alike.",
            ),
            Option(
                "Whether it is calibrated, on the new questions above all.",
                "That tells how sure it is of its answers, and not why it has fewer of them right.",
            ),
        ),
    ),
)
