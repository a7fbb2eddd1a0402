"""Exercises and quiz of notebook 07, Can you train one yourself?"""

import math
from collections.abc import Callable

import numpy as np

from helpers.exercises.choices import Choice, MultiChoice, Reasoned
from helpers.exercises.feedback import Feedback
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Exactly, Number, Several


def repaired_loop(ids: list[int], steps: int, rate: float) -> list[float]:
    """Train a table of scores (4, 4), row: the token before; the loss of each step, in nats per token."""
    import torch
    from torch.nn import functional as F

    table, losses = torch.zeros(4, 4, requires_grad=True), []
    for _ in range(steps):
        inputs, targets = torch.tensor(ids[:-1]), torch.tensor(ids[1:])  # the targets are one place further on
        loss = F.cross_entropy(table[inputs], targets)  # of scores: it takes their softmax itself
        loss.backward()
        with torch.no_grad():
            table -= rate * table.grad
        table.grad = None  # or the next step adds to it
        losses.append(loss.item())
    return losses


def _with_bugs(*bugs: str) -> Callable[[list[int], int, float], list[float]]:
    """The loop with some of its bugs left: "targets", "softmax", "gradient"."""

    def loop(ids: list[int], steps: int, rate: float) -> list[float]:
        import torch
        from torch.nn import functional as F

        table, losses = torch.zeros(4, 4, requires_grad=True), []
        for _ in range(steps):
            inputs, targets = torch.tensor(ids[:-1]), torch.tensor(ids[:-1] if "targets" in bugs else ids[1:])
            scores = table[inputs].softmax(dim=-1) if "softmax" in bugs else table[inputs]
            loss = F.cross_entropy(scores, targets)
            loss.backward()
            with torch.no_grad():
                table -= rate * table.grad
            if "gradient" not in bugs:
                table.grad = None
            losses.append(loss.item())
        return losses

    return loop


_BUGS = {
    ("targets", "softmax", "gradient"): "Nothing is repaired yet: the losses are those of the broken loop.",
    ("targets", "softmax"): "One of three is repaired. What is the model asked for, and what does `cross_entropy` take?",
    ("targets", "gradient"): "One of three is repaired. What is the model asked for, and what becomes of the old gradient?",
    ("softmax", "gradient"): "One of three is repaired. What does `cross_entropy` take, and what becomes of the old gradient?",
    ("targets",): "It is still asked for what it was told: the losses go down to 0, below the entropy of any such text.",
    (
        "softmax",
    ): "`cross_entropy` takes scores, and you give it probabilities: with four tokens they never come below 0.74 nats.",
    ("gradient",): "The second loss is right and the third is not: `backward` adds to the gradient that is there.",
}
_WALK = [0, 1, 3, 0, 2, 3, 1, 2, 0, 1, 2, 3, 1, 3, 0, 2]


def _judged_by_its_losses(answer: object) -> Feedback:
    """Grade a loop; torch is loaded before, since each call of it has a time limit."""
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)  # the first optimiser of a process takes seconds to load

    grade = Function(
        cases=(
            Case((_WALK, 1, 1.0), [1.38629], say="Before the first update all scores are equal: the loss is log 4."),
            Case((_WALK, 4, 1.0), [1.386295, 1.322823, 1.26716, 1.2183]),
            Case((_WALK, 3, 4.0), [1.386295, 1.157223, 1.02712]),
        ),
        tolerance=1e-4,
        mistakes=tuple((_with_bugs(*bugs), text) for bugs, text in _BUGS.items()),
        why="Each of the three lets it train, and raises no error; only the numbers tell, and only to somebody who knows "
        "what they must be.",
    )
    return grade(answer)


def cosine_factor(step: int, steps: int, warmup: int, lowest: float) -> float:
    """The share of the highest rate at a step: up linearly, then half a cosine wave from 1 down to lowest."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    share = (step - warmup) / (steps - warmup)  # 0 … 1
    return lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * share))


def _to_zero(step: int, steps: int, warmup: int, lowest: float) -> float:
    """Forgets the lowest rate."""
    return cosine_factor(step, steps, warmup, 0.0)


def _clipped_below(step: int, steps: int, warmup: int, lowest: float) -> float:
    """Goes down to zero, and cuts off below."""
    return max(lowest, _to_zero(step, steps, warmup, lowest)) if step >= warmup else (step + 1) / (warmup + 1)


def _wave_from_the_start(step: int, steps: int, warmup: int, lowest: float) -> float:
    """Counts the cosine from step 0."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * step / steps))


def _straight(step: int, steps: int, warmup: int, lowest: float) -> float:
    """Falls along a straight line."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 1 - (1 - lowest) * (step - warmup) / (steps - warmup)


def _whole_wave(step: int, steps: int, warmup: int, lowest: float) -> float:
    """A whole wave in place of half of one."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return lowest + (1 - lowest) * 0.5 * (1 + math.cos(2 * math.pi * (step - warmup) / (steps - warmup)))


def nucleus(p: dict[str, float], share: float) -> dict[str, float]:
    """The fewest tokens that hold the share, the likeliest first, with probabilities that sum to one."""
    kept, held = [], 0.0
    for token in sorted(p, key=p.get, reverse=True):  # sorting keeps the order of equals
        if held >= share:
            break
        kept.append(token)
        held += p[token]
    return {token: p[token] / held for token in kept}


def _not_renormalised(p: dict[str, float], share: float) -> dict[str, float]:
    """Keeps the model's own probabilities."""
    return {token: p[token] for token in nucleus(p, share)}


def _one_too_few(p: dict[str, float], share: float) -> dict[str, float]:
    """Stops before the token that crosses the share."""
    kept, held = [], 0.0
    for token in sorted(p, key=p.get, reverse=True):
        if kept and held + p[token] > share:
            break
        kept.append(token)
        held += p[token]
    return {token: p[token] / held for token in kept}


def _one_too_many(p: dict[str, float], share: float) -> dict[str, float]:
    """Goes on where the share is held exactly."""
    kept, held = [], 0.0
    for token in sorted(p, key=p.get, reverse=True):
        if held > share:
            break
        kept.append(token)
        held += p[token]
    return {token: p[token] / held for token in kept}


def _by_threshold(p: dict[str, float], share: float) -> dict[str, float]:
    """Min-p: keeps what is likely against the best."""
    kept = {token: q for token, q in p.items() if q >= share * max(p.values())}
    return {token: q / sum(kept.values()) for token, q in kept.items()}


def _unsorted(p: dict[str, float], share: float) -> dict[str, float]:
    """Takes the tokens as they come."""
    kept, held = [], 0.0
    for token, q in p.items():
        if held >= share:
            break
        kept.append(token)
        held += q
    return {token: p[token] / held for token in kept}


def classical_iteration(M: np.ndarray, rounds: int) -> np.ndarray:
    """Nearly U Vᵀ, by X ← 3/2 X − 1/2 X Xᵀ X."""
    X = M / np.linalg.norm(M)
    for _ in range(rounds):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return X


def _cubic(start: Callable, step: Callable) -> Callable[[np.ndarray, int], np.ndarray]:
    """The iteration with another start or another step."""

    def iteration(M: np.ndarray, rounds: int) -> np.ndarray:
        X = start(M)
        for _ in range(rounds):
            X = step(X)
        return X

    return iteration


_unscaled = _cubic(lambda M: M, lambda X: 1.5 * X - 0.5 * X @ X.T @ X)
_plus = _cubic(lambda M: M / np.linalg.norm(M), lambda X: 1.5 * X + 0.5 * X @ X.T @ X)
_elementwise = _cubic(lambda M: M / np.linalg.norm(M), lambda X: 1.5 * X - 0.5 * X * X * X)

_MATRIX = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, -1.0]])

EXERCISES = (
    Exercise(
        id="7.1",
        title="The first loss",
        kind="by hand",
        grade=Several(
            {
                "loss": Number(
                    math.log(50_257) + 0.5,
                    tolerance=0.03,
                    wrong={
                        math.log(50_257): "That is the uniform distribution's. Random scores cost more.",
                        math.log2(50_257) + 0.5: "The logarithm is natural: nats, not bits.",
                        math.log2(50_257): "That is in bits, and without what random scores cost.",
                        math.log(65) + 0.5: "That is for our 65 characters. V is 50,257 here.",
                        math.log(50_257) - 0.5: "Random scores cost: the half is added.",
                    },
                ),
                "by mistake": Exactly(
                    "same",
                    wrong=(
                        ("less", "This output matrix knows nothing of the embedding at first: it cannot even copy."),
                        ("more", "The scores are random; a random answer is as good for this question as for the other."),
                    ),
                ),
                "tied": Exactly(
                    "less",
                    wrong=(
                        (
                            "same",
                            "A token's own embedding is still in the stream at the end, and is then compared with itself.",
                        ),
                        ("more", "A vector's product with itself is large: which token gets the highest score?"),
                    ),
                ),
            },
            why="So with a matrix of its own a right first loss does not prove that the targets are right; that it then falls "
            "to zero within a few hundred steps proves that they are wrong. With a tied one a low first loss is the alarm.",
        ),
        hints=(
            "log V for equal scores, and what scores of variance 1 add to it, as in section 7.2.",
            "The natural logarithm of 50,257 is 10.825. And: an untrained model passes a token's embedding on to its end, more "
            "or less. Which output matrix would find it there?",
        ),
        solution=r"""
$\log 50{,}257 + \tfrac12 = 10.82 + 0.5 = 11.32$ nats. With the inputs as targets the first loss is about the *same*, since an
output matrix of its own is random and has nothing to do with the embedding. Then it falls to nearly zero, because copying is
easy: that is how the mistake shows. Where both are one matrix it is *less* from the start: the stream still holds the token's
embedding, which fits itself best. (The tied model of section 7.3: 3.1 nats in place of 4.5.)
""",
        answer=(11.32, "same", "less"),
        wrong_answers=(
            ((10.82, "same", "less"), "uniform distribution's"),
            ((16.12, "same", "less"), "nats, not bits"),
            ((4.67, "same", "less"), "65 characters"),
            ((10.32, "same", "less"), "the half is added"),
            ((11.32, "less", "less"), "cannot even copy"),
            ((11.32, "more", "less"), "as good for this question"),
            ((11.32, "same", "same"), "compared with itself"),
            ((11.32, "same", "more"), "product with itself"),
            ((11.32, "same"), "3 answers"),
        ),
    ),
    Exercise(
        id="7.2",
        title="A broken loop",
        kind="implement",
        grade=_judged_by_its_losses,
        hints=(
            "Begin with what you know: the first loss must be log 4, and no loss can stay below the entropy, log 2. Read each "
            "line, and ask what its values are: scores or probabilities, inputs or targets, of this step or of all steps?",
            "One bug in the targets, one in what `cross_entropy` is given, one line that is missing after the update.",
        ),
        solution="""
The targets are the inputs *one place further on*, `ids[1:]`. `cross_entropy` takes scores and applies the softmax itself: given
probabilities it applies it twice, and with four tokens never falls below 0.74 nats. And `backward` adds to the gradient that is
there: forget it after each update (`table.grad = None`; `optimizer.zero_grad()` does this for all parameters).
""",
        answer=repaired_loop,
        wrong_answers=(
            *((_with_bugs(*bugs), text) for bugs, text in _BUGS.items()),
            (lambda ids, steps, rate: [0.0] * steps, "should give"),
        ),
    ),
    Exercise(
        id="7.3",
        title="nanoGPT's schedule",
        kind="implement",
        grade=Function(
            cases=(
                Case((0, 100, 9, 0.1), 0.1, say="The first step takes 1 / (warmup + 1)."),
                Case((8, 100, 9, 0.1), 0.9),
                Case((9, 100, 9, 0.1), 1.0, say="At step = warmup the rate is at its highest."),
                Case((100, 100, 9, 0.1), 0.1, say="At step = steps it is at its lowest."),
                Case((30, 50, 10, 0.2), 0.6, say="Half-way down the wave is half-way between 1 and lowest."),
                Case((20, 50, 10, 0.0), 0.5 * (1 + math.cos(math.pi / 4))),
                Case((0, 10, 0, 0.5), 1.0, say="Without a warm-up it begins at the top."),
            ),
            mistakes=(
                (_to_zero, "It goes down to zero; it should end at `lowest`."),
                (_clipped_below, "You cut off below `lowest`; the wave itself should end there."),
                (_wave_from_the_start, "The wave begins at `warmup`, not at step 0."),
                (_straight, "That is a straight line; a cosine wave is asked for."),
                (_whole_wave, "A whole wave comes up again: take half of one, cos from 0 to π."),
            ),
            why="Half of the way down comes in the middle third: the cosine is flat at both ends.",
        ),
        hints=(
            "Which share of the way from warmup to steps has been gone? Call it s, from 0 to 1.",
            "(1 + cos π s) / 2 goes from 1 to 0; stretch it between 1 and lowest.",
        ),
        solution="Linear for `step < warmup`; then lowest + (1 − lowest) · (1 + cos π s) / 2; s: the share of the way down.",
        answer=cosine_factor,
        wrong_answers=(
            (_to_zero, "should end at `lowest`"),
            (_clipped_below, "cut off below"),
            (_wave_from_the_start, "not at step 0"),
            (_straight, "straight line"),
            (_whole_wave, "half of one"),
        ),
    ),
    Exercise(
        id="7.4",
        title="The division that was forgotten",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "The steps are four times as long, so that training probably diverges.",
                        "With plain gradient descent, yes. AdamW's steps do not grow with the gradient.",
                    ),
                    "b": (
                        "The steps are hardly longer; but clipping, if its limit stays, takes hold at a quarter of its length.",
                        "Right.",
                    ),
                    "c": (
                        "Nothing at all changes: every line gives the same numbers.",
                        "One line of the loop looks at the length of the gradient itself.",
                    ),
                },
                right="b",
            ),
            reason=Choice(
                {
                    "x": (
                        "AdamW divides each number's mean gradient by that gradient's own running size, so a common factor "
                        "cancels.",
                        "Yes: m and √v both grow four-fold. Clipping compares with a fixed length.",
                    ),
                    "y": ("zero_grad removes the factor.", "It comes after the step, and removes everything."),
                    "z": (
                        "The learning rate's warm-up makes up for it.",
                        "It knows the number of the step, and nothing of the gradient.",
                    ),
                },
                right="x",
            ),
        ),
        hints=(
            "Write AdamW's step: the rate times m̂ / √v̂. What becomes of it when every gradient is four times as long?",
            "Which line of the loop compares the gradient with a fixed number?",
        ),
        solution="""
**b, x.** m grows four-fold, v sixteen-fold, and m / √v stays. (But for ε, which is tiny.) Clipping at 1 now cuts gradients
whose true length is above ¼. So the mistake stays hidden with AdamW, and shows with plain gradient descent, where
steps become four times as long.
""",
        answer=("b", "x"),
        wrong_answers=(
            (("a", "x"), "do not grow with the gradient"),
            (("c", "x"), "length of the gradient itself"),
            (("b", "y"), "comes after the step"),
            (("b", "z"), "nothing of the gradient"),
            ("b", "two letters"),
        ),
    ),
    Exercise(
        id="7.5",
        title="How many crops",
        kind="experiment",
        grade=Between(
            400,
            1000,
            below="The standard error of a mean is the deviation of *one* crop's mean over √n. Or did you give √n?",
            above="Did you take single characters? The means of whole crops are what is averaged here.",
            why="Against 20 crops that is 20 to 50 times as many, for an error 4 to 7 times as small: the root at work.",
        ),
        hints=(
            "The cell above has the deviation of one crop's mean. The error of the mean of n crops is that over √n.",
            "Solve deviation / √n = 0.01 for n.",
        ),
        solution=r"""
With $d$ the deviation of one crop's mean (about 0.25 nats), $d / \sqrt n = 0.01$ gives $n = (d / 0.01)^2$, some 600 crops. The
whole validation text has 1,742 of them; by the course's rule, whose windows overlap by half, reading all of it costs about six
times as much as the 600. It has no error from *drawing crops*; as a sample of Shakespeare it has one all the same.
""",
        answer=600,
        wrong_answers=(
            (25, "Or did you give √n"),
            (3_600, "single characters"),
            ("many", "Give one number"),
            (160, "smaller than"),
        ),
    ),
    Exercise(
        id="7.6",
        title="The classical iteration",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case((_MATRIX, 0), _MATRIX / np.linalg.norm(_MATRIX), say="Before the first round M is divided by its norm."),
                Case((_MATRIX, 1), classical_iteration(_MATRIX, 1)),
                Case(
                    (np.diag([2.0, 0.5]), 4),
                    classical_iteration(np.diag([2.0, 0.5]), 4),
                    say="A diagonal matrix comes near the unit matrix.",
                ),
            ),
            tolerance=1e-6,
            mistakes=(
                (_unscaled, "Divide by the Frobenius norm first, or a singular value above √3 never comes back."),
                (_plus, "Minus: what is too large must shrink."),
                (_elementwise, "Those are products of numbers; X Xᵀ X is a product of matrices: `@`."),
            ),
            why="It comes to 1 exactly, but slowly where a singular value is small: ×1.5 a round. Muon's constants grow ×3.4.",
        ),
        hints=(
            "A loop of `rounds`, one line in it, products by `@`.",
            "Multiply from the left, `(X @ X.T) @ X`: the product in brackets is small where M has few rows.",
        ),
        solution="""
A small singular value s becomes 1.5 s each round, one near 1 comes closer quadratically. Muon's tuned constants trade exactness
for a faster start.
""",
        answer=classical_iteration,
        wrong_answers=(
            (_unscaled, "Frobenius norm first"),
            (_plus, "must shrink"),
            (_elementwise, "product of matrices"),
        ),
    ),
    Exercise(
        id="7.7",
        title="One bit",
        kind="experiment",
        grade=Number(
            0.4275,
            tolerance=0.006,
            wrong={
                1.75: "That is the entropy at temperature 1.",
                1: "At temperature 1 the entropy is 1.75 bits. Go lower.",
                2.34: "You used p to the power of τ; the power is 1 / τ.",
            },
            why="A temperature well below ½ takes less than half of the entropy away.",
        ),
        hints=(
            "Compute the entropy of `tempered_by_power(p, temperature)` on a grid of temperatures; mind bits and nats.",
            "One bit is log 2 = 0.693 nats. Look below 0.5.",
        ),
        solution=r"""
Raise to the power $1/\tau$, divide by the sum, take $-\sum q \log_2 q$, and search between 0.3 and 0.6: $\tau \approx 0.43$.
""",
        answer=0.43,
        wrong_answers=((1.75, "entropy at temperature 1"), (1, "Go lower"), (2.34, "the power is 1 / τ"), (0.6, "too large")),
    ),
    Exercise(
        id="7.8",
        title="The nucleus",
        kind="implement",
        grade=Function(
            cases=(
                Case(({"a": 0.5, "b": 0.25, "c": 0.25}, 0.6), {"a": 2 / 3, "b": 1 / 3}, say="Of equals, the first one."),
                Case(({"x": 0.125, "y": 0.5, "z": 0.375}, 0.875), {"y": 4 / 7, "z": 3 / 7}, say="0.875 is held by two."),
                Case(({"x": 0.125, "y": 0.5, "z": 0.375}, 0.4), {"y": 1.0}, say="The likeliest one alone holds 0.4."),
                Case(({"a": 0.75, "b": 0.25}, 0.5), {"a": 1.0}, say="The likeliest one alone holds the half."),
                Case(({"a": 0.25, "b": 0.25, "c": 0.5}, 1.0), {"c": 0.5, "a": 0.25, "b": 0.25}),
            ),
            mistakes=(
                (_not_renormalised, "The kept ones must sum to one: divide by what they hold."),
                (_one_too_few, "The token that crosses the share is kept too: what is kept must hold *at least* `share`."),
                (_one_too_many, "Where the share is held exactly, nothing more is needed."),
                (_by_threshold, "That is min-p. Top-p adds up from the likeliest down."),
                (_unsorted, "Begin with the likeliest."),
            ),
            why="One token at least is always kept, whatever the share.",
        ),
        hints=(
            "Sort by probability, the largest first; add up until the share is held.",
            "Check *before* taking a token whether the share is held already. At the end divide by the sum of the kept.",
        ),
        solution="Walk down from the likeliest; stop as soon as those taken hold the share; divide by their sum.",
        answer=nucleus,
        wrong_answers=(
            (_not_renormalised, "divide by what they hold"),
            (_one_too_few, "at least"),
            (_one_too_many, "nothing more is needed"),
            (_by_threshold, "That is min-p"),
            (_unsorted, "Begin with the likeliest"),
        ),
    ),
    Exercise(
        id="7.9",
        title="A large cache",
        kind="by hand",
        grade=Several(
            {
                "8 heads": Number(
                    1.342,
                    tolerance=0.01,
                    wrong={
                        0.671: "Keys *and* values: twice that.",
                        2.684: "2 bytes a number, and 2 for keys and values: you have one factor of 2 too many.",
                        1.25: "That is in GiB (2³⁰ bytes). Give 10⁹ bytes.",
                        0.0168: "That is one layer. There are 80.",
                        10.74: "That is with 64 heads of keys and values. There are 8.",
                    },
                ),
                "64 heads": Number(
                    10.737,
                    tolerance=0.03,
                    wrong={
                        1.342: "Eight times as many heads of keys and values: eight times the memory.",
                        10.0: "That is in GiB (2³⁰ bytes). Give 10⁹ bytes.",
                        5.369: "Keys *and* values: twice that.",
                    },
                ),
            },
            why="Grouped queries divide by eight. Eight such texts at once would have needed 86 GB without them.",
        ),
        hints=(
            "2 (keys, values) · layers · heads · width · tokens · bytes a number.",
            "2 · 80 · 8 · 128 · 4,096 · 2.",
        ),
        solution=r"""
$2 \cdot 80 \cdot 8 \cdot 128 \cdot 4096 \cdot 2 = 1.34 \cdot 10^9$ bytes. With 64 heads eight times that, 10.74 GB.
""",
        answer=(1.34, 10.74),
        wrong_answers=(
            ((0.67, 10.74), "twice that"),
            ((2.68, 10.74), "one factor of 2 too many"),
            ((1.25, 10.74), "GiB"),
            ((0.0168, 10.74), "one layer"),
            ((10.74, 10.74), "There are 8"),
            ((1.34, 1.34), "eight times the memory"),
            ((1.34, 5.37), "twice that"),
        ),
    ),
    Exercise(
        id="7.10",
        title="What a cache does",
        kind="explain",
        grade=MultiChoice(
            {
                "a": (
                    "In exact arithmetic the text is the same with and without it.",
                    "No earlier token can see the new one, so its keys and values stay as they are.",
                ),
                "b": (
                    "Two texts in one batch, one of 10 tokens and one of 100, can share the keys and values of the first 10, "
                    "whatever these are.",
                    "Only where these ten tokens are the same: keys and values depend on all that stands before.",
                ),
                "c": (
                    "What has to be kept is proportional to the number of tokens and of texts.",
                    "Two vectors a layer and head for each token of each text. (Ours takes the room for all places at once.)",
                ),
                "d": (
                    "It speeds up training as well.",
                    "In training all positions are read at once; nothing is read again that a cache could save.",
                ),
                "e": (
                    "Where the older half of the context is forgotten, and the result shall be that of reading the rest alone, "
                    "it has to be filled anew.",
                    "The kept keys and values of deeper layers were computed from tokens that are gone.",
                ),
            },
            right=("a", "c", "e"),
        ),
        hints=(
            "Which work is repeated without a cache, and which is not?",
            "For b and e: from which tokens was the key of token 10 in the *second* layer computed?",
        ),
        solution="""
**a, c, e.** Causal attention makes earlier keys and values final, so keeping them changes nothing. It costs memory, and what
is kept is of these very tokens at these very places. Training reads all positions at once and has no use for it.
""",
        answer="ace",
        wrong_answers=(
            ("abce", "all that stands before"),
            ("acde", "all positions are read at once"),
            ("ac", "1 more does"),
            ("e", "2 more do"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        "7.q1",
        "You leave out `optimizer.zero_grad()`. What happens?",
        (
            Option("An error at the second step.", "`backward` adds to the gradient that is there, without a word."),
            Option("Nothing: the optimiser clears gradients itself.", "It does not; it cannot know whether you accumulate."),
            Option(
                "It trains on, badly: each step follows a sum of gradients, old ones among them.",
                "Right, and no error tells you. In section 7.3 clipping let the old ones fade; without it they never do.",
                right=True,
            ),
            Option(
                "It trains better, as a larger batch would.",
                "The old gradients are of other weights, and point where one had to go then.",
            ),
        ),
    ),
    Quiz(
        "7.q2",
        "Two models differ by 0.02 nats on 20 random crops each, drawn anew for each model. What do you know?",
        (
            Option(
                "Hardly anything: the difference of two such estimates varies by more than that.",
                "Right. Take the same crops for both, or the whole text.",
                right=True,
            ),
            Option("The better one is better by 0.02 nats.", "The estimate is off by some hundredths each time."),
            Option("One must look at the training loss.", "It flatters, and more so the model that has stored more."),
        ),
    ),
    Quiz(
        "7.q3",
        "The loss of your new run on characters starts at 9 nats, with 65 characters. What is the likeliest cause?",
        (
            Option("The learning rate is too high.", "No step was taken yet."),
            Option("Bad luck with the seed.", "Over a batch of thousands of characters the seed hardly shows."),
            Option("The text is hard.", "An untrained model finds every text equally hard."),
            Option(
                "The scores are too large at the start: sure of itself, and wrong.",
                "Right: log 65 + ½ is 4.67, with scores four times as large some 10. Look at how the last matrix is drawn.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "7.q4",
        "Why does a checkpoint hold more numbers for the optimiser than for the model?",
        (
            Option("It keeps the gradients of the last steps.", "Gradients are computed anew in each step."),
            Option(
                "AdamW keeps two running means for every number of the model, Muon one.",
                "Right. Without them a resumed run begins to learn its steps anew.",
                right=True,
            ),
            Option("It keeps earlier weights, to go back.", "That would be another checkpoint."),
        ),
    ),
    Quiz(
        "7.q5",
        "Greedy decoding writes `the the the the`. What is the cause?",
        (
            Option("The model is overfitted.", "Models that are not loop too."),
            Option(
                "Each `the` is more surprising than the last.",
                "What comes round again is no more surprising than before; greedy text is even too easy (section 7.9).",
            ),
            Option("Greedy text is the most probable text there is.", "Not even that: the best next token is no best text."),
            Option(
                "The recent text came back, so what followed it comes back; the second best is never taken.",
                "Right. Sampling leaves the loop sooner or later.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "7.q6",
        "A demo shows the five likeliest next tokens, with bars that sum to 100 %. What do the bars show?",
        (
            Option("The model's probabilities.", "Those sum to one over the *whole* vocabulary."),
            Option(
                "What a sampler with top-k = 5 would draw from, after division by the sum of the five.",
                "Right. The model's own numbers are smaller.",
                right=True,
            ),
            Option("The scores (logits).", "Scores can be negative, and sum to nothing in particular."),
        ),
    ),
    Quiz(
        "7.q7",
        "A scaling law fits nine small runs within 1 %. What does it say of a model a thousand times as large?",
        (
            Option("Its loss within 1 %.", "Laws with quite different floors E fit the small runs equally well."),
            Option("Nothing at all: loss is unpredictable.", "Nearby it predicted a run that had not been made."),
            Option(
                "A guess whose error you can see by fitting with other floors; it needs runs nearer by.",
                "Right. And the same recipe and fresh text are assumed.",
                right=True,
            ),
            Option("That it will be useful.", "Loss is no measure of use: notebooks 08 and 09."),
        ),
    ),
)
