"""Exercises and quiz of notebook 05, How does a token look back?"""

import math
from collections.abc import Iterable, Sequence

from helpers.exercises.choices import Choice, MultiChoice, Reasoned
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Number, Several

Rows = Sequence[Sequence[float]]


def causal_weights(scores: Rows) -> list[list[float]]:
    """Attention weights of a causal layer: scores (T, T), already scaled → (T, T), each row sums to one."""
    weights = []
    for t, row in enumerate(scores):
        largest = max(row[: t + 1])
        powers = [math.exp(score - largest) for score in row[: t + 1]]
        weights.append([power / sum(powers) for power in powers] + [0.0] * (len(row) - t - 1))
    return weights


def _softmax(row: Sequence[float]) -> list[float]:
    powers = [math.exp(score - max(row)) for score in row]
    return [power / sum(powers) for power in powers]


def _cut_after(scores: Rows) -> list[list[float]]:
    """Softmax over everything, and the future struck out afterwards."""
    return [[w if s <= t else 0.0 for s, w in enumerate(_softmax(row))] for t, row in enumerate(scores)]


def _no_mask(scores: Rows) -> list[list[float]]:
    """Looks everywhere."""
    return [_softmax(row) for row in scores]


def _zero_scores(scores: Rows) -> list[list[float]]:
    """Sets the masked scores to zero, and exp(0) is one."""
    return [_softmax([score if s <= t else 0.0 for s, score in enumerate(row)]) for t, row in enumerate(scores)]


def _one_too_far(scores: Rows) -> list[list[float]]:
    """Lets each token see the next one."""
    return [
        [*_softmax(row[: min(t + 2, len(row))]), *[0.0] * (len(row) - min(t + 2, len(row)))] for t, row in enumerate(scores)
    ]


def _not_itself(scores: Rows) -> list[list[float]]:
    """Off by one the other way: a token does not see itself."""
    return [[*_softmax(row[:t]), *[0.0] * (len(row) - t)] if t else [0.0] * len(row) for t, row in enumerate(scores)]


def _mirror_image(scores: Rows) -> list[list[float]]:
    """The triangle on the wrong side: each token sees itself and what comes after."""
    return [[*[0.0] * t, *_softmax(row[t:])] for t, row in enumerate(scores)]


def _by_columns(scores: Rows) -> list[list[float]]:
    """Lets the columns sum to one."""
    columns = [[*[0.0] * s, *_softmax([row[s] for row in scores[s:]])] for s in range(len(scores))]
    return [list(row) for row in zip(*columns, strict=True)]


def _largest_of_all(scores: Rows) -> list[list[float]]:
    """Takes the largest score of the whole row away, the future's too."""
    weights = []
    for t, row in enumerate(scores):
        powers = [math.exp(score - max(row)) for score in row[: t + 1]]
        weights.append([power / sum(powers) for power in powers] + [0.0] * (len(row) - t - 1))
    return weights


def rotary_score(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """q, at position m, times k, at position n, after both were turned by position × theta: two pairs of numbers → a score."""
    turned = [
        (x * math.cos(p * theta) - y * math.sin(p * theta), x * math.sin(p * theta) + y * math.cos(p * theta))
        for (x, y), p in ((q, m), (k, n))
    ]
    return turned[0][0] * turned[1][0] + turned[0][1] * turned[1][1]


def _only_query(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """Turns the query and leaves the key as it is."""
    return rotary_score(q, k, m, 0, theta)


def _mirrored(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """Turns the two in opposite directions."""
    return rotary_score(q, k, m, -n, theta)


def _clockwise(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """Turns both clockwise."""
    return rotary_score(q, k, m, n, -theta)


def _in_degrees(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """Takes the angle for degrees."""
    return rotary_score(q, k, m, n, math.radians(theta))


def _added(q: Sequence[float], k: Sequence[float], m: int, n: int, theta: float) -> float:
    """Adds the positions' waves, as sinusoidal positions do, in place of turning."""
    a, b = ((x + math.sin(p * theta), y + math.cos(p * theta)) for (x, y), p in ((q, m), (k, n)))
    return a[0] * b[0] + a[1] * b[1]


class Once:
    """Pairs of score and value that can be gone through once, as numbers that come from a large memory block by block."""

    def __init__(self, *pairs: tuple[float, float]):
        self.pairs = list(pairs)
        self.rest = iter(self.pairs)

    def __iter__(self) -> "Once":
        return self

    def __next__(self) -> tuple[float, float]:
        return next(self.rest)

    def __repr__(self) -> str:
        return f"iter({self.pairs})"


def attend_in_one_pass(pairs: Iterable[tuple[float, float]]) -> float:
    """Σ softmax(scores)·values, for pairs (score, value) that come one at a time; nothing is kept but three numbers."""
    largest, total, fetched = -math.inf, 0.0, 0.0
    for score, value in pairs:
        new = max(largest, score)
        shrink = math.exp(largest - new)
        total = total * shrink + math.exp(score - new)
        fetched = fetched * shrink + math.exp(score - new) * value
        largest = new
    return fetched / total


def _overflows(pairs: Iterable[tuple[float, float]]) -> float:
    """Adds up exp(score) as it is."""
    total, fetched = 0.0, 0.0
    for score, value in pairs:
        total += math.exp(score)
        fetched += math.exp(score) * value
    return fetched / total


def _two_passes(pairs: Iterable[tuple[float, float]]) -> float:
    """First the largest, then the sums: nothing is left for the second pass."""
    largest = max(score for score, _ in pairs)
    total, fetched = 0.0, 0.0
    for score, value in pairs:
        total += math.exp(score - largest)
        fetched += math.exp(score - largest) * value
    return fetched / total


def _first_score(pairs: Iterable[tuple[float, float]]) -> float:
    """Takes the first score away from all, whatever comes later."""
    first, total, fetched = None, 0.0, 0.0
    for score, value in pairs:
        first = score if first is None else first
        total += math.exp(score - first)
        fetched += math.exp(score - first) * value
    return fetched / total


def _from_zero(pairs: Iterable[tuple[float, float]]) -> float:
    """A running maximum that begins at 0, so that scores far below it vanish."""
    largest, total, fetched = 0.0, 0.0, 0.0
    for score, value in pairs:
        new = max(largest, score)
        shrink = math.exp(largest - new)
        total = total * shrink + math.exp(score - new)
        fetched = fetched * shrink + math.exp(score - new) * value
        largest = new
    return fetched / total


def _no_shrinking(pairs: Iterable[tuple[float, float]]) -> float:
    """Takes the running maximum away, and leaves the earlier sums on the old scale."""
    largest, total, fetched = -math.inf, 0.0, 0.0
    for score, value in pairs:
        largest = max(largest, score)
        total += math.exp(score - largest)
        fetched += math.exp(score - largest) * value
    return fetched / total


def _half_shrinking(pairs: Iterable[tuple[float, float]]) -> float:
    """Rescales the sum of the weights only."""
    largest, total, fetched = -math.inf, 0.0, 0.0
    for score, value in pairs:
        new = max(largest, score)
        total = total * math.exp(largest - new) + math.exp(score - new)
        fetched += math.exp(score - new) * value
        largest = new
    return fetched / total


EXERCISES = (
    Exercise(
        id="5.1",
        title="Attention with a pencil",
        kind="by hand",
        grade=Number(
            5,
            tolerance=0.01,
            wrong={
                5.464: "You divided by D = 4. The division is by its root, 2.",
                4.4: "You took the scores as they are: weights 1/10 and 9/10. Divide them by √D = 2 first.",
                7: "The right weights, given to the wrong values: the second key has the larger score.",
                6: "That is the plain mean. The second key's score is higher, so its value counts for more.",
                4: "That is the value of the best key alone. Softmax leaves the other its share.",
            },
            why="Scores 0 and log 3, weights 1/4 and 3/4, and 8/4 + 3·4/4 = 5.",
        ),
        hints=(
            "Divide both products by √D. Softmax of the two is exp of each over the sum of both; exp(log 3) is 3.",
            "The scores are 0 and log 3, so the weights are as 1 to 3.",
        ),
        solution="""
Divided by √4 = 2, the products 0 and 2 log 3 become the scores 0 and log 3. exp of them is 1 and 3, so the weights are 1/4 and
3/4. What is fetched is 1/4 · 8 + 3/4 · 4 = 5.
""",
        answer=5,
        wrong_answers=(
            (5.464, "its root"),
            (4.4, "√D = 2"),
            (7, "wrong values"),
            (6, "plain mean"),
            (4, "best key alone"),
            (12, "too large"),
        ),
    ),
    Exercise(
        id="5.2",
        title="How wide do scores spread?",
        kind="by hand",
        grade=Several(
            {
                "before": Number(
                    16,
                    wrong={
                        256: "That is the variance; the standard deviation is its root.",
                        32: "Add up 64 *variances*, each 2² · 1², and take the root at the end.",
                        320**0.5: "You added the variances, 4 + 1. That is for a sum; the variance of a *product* is 4 · 1.",
                        8: "That would be right for q of spread 1: each product q·k has variance 2² · 1² = 4.",
                    },
                ),
                "after": Number(
                    2,
                    wrong={
                        1: "Dividing by √D makes the spread 1 only where both q and k have spread 1.",
                        0.25: "Divide by √D = 8, not by D.",
                        5**0.5: "You added the variances, 4 + 1. That is for a sum; the variance of a *product* is 4 · 1.",
                        4: "Is that the variance? A standard deviation is asked for.",
                    },
                ),
            },
            why="√(64 · 4 · 1) = 16, and 16/8 = 2: the division by √D helps as far as q and k keep to spread 1.",
        ),
        hints=(
            "The variance of a product of two independent numbers with mean 0 is the product of their variances.",
            "The variance of the sum is D times that of one term: 64 · 4. The standard deviation is its root.",
        ),
        solution="""
One term has variance 4 · 1 = 4, and 64 of them add up to 256: standard deviation 16. Divided by √64 = 8 it is 2. So the scale
factor sets the spread at the *start*, for a start at which q and k have spread 1. What training does to them it cannot prevent.
""",
        answer=(16, 2),
        wrong_answers=(
            ((256, 2), "variance"),
            ((32, 2), "*variances*"),
            ((17.89, 2.236), "for a sum"),
            ((8, 1), "0 of 2"),
            ((16, 1), "only where"),
            ((16, 0.25), "not by D"),
            ((16, 4), "standard deviation"),
            (16, "2 answers"),
        ),
    ),
    Exercise(
        id="5.3",
        title="Causal weights",
        kind="implement",
        grade=Function(
            cases=(
                Case(([[0.0, 9.0], [0.0, math.log(3)]],), [[1.0, 0.0], [0.25, 0.75]]),
                Case(([[5.0]],), [[1.0]]),
                Case(
                    ([[1.0, 2.0, 3.0], [0.0, 0.0, 7.0], [0.0, math.log(2), 0.0]],),
                    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.5, 0.25]],
                ),
                Case(
                    ([[1000.0, 0.0], [1000.0, 1000.0]],),
                    [[1.0, 0.0], [0.5, 0.5]],
                    say="Subtract the row's largest score first.",
                ),
                Case(
                    ([[0.0, 1000.0], [1000.0, 1000.0]],),
                    [[1.0, 0.0], [0.5, 0.5]],
                    say="The largest of the scores that the token *may see*: the future's must not count here either.",
                ),
            ),
            tolerance=1e-6,
            mistakes=(
                (_cut_after, "The rows no longer sum to one: strike the future out *before* the softmax, not after it."),
                (_no_mask, "Your tokens look ahead: the first row must be 1, 0, 0, …"),
                (_zero_scores, "A score of 0 is not «nowhere»: exp(0) = 1. It takes a score of −∞, or a shorter row."),
                (_one_too_far, "Off by one: token t sees the tokens 0 … t, and yours sees the next one too."),
                (_not_itself, "Off by one: token t sees the tokens 0 … t, itself included; yours stops before itself."),
                (_mirror_image, "The other triangle: your tokens see themselves and what comes *after* them."),
                (_by_columns, "Your columns sum to one. A row belongs to a token that looks, so the *rows* must."),
                (
                    _largest_of_all,
                    "You subtract the largest score of the whole row. Where that one is in the future and very large, all "
                    "powers become 0, and 0/0 follows: take the largest of those that may be seen.",
                ),
            ),
            why="Each row is a softmax over the tokens up to its own; what is masked has weight exactly zero.",
        ),
        hints=(
            "Row t: take only `row[: t + 1]`, apply softmax to it, and fill up with zeros.",
            "For large scores subtract the largest of `row[: t + 1]` before `math.exp`.",
        ),
        solution="A softmax over the part of the row that may be seen is the same as a softmax with −∞ in the rest.",
        answer=causal_weights,
        wrong_answers=(
            (_cut_after, "before"),
            (_no_mask, "look ahead"),
            (_zero_scores, "exp(0) = 1"),
            (_one_too_far, "the next one too"),
            (_not_itself, "itself included"),
            (_mirror_image, "other triangle"),
            (_by_columns, "columns sum to one"),
            (_largest_of_all, "0/0 follows"),
            (3, "function itself"),
        ),
    ),
    Exercise(
        id="5.4",
        title="Too good to be true",
        kind="explain",
        grade=Reasoned(
            Choice(
                {
                    "a": (
                        "Ship it: it has learned the text well.",
                        "Half a bit a character, on text that it has not seen? Be suspicious of that.",
                    ),
                    "b": ("Look for a leak of future tokens into the inputs or the mask.", "Yes."),
                    "c": (
                        "Lower the learning rate: it overfits.",
                        "Overfitting makes the *validation* loss worse, not better.",
                    ),
                },
                right="b",
            ),
            Choice(
                {
                    "x": (
                        "A small model cannot overfit.",
                        "It can; but then training and validation loss part company, and here both are low.",
                    ),
                    "y": (
                        "No small model that has not seen the text comes near such a loss, so the answer must be in the input.",
                        "And the samples give it away: when it generates, the next token is not there to be copied.",
                    ),
                    "z": (
                        "The samples are bad because the temperature is too high.",
                        "Temperature changes how likely tokens are drawn, not what the loss was.",
                    ),
                },
                right="y",
            ),
        ),
        hints=("Which text does a model see in validation that it does not see when it generates?",),
        solution="""
b, y. In training and in validation the whole text is there, and a mask that is off by one lets each position read the very
token that it should predict. When the model generates, that token does not exist yet. Test it without
any loss: change a token, and assert that no earlier output changes.
""",
        answer=("b", "y"),
        wrong_answers=(
            (("a", "y"), "suspicious"),
            (("c", "x"), "validation"),
            (("b", "z"), "reason is another"),
            ("b", "two letters"),
        ),
    ),
    Exercise(
        id="5.5",
        title="A score that knows the distance",
        kind="implement",
        grade=Function(
            cases=(
                Case(((1.0, 0.0), (1.0, 0.0), 0, 0, 0.5), 1.0),
                Case(((1.0, 0.0), (1.0, 0.0), 7, 3, math.pi / 8), math.cos(math.pi / 2)),
                Case(((1.0, 2.0), (0.5, -1.0), 5, 2, 0.3), -1.5 * math.cos(0.9) - 2.0 * math.sin(0.9)),
                Case(((1.0, 2.0), (0.5, -1.0), 105, 102, 0.3), -1.5 * math.cos(0.9) - 2.0 * math.sin(0.9)),
                Case(((1.0, 2.0), (0.5, -1.0), 2, 5, 0.3), -1.5 * math.cos(0.9) + 2.0 * math.sin(0.9)),
            ),
            tolerance=1e-8,
            mistakes=(
                (_only_query, "You turned q only. Then the score depends on m alone; turn k by n·θ as well."),
                (_mirrored, "q and k must turn the *same* way; yours gives a score that depends on m + n."),
                (_clockwise, "You turned clockwise. With x cos a − y sin a in the first place, an angle turns anticlockwise."),
                (_in_degrees, "The angles are in radians, which is what math.cos and math.sin take; convert nothing."),
                (_added, "You added positions. Here nothing is added: the pair is turned."),
            ),
            why="The two turns meet in the product as one turn by (n − m)·θ.",
        ),
        hints=(
            "To turn (x, y) by an angle a: (x cos a − y sin a, x sin a + y cos a). The angles are m·θ and n·θ.",
            "Turn q, turn k, multiply coordinate by coordinate and add up.",
        ),
        solution="Turn both, then take the product. By hand: q·k cos((n − m)θ) and a term with the sine, nothing else.",
        answer=rotary_score,
        wrong_answers=(
            (_only_query, "q only"),
            (_mirrored, "*same* way"),
            (_clockwise, "clockwise"),
            (_in_degrees, "radians"),
            (_added, "nothing is added"),
            (lambda q, k, m, n, theta: q[0] * k[0] + q[1] * k[1], "it should give"),
        ),
    ),
    Exercise(
        id="5.6",
        title="What a cache saves",
        kind="explain",
        grade=MultiChoice(
            {
                "a": (
                    "With a cache the outputs are the same as without.",
                    "Earlier keys and values do not depend on later tokens.",
                ),
                "b": (
                    "With a cache the cost of the t-th new token no longer grows with t.",
                    "It still looks at t keys: t products of D numbers.",
                ),
                "c": (
                    "A cache of a text's own earlier tokens needs causal attention.",
                    "If a new token could change earlier outputs, a second layer's keys would be stale. (The keys of another "
                    "text, as in cross-attention, can be kept without a mask: that text does not grow.)",
                ),
                "d": (
                    "With a cache, generating T tokens costs work proportional to T² in the attention.",
                    "1 + 2 + … + T keys looked at: T²/2. Without it, each new token would pay for the whole square: T³/3.",
                ),
                "e": ("Queries must be cached too.", "A query is used once, by its own token, and never again."),
            },
            right="acd",
        ),
        hints=(
            "Which of q, k and v of an *earlier* token does a new token use?",
            "Add up how many keys are looked at, over all new tokens.",
        ),
        solution="""
a, c and d. The cache removes repeated work, T³ becomes T², and the memory for keys and values grows with T. It does not make
attention linear.
""",
        answer="acd",
        wrong_answers=(("abc", "**b** does not hold"), ("ace", "**e** does not hold"), ("a", "2 more"), ("z", "Choose some")),
    ),
    Exercise(
        id="5.7",
        title="Somebody who is not there",
        kind="experiment",
        grade=Between(
            0.6,
            1.0,
            below="Count an answer where it is *either* of the two things, `rights` or `wrongs`, and divide by the stories "
            "that you kept. Is the name in the vocabulary, and does it stand three tokens before the last `the`?",
            above="A share is asked for, from 0 to 1.",
            why="Mostly it names a thing that somebody holds, and never says that there is no such person. The weights "
            "sum to one whatever the query is: attention has no «not found».",
        ),
        hints=(
            "`answers_after(change)` gives the answers after a change of the ids; write a `change` like `at_source`, but for "
            "the positions `test_ends - 4`.",
            "`absent = ~(test_ids == index[name]).any(dim=1)`, and an answer counts where it equals `rights` or `wrongs`.",
        ),
        solution="""
```python
def ask_for_adam(ids):
    ids[each, test_ends - 4] = index["Adam"]
    return ids

absent = ~(test_ids == index["Adam"]).any(dim=1)
answers = answers_after(ask_for_adam)[absent]
((answers == rights[absent]) | (answers == wrongs[absent])).float().mean()
```

0.99 in our run, and about half of them what the other person holds. (With other seeds of the model it was from 0.75 on.) No key
matches the query well, but softmax knows only which key matches *better*: its weights sum to one, so something is always
fetched. A model that should say "nobody" must have something to look at for that, and examples of it.
""",
        answer=0.995,
        wrong_answers=((0.48, "either"), (99, "from 0 to 1"), ("half", "one number")),
    ),
    Exercise(
        id="5.8",
        title="Attention without the row of weights",
        kind="implement",
        grade=Function(
            cases=(
                Case((Once((0.0, 8.0), (math.log(3), 4.0)),), 5.0),
                Case((Once((2.0, 7.0)),), 7.0),
                Case((Once((3.0, 1.0), (1.0, 0.0), (2.0, 0.0)),), 1 / (1 + math.exp(-2) + math.exp(-1))),
                Case((Once((1.0, 1.0), (2.0, 0.0), (3.0, 0.0)),), math.exp(-2) / (1 + math.exp(-2) + math.exp(-1))),
                Case(
                    (Once((1000.0, 1.0), (1000.0, 3.0)),),
                    2.0,
                    say="exp(1000) is too large for a float; keep a running maximum.",
                ),
                Case(
                    (Once((-1000.0, 1.0), (-1000.0, 3.0)),),
                    2.0,
                    say="exp(−1000) is 0 in floats; what is the largest score before you have seen any?",
                ),
                Case((Once((0.0, 1.0), (1000.0, 3.0)),), 3.0, say="The largest score came last, and exp(1000) is too large."),
            ),
            tolerance=1e-8,
            mistakes=(
                (_overflows, "exp(1000) is too large for a float: keep the largest score so far, and take it away first."),
                (_two_passes, "You went over the pairs twice, and they come once: keep the largest score *so far*."),
                (_first_score, "You take the first score away from all. If a later one is larger by 1,000, exp overflows."),
                (_from_zero, "Your running maximum begins at 0, and no score is that large if all are −1,000: begin at −∞."),
                (
                    _no_shrinking,
                    "When a new maximum comes, the sums so far are on the old scale: multiply them by exp(old − new).",
                ),
                (_half_shrinking, "You rescaled the sum of the weights; the weighted sum of the values needs it too."),
            ),
            why="Three numbers are enough, whatever the length, and the row of weights is never written to memory. (If you "
            "made a list of the pairs after all, the answer is right and nothing is saved.)",
        ),
        hints=(
            "Keep the largest score so far, the sum of exp(score − largest), and the same sum with each term times its value.",
            "When the largest grows from `old` to `new`, both sums must be multiplied by exp(old − new).",
        ),
        solution="""
The softmax does not care which constant is taken from all scores, so take the largest *so far*, and rescale what was added up
whenever it changes (Milakov and Gimelshein, 2018). FlashAttention (Dao and colleagues, 2022) does this block by block.
""",
        answer=attend_in_one_pass,
        wrong_answers=(
            (_overflows, "take it away first"),
            (_two_passes, "come once"),
            (_first_score, "first score away"),
            (_from_zero, "begin at −∞"),
            (_no_shrinking, "old scale"),
            (_half_shrinking, "needs it too"),
        ),
        starred=True,
    ),
)

QUIZZES = (
    Quiz(
        "5.q1",
        "Why are the products q·k divided by √D?",
        (
            Option(
                "So that training is faster, since smaller numbers are multiplied more quickly.",
                "Numbers of any size take the same time; and the root is one more multiplication a score, if any.",
            ),
            Option(
                "So that the weights of each row sum to one, whatever the width of a head is.",
                "Softmax does that for any scores.",
            ),
            Option(
                "So that their spread at the start of training does not grow with D.",
                "Their variance is D for entries of variance 1; a saturated softmax passes on next to no gradient.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "5.q2",
        "A GPT is trained on «to be or not». What does its first layer read at position 2?",
        (
            Option("`or` as it is.", "The inputs are intact; the mask forbids *looking* at `not`.", right=True),
            Option("[MASK], since position 2 is to be predicted.", "That is BERT. A GPT predicts what comes after position 2."),
            Option(
                "Nothing: future tokens are removed from the input.", "They are all there; only the scores towards them are −∞."
            ),
        ),
    ),
    Quiz(
        "5.q3",
        "One causal layer of attention without positions. You swap two tokens before position t. Its output at t …",
        (
            Option("changes, since a causal model knows the order.", "What the two give is added up, in any order."),
            Option(
                "stays as it is.",
                "A sum does not care about order. With a second layer it would change, for the outputs between them change.",
                right=True,
            ),
            Option("is undefined without positions.", "Nothing in the formula needs a position."),
        ),
    ),
    Quiz(
        "5.q4",
        "What does scaled_dot_product_attention save at length T, told is_causal=True, compared with writing the weights out?",
        (
            Option("Work: it needs T rather than T² products.", "Every query still meets every key: the work grows as T²."),
            Option("Small weights: it leaves out the keys that hardly count.", "It is exact, up to rounding."),
            Option("Work and memory: both grow as T.", "The products are all computed; what is left out is keeping them."),
            Option(
                "Memory: the T × T weights are never kept.",
                "It keeps what grows as T: q, k, v, the output, and a number a row.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "5.q5",
        "At the answer the trained head puts 0.4 on `ball` and 0.4 on the comma after it. What follows?",
        (
            Option(
                "The comma is as important to the answer as the noun is.",
                "Change it and the answer stays. Its *position* carries the noun.",
            ),
            Option(
                "It fetched from both positions, in equal parts.",
                "That, and no more. The comma's position knows `ball` too, and *what* was taken the weights do not say.",
                right=True,
            ),
            Option(
                "The head is undecided between two answers.",
                "Both positions know the same noun. It answers nearly every story, including names in new roles.",
            ),
        ),
    ),
    Quiz(
        "5.q6",
        "Rotary positions: you move a whole sentence 50 places to the right. The first layer's scores between its tokens …",
        (
            Option("all fall, for they are further from the start.", "Absolute positions do not appear in a score."),
            Option("change at random.", "They are computed from the distance alone, and that is the same."),
            Option(
                "stay the same.", "Both turns grow by the same angle, and the product only sees their difference.", right=True
            ),
        ),
    ),
)
