"""Exercises and quiz of notebook 03, Can a network share what it learns between words?"""

import math
from collections.abc import Sequence
from fractions import Fraction

from helpers.exercises.choices import Choice, Reasoned
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Number, Several


def log_softmax(scores: Sequence[float]) -> list[float]:
    """Scores (V,) → log probabilities (V,): each score minus log-sum-exp, the largest score taken out first."""
    top = max(scores)
    lse = top + math.log(sum(math.exp(score - top) for score in scores))
    return [score - lse for score in scores]


def _overflowing(scores: Sequence[float]) -> list[float]:
    """The formula as it stands: exp(1000) is too large."""
    total = sum(math.exp(score) for score in scores)
    return [score - math.log(total) for score in scores]


def _log_of_softmax(scores: Sequence[float]) -> list[float]:
    """Safe from overflow, but takes the logarithm of a probability that has become 0."""
    top = max(scores)
    weights = [math.exp(score - top) for score in scores]
    return [math.log(weight / sum(weights)) for weight in weights]


def _top_forgotten(scores: Sequence[float]) -> list[float]:
    """Takes the largest score out of the sum, and does not put it back."""
    top = max(scores)
    lse = math.log(sum(math.exp(score - top) for score in scores))
    return [score - lse for score in scores]


def _probabilities(scores: Sequence[float]) -> list[float]:
    """Gives probabilities, not their logarithms."""
    return [math.exp(value) for value in log_softmax(scores)]


def nll_gradient(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """Gradient of the mean NLL: scores (T, V), targets (T,) → (T, V)."""
    gradient = []
    for row, target in zip(scores, targets, strict=True):
        top = max(row)
        weights = [math.exp(score - top) for score in row]
        p = [weight / sum(weights) for weight in weights]
        gradient.append([(p_w - (w == target)) / len(targets) for w, p_w in enumerate(p)])
    return gradient


def _summed(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """The gradient of the sum, not of the mean."""
    return [[value * len(targets) for value in row] for row in nll_gradient(scores, targets)]


def _uphill(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """Observed minus expected: the direction to go, not the gradient of the loss."""
    return [[-value for value in row] for row in nll_gradient(scores, targets)]


def _by_one_minus_p(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """Only the target's entry."""
    found = nll_gradient(scores, targets)
    return [[value * (w == target) for w, value in enumerate(row)] for row, target in zip(found, targets, strict=True)]


def _scores_for_probabilities(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """Takes scores for probabilities."""
    rows = zip(scores, targets, strict=True)
    return [[(score - (w == target)) / len(targets) for w, score in enumerate(row)] for row, target in rows]


def gradient_through_time(w: float, u: float, xs: Sequence[float]) -> float:
    """d h_T / d w of the recurrent unit h_t = tanh(w · h_(t−1) + u · x_t), h_0 = 0: numbers x_1 … x_T → one number."""
    h, dh_dw = 0.0, 0.0
    for x in xs:
        h_new = math.tanh(w * h + u * x)
        dh_dw = (1 - h_new**2) * (h + w * dh_dw)  # w acts here, and through the state that it made before
        h = h_new
    return dh_dw


def _last_step_only(w: float, u: float, xs: Sequence[float]) -> float:
    """Forgets that the earlier state depends on w too."""
    h, dh_dw = 0.0, 0.0
    for x in xs:
        h_new = math.tanh(w * h + u * x)
        dh_dw = (1 - h_new**2) * h
        h = h_new
    return dh_dw


def _without_tanh(w: float, u: float, xs: Sequence[float]) -> float:
    """Forgets the slope of tanh."""
    h, dh_dw = 0.0, 0.0
    for x in xs:
        dh_dw = h + w * dh_dw
        h = math.tanh(w * h + u * x)
    return dh_dw


def _without_w(w: float, u: float, xs: Sequence[float]) -> float:
    """Adds the earlier derivative without the factor w that it comes through."""
    h, dh_dw = 0.0, 0.0
    for x in xs:
        h_new = math.tanh(w * h + u * x)
        dh_dw = (1 - h_new**2) * (h + dh_dw)
        h = h_new
    return dh_dw


def _without_minus_one(scores: Sequence[Sequence[float]], targets: Sequence[int]) -> list[list[float]]:
    """The probabilities alone: nothing is subtracted at the target."""
    found = nll_gradient(scores, targets)
    return [
        [value + (w == target) / len(targets) for w, value in enumerate(row)]
        for row, target in zip(found, targets, strict=True)
    ]


def _rounded(value: float, text: str) -> dict[float, str]:
    """The value as a learner may have rounded it, each with what to say."""
    return {round(value, digits): text for digits in (2, 3, 4)}


_ROUNDED, _SCORES = "That is rounded; give exact fractions.", "You divided scores."
_BY_THREE = "Did you divide by 3, the number of tokens? Divide by the sum of the exponentials."
_HALF_LIFE_BIAS = math.log(0.5 ** (1 / 50) / (1 - 0.5 ** (1 / 50)))

EXERCISES = (
    Exercise(
        id="3.1",
        title="Softmax by hand",
        kind="by hand",
        grade=Several(
            {
                "first": Number(
                    Fraction(1, 6),
                    tolerance=0,
                    wrong={
                        0: "A score of 0 is not a probability of 0: its exponential is 1.",
                        1: "That is e⁰; divide by the sum of the three.",
                        Fraction(1, 3): "All three the same? The scores differ.",
                    }
                    | _rounded(1 / 6, _ROUNDED),
                ),
                "second": Number(
                    Fraction(1, 3),
                    tolerance=0,
                    wrong={
                        2: "That is e to the ln 2; divide by the sum of the three.",
                        math.log(2) / math.log(6): _SCORES,
                        Fraction(2, 3): _BY_THREE,
                    }
                    | _rounded(1 / 3, _ROUNDED)
                    | _rounded(math.log(2) / math.log(6), _SCORES),
                ),
                "third": Number(
                    Fraction(1, 2),
                    tolerance=0,
                    wrong={
                        3: "That is e to the ln 3; divide by the sum of the three.",
                        math.log(3) / math.log(6): _SCORES,
                        1: _BY_THREE,
                        Fraction(2, 3): _BY_THREE,
                    }
                    | _rounded(math.log(3) / math.log(6), _SCORES),
                ),
            },
            why="The exponentials are 1, 2 and 3, and their sum is 6.",
        ),
        hints=(
            "First make the scores positive: what is $e^0$, what is $e^{\\ln 2}$?",
            "The exponentials are 1, 2 and 3. Divide each by their sum.",
        ),
        solution=r"""
$e^0 = 1$, $e^{\ln 2} = 2$, $e^{\ln 3} = 3$, and their sum is 6:

$$p = \big(\tfrac16,\; \tfrac13,\; \tfrac12\big).$$

So a score that is higher by $\ln 2$ means twice as likely.
""",
        answer=("1/6", "1/3", "1/2"),
        wrong_answers=(
            ((0, "1/3", "1/2"), "its exponential is 1"),
            ((1, 2, 3), "divide by the sum"),
            ((0, math.log(2) / math.log(6), math.log(3) / math.log(6)), "You divided scores"),
            (("1/3", "1/3", "1/3"), "The scores differ"),
            (("0", "1/3", "2/3"), "the sum of the exponentials"),
            ((1 / 6, 0.387, 0.613), "You divided scores"),
            (("1/3", "2/3", 1), "the number of tokens"),
            ((0.167, 0.333, 0.5), "give exact fractions"),
            ("1/6", "3 answers"),
        ),
    ),
    Exercise(
        id="3.2",
        title="Log-softmax that survives",
        kind="implement",
        grade=Function(
            cases=(
                Case(([0.0, math.log(2), math.log(3)],), [math.log(1 / 6), math.log(1 / 3), math.log(1 / 2)]),
                Case(([1000.0, 1001.0, 1002.0],), log_softmax([0.0, 1.0, 2.0]), say="Take away the largest score first."),
                Case(([-1000.0, 0.0],), [-1000.0, 0.0], say="Do not take the logarithm of a probability: it may be 0 by then."),
                Case(([-math.inf, 0.0, 0.0],), [-math.inf, -math.log(2), -math.log(2)]),
            ),
            mistakes=(
                (_overflowing, "`math.exp(1000)` overflows: take away the largest score before the exponential."),
                (
                    _log_of_softmax,
                    "A probability of e^−1000 is 0 in floating point, and 0 has no logarithm. Subtract log-sum-exp "
                    "from the *score*.",
                ),
                (_top_forgotten, "You took the largest score out of the sum; add it back to the logarithm."),
                (_probabilities, "These are the probabilities; their logarithms are asked for."),
            ),
            why="And `math.exp(-math.inf)` is 0, so an impossible token needs no special case.",
        ),
        hints=(
            "log p is the score minus log-sum-exp. Which constant may you add to all scores?",
            "With m = max(scores): log-sum-exp is m + log Σ exp(score − m). Subtract it from each score.",
        ),
        solution="The largest exponent is 0 after $m$ is taken away, so nothing overflows, and the sum is at least 1, so its "
        "logarithm exists.",
        answer=log_softmax,
        wrong_answers=(
            (_overflowing, "before the exponential"),
            (_log_of_softmax, "from the *score*"),
            (_top_forgotten, "add it back"),
            (_probabilities, "their logarithms"),
            ([0.0], "without calling it"),
        ),
    ),
    Exercise(
        id="3.3",
        title="The gradient of a text's loss",
        kind="implement",
        grade=Function(
            cases=(
                Case(([[0.0, 0.0]], [0]), [[-0.5, 0.5]]),
                Case(([[0.0, math.log(2), math.log(3)]], [2]), [[1 / 6, 1 / 3, -1 / 2]]),
                Case(
                    ([[0.0, 0.0], [0.0, math.log(3)]], [1, 0]),
                    [[0.25, -0.25], [-0.375, 0.375]],
                    say="The loss is a mean over two tokens, so each gets half.",
                ),
                Case(([[2000.0, 1000.0]], [1]), [[1.0, -1.0]], say="Softmax has to survive large scores."),
            ),
            mistakes=(
                (_summed, "That is the gradient of the *sum*; the mean over T tokens is asked for."),
                (_uphill, "The sign: the gradient points uphill, predicted minus observed. Training steps against it."),
                (_without_minus_one, "You left out what came: subtract 1 at the target."),
                (_by_one_minus_p, "All V scores have a gradient, not the target's alone: the others are pushed down."),
                (_scores_for_probabilities, "A score is not a probability: put each row through softmax first."),
            ),
            why="Each row sums to zero.",
        ),
        hints=(
            "For one token it is p − onehot, p being the softmax of its row.",
            "A mean over T tokens divides every entry by T.",
        ),
        solution="For each token softmax, minus one at the target, divided by $T$.",
        answer=nll_gradient,
        wrong_answers=(
            (_summed, "*sum*"),
            (_uphill, "uphill"),
            (_without_minus_one, "subtract 1 at the target"),
            (_by_one_minus_p, "pushed down"),
            (_scores_for_probabilities, "not a probability"),
        ),
    ),
    Exercise(
        id="3.4",
        title="Descending for ever",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "It settles at about 3.58 bits per byte (2.48 nats), where 20,000 steps have brought it.",
                        "It looks settled. But at 188 places of the validation text stands a pair that never came in "
                        "training: what becomes of its probability?",
                    ),
                    "b": (
                        "It falls to the training loss.",
                        "No: the table learns the training text, and the validation text is another one.",
                    ),
                    "c": (
                        "It grows without bound, very slowly.",
                        "Right: like the logarithm of the steps.",
                    ),
                },
                right="c",
            ),
            reason=Choice(
                {
                    "x": (
                        "The learning rate is too large for so many steps.",
                        "The rate is safe: the loss fell at every step, and near the bottom that is proved.",
                    ),
                    "y": (
                        "The gradient becomes so small that nothing moves any more.",
                        "It gets small like 1/t, and the sum of 1/t has no bound: the table moves on for ever, by logarithms.",
                    ),
                    "z": (
                        "The log probabilities of pairs that training never showed go to −∞ like −log t, and some of "
                        "them come in the validation text.",
                        "Yes. In the limit it is notebook 02's table of relative frequencies, whose validation loss "
                        "is infinite.",
                    ),
                },
                right="z",
            ),
        ),
        hints=(
            "Where is the table going? You know its limit from notebook 02, and what that table says of the validation text.",
            "Look at the right picture of section 3.4: does the curve level off?",
        ),
        solution="""
**c, z.** The limit is the table of relative frequencies, which finds 188 places of the validation text impossible. The log
probabilities of unseen pairs go to −∞ like −log t, so in the end the validation loss grows by 188/111,540 ≈ 0.0017 nats each
time the number of steps is multiplied by e. First it falls, as long as the seen pairs still improve; then it turns.
""",
        answer=("c", "z"),
        wrong_answers=(
            (("a", "y"), "It looks settled"),
            (("b", "z"), "another one"),
            (("c", "x"), "The rate is safe"),
            (("c", "y"), "no bound"),
            ("c", "two letters"),
        ),
    ),
    Exercise(
        id="3.5",
        title="One entry of the gradient",
        kind="by hand",
        grade=Number(
            -0.6128,
            tolerance=0.002,
            wrong={
                0.6128: "The sign of h: h₁ is +1, and h₂ is −1. Or did you write down the step, which goes against "
                "the gradient?",
                -1.4592: "That is ∂L/∂a₂; it still has to pass through tanh, by 1 − a₂².",
                1.0393: "That is the first hidden unit's row, ∂L/∂W₁₁. The second unit is asked for.",
                -1.0393: "That is the first hidden unit's row, ∂L/∂W₁₂. The second unit is asked for.",
                -0.1929: "That is the entry for `barks`. With another target, δ is another.",
                -0.4592: "That is ∂L/∂a₂ for `barks`. With another target, δ is another, and there is tanh to pass.",
                -0.61: "Right so far; three decimals are asked for.",
                -0.617: "Nearly: somewhere you rounded too early. Keep four decimals on the way.",
            },
            why="δ = (0.3946, 0.5323, −0.9269), so ∂L/∂a₂ = −0.5323 − 0.9269 = −1.4592, times 0.4200, times h₁ = 1.",
        ),
        hints=(
            "The forward pass is the same. Only δ = p − onehot changes: which entry gets the −1 now?",
            "W₂₁ needs ∂L/∂a₂ = Σ δ_w E_w2, then 1 − a₂² = 0.4200, then h₁.",
        ),
        solution=r"""
The forward pass does not change. Now $\delta = (0.3946,\; 0.5323,\; 0.0731 - 1) = (0.3946,\; 0.5323,\; -0.9269)$. The second
column of
$E$ is $(0, -1, 1)$:

$$\frac{\partial \mathcal L}{\partial a_2} = -0.5323 - 0.9269 = -1.4592, \qquad
\frac{\partial \mathcal L}{\partial z_2} = -1.4592 \cdot 0.4200 = -0.6128, \qquad
\frac{\partial \mathcal L}{\partial W_{21}} = -0.6128 \cdot h_1 = -0.6128.$$
""",
        answer=-0.613,
        wrong_answers=(
            (0.613, "sign"),
            (-1.459, "pass through tanh"),
            (1.039, "second unit"),
            (-1.039, "second unit"),
            (-0.193, "for `barks`"),
            (-0.459, "another, and there is tanh"),
            (-0.61, "three decimals"),
            (0.0, "too large"),
        ),
    ),
    Exercise(
        id="3.6",
        title="Too long a step",
        kind="experiment",
        grade=Between(
            4.5,
            4.65,
            below="A longer step still leads below 0.930. (The *best* rate, near 1.2, is another question.)",
            above="After that step the loss is above 0.930: the step did harm.",
            why="At 4.59 the step ends as high as it began. Near 1.2 it would have gone down most.",
        ),
        hints=(
            "`after_step(1)` is far below 0.930, `after_step(10)` far above. Try what lies between.",
            "`[rate for rate in np.arange(0.1, 10, 0.1) if after_step(rate) < forward['loss']][-1]`",
        ),
        solution="""
`[rate for rate in np.arange(0.1, 10, 0.1) if after_step(rate) < forward["loss"]][-1]` gives 4.5; at 4.6 the loss is higher than
0.930. The lowest loss after one step, 0.252, is reached near 1.2. So of all steps that help, most are longer than the best one.
""",
        answer=4.5,
        wrong_answers=((1.2, "another question"), (4.0, "still leads below"), (10, "did harm"), ("x", "one number")),
    ),
    Exercise(
        id="3.7",
        title="A strange log",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "The learning rate is too small.",
                    "A small rate shows as a slow fall. The first number needs another reason: nothing had been "
                    "learned by then.",
                ),
                "b": (
                    "The text is hard, and 9.1 is near its entropy.",
                    "Whoever knows nothing and says so pays log 10,000 = 9.2. At 9.1 the model knows nearly nothing "
                    "about the text.",
                ),
                "c": (
                    "The scores are much too large at the start.",
                    "Right. A model without opinions begins at log 10,000 = 9.2. This one spent its first hundreds of "
                    "steps taking back random opinions, and has only now arrived where it should have begun. Draw the "
                    "output weights smaller.",
                ),
                "d": (
                    "It is overfitting.",
                    "Overfitting shows between training and validation loss, and late. This is one curve, at its very "
                    "beginning.",
                ),
            },
            right="c",
        ),
        hints=(
            "Which loss does a model have that gives the same probability to each of 10,000 tokens?",
            "log 10,000 = 9.21. Compare all three numbers of the log with it.",
        ),
        solution="""
**c.** log 10,000 ≈ 9.21 is what a model pays that has learned nothing and claims nothing. 58 means strong and wrong opinions at
the start; after 200 steps the model has merely lost them. With smaller output weights it begins at 9.2, and all 200 steps
are spent on learning.
""",
        answer="c",
        wrong_answers=(("a", "slow fall"), ("b", "knows nearly nothing"), ("d", "very beginning"), ("e", "Choose one of")),
    ),
    Exercise(
        id="3.8",
        title="Why can the network share?",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "The network has seen `brave duck` somewhere; the table overlooked it.",
                        "Neither has: these pairs were kept out of the training stories, and an assert in section 3.1 "
                        "counts on it.",
                    ),
                    "b": (
                        "The table keeps `duck` and `dog` apart; in the network the same numbers serve both.",
                        "Right: a smoothing moves probability to shorter contexts. One that looks at nothing is fair to "
                        "the duck and no longer knows that an animal follows `brave`; one that knows it, knows it of "
                        "each animal apart.",
                    ),
                    "c": (
                        "The network's context is longer.",
                        "The adjective stands right before the noun; the shortest context would do.",
                    ),
                },
                right="b",
            ),
            reason=Choice(
                {
                    "x": (
                        "Words in the same contexts are moved alike, and near vectors have near scores.",
                        "Yes: e_w moves along the answers a of the contexts that it is a target in, and `duck` and "
                        "`dog` share those.",
                    ),
                    "y": (
                        "The network has more parameters than the table.",
                        "It has fewer than half: 209,000, and the table keeps more than 460,000 counts. That is a part "
                        "of the reason: they have to serve many contexts at once.",
                    ),
                    "z": (
                        "Softmax never gives a probability of zero.",
                        "Nor does Kneser–Ney. Not zero is far from enough: the table gives the duck a 360th of its share.",
                    ),
                },
                right="x",
            ),
        ),
        hints=(
            "Where does the probability come from that Kneser–Ney gives to an unseen pair? Does that place know what "
            "an animal is?",
            "Which numbers of the network move when it reads `a brave dog`? Which of them does `a brave duck` use?",
        ),
        solution="""
**b, x.** Every smoothing asks a shorter context, and the shortest says how often `duck` comes at all, or after how many
different words. That one is fair to the duck, and has forgotten that *the words after `brave` are animals*; no table can hold
both. In the network the row e_duck was moved in all contexts that ducks share with dogs, so it answers to `brave` nearly as
e_dog does, though the two words never stood together.
""",
        answer=("b", "x"),
        wrong_answers=(
            (("a", "x"), "kept out"),
            (("c", "x"), "right before the noun"),
            (("b", "y"), "fewer than half"),
            (("b", "z"), "Nor does Kneser–Ney"),
            ("b", "two letters"),
        ),
    ),
    Exercise(
        id="3.9",
        title="Half of it after fifty steps",
        kind="by hand",
        grade=Number(
            _HALF_LIFE_BIAS,
            tolerance=0.02,
            wrong={
                0.9862: "That is z, the gate. Which bias makes σ(bias) that large?",
                -_HALF_LIFE_BIAS: "The sign: a gate nearly open needs a positive bias.",
                0.0: "σ(0) is a half, so after *one* step half is left.",
                3.0: "That is the bias of section 3.12's small task: σ(3) = 0.953, and 0.953⁵⁰ = 0.09.",
                0.69: "σ(0.69) = 0.67: after fifty steps nothing is left. A half is asked for after 50 steps, not after one.",
            },
            why="z = 2^(−1/50) = 0.986, and σ(4.27) = 0.986. With a bias of 0 half is gone after one step.",
        ),
        hints=(
            "First find the gate: $z^{50} = 1/2$. Then the bias: which number does σ take to z?",
            "$z = 2^{-1/50} = 0.9862$. From $z = 1/(1 + e^{-b})$, $b$ being the bias, follows $b = \\log z - \\log(1 - z)$.",
        ),
        solution=r"""
$z^{50} = \tfrac12$ gives $z = 2^{-1/50} = 0.98623$. Solve $z = 1/(1 + e^{-b})$ for the bias $b$: $e^{-b} = 1/z - 1$, so

$$b = \log\frac{z}{1 - z} = \log\frac{0.98623}{0.01377} = 4.27.$$
""",
        answer=4.27,
        wrong_answers=(
            (0.986, "That is z"),
            (-4.27, "positive bias"),
            (0, "*one* step"),
            (3, "small task"),
            (0.693, "after 50 steps"),
            (4, "too small"),
        ),
    ),
    Exercise(
        id="3.10",
        title="Backpropagation through time, one unit",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case((0.5, 1.0, [1.0]), 0.0, say="h₁ = tanh(u·x₁) does not depend on w: h₀ is 0."),
                Case((0.5, 1.0, [1.0, 0.0]), gradient_through_time(0.5, 1.0, [1.0, 0.0])),
                Case((0.9, 0.7, [1.0, -1.0, 0.5, 2.0]), gradient_through_time(0.9, 0.7, [1.0, -1.0, 0.5, 2.0])),
                Case((2.0, 1.0, [0.1, 0.0, 0.0]), gradient_through_time(2.0, 1.0, [0.1, 0.0, 0.0])),
                Case((0.5, 1.0, []), 0.0, say="Without any step the state is 0, whatever w is."),
            ),
            tolerance=1e-5,
            mistakes=(
                (
                    _last_step_only,
                    "w acted at every step, and the state before the last depends on it too: carry that part along.",
                ),
                (_without_tanh, "Every step passes through tanh: its slope 1 − h² multiplies what comes through."),
                (_without_w, "What comes from the earlier state comes through the factor w."),
            ),
            why="Forwards or backwards through the steps, the same sum of products.",
        ),
        hints=(
            "$h_t$ depends on $w$ twice: openly, as the factor of $h_{t-1}$, and through $h_{t-1}$, which $w$ helped to make.",
            "Write $g_t$ for $dh_t/dw$. Then $g_t = (1 - h_t^2)\\,(h_{t-1} + w\\, g_{t-1})$ with $g_0 = 0$.",
            "To check it, write `last_state(w, u, xs)`, the loop alone, and compare with "
            "`gradient_by_differences(lambda x: last_state(x[0], u, xs), np.array([w]))`.",
        ),
        solution="The product rule on $w\\,h_{t-1}$ gives $h_{t-1} + w\\,g_{t-1}$, and tanh multiplies by its slope. "
        "Unroll it, and "
        "$h_{t-1-k}$ stands there with $w^k$ times $k + 1$ slopes: section 3.12's product. (This runs forwards, "
        "because one parameter "
        "is asked about; backpropagation sums the same products from the other end, for all parameters at once.)",
        answer=gradient_through_time,
        wrong_answers=(
            (_last_step_only, "carry that part along"),
            (_without_tanh, "its slope"),
            (_without_w, "the factor w"),
            (lambda w, u, xs: 1.0, "does not depend on w"),
        ),
    ),
    Exercise(
        id="3.11",
        title="Was it the bias?",
        kind="experiment",
        starred=True,
        grade=Between(
            45,
            61,
            below="Fewer than a coin? Per cent are asked for, not a share; and the cases are those of `far`: "
            "`100 * network_prefers_right(plain)[far].mean()`.",
            above="As many as with open gates. Is this a *new* network, made from the configuration with `gate_bias` 0? And "
            "are the cases those of `far`?",
            why="Near a coin, where open gates bring six in ten or more. Yet over all words it is no worse in bits per byte, "
            "rather a little better: the average does not show what is remembered.",
        ),
        hints=(
            "Make the configuration with `dataclasses.replace`, a new `GRU(words, …)` from it, and give it to `fit` with "
            "`world_ids` and `gru_training`.",
            "`plain = GRU(words, replace(gru_config, gate_bias=0)); fit(plain, world_ids, gru_training); "
            "100 * network_prefers_right(plain)[far].mean()`",
        ),
        solution="""
```python
from dataclasses import replace

plain = GRU(words, replace(gru_config, gate_bias=0))
fit(plain, world_ids, gru_training)
print(100 * network_prefers_right(plain)[far].mean(), bits_per_byte(plain.log_probs(world_val), story_val))
```

About 52 %, hardly more than a coin (over four seeds 50 to 60; with open gates 58 to 65). In bits per byte it stands at about
0.348, no worse than the other: pronouns are few, and an average over all words does not show what a network remembers. It
can represent the memory, and has hardly learned it.
""",
        answer=52,
        wrong_answers=((0.52, "not a share"), (64, "*new* network"), (37, "Fewer than a coin"), ("x", "one number")),
    ),
)

QUIZZES = (
    Quiz(
        "3.q1",
        "The scores of four tokens are 7, 7, 7 and 7. A second model gives them −3, −3, −3 and −3. Which model is surer?",
        (
            Option(
                "The first: its scores are higher.", "Only differences count. Subtract 7 from the first, add 3 to the second."
            ),
            Option(
                "The second: negative scores mean small probabilities.", "Log probabilities are negative; scores are not those."
            ),
            Option("Neither: both say 1/4 to each.", "Right. A constant added to all scores changes nothing.", right=True),
            Option("That depends on the vocabulary.", "All four scores are given, so softmax is settled."),
        ),
    ),
    Quiz(
        "3.q2",
        "A model gives the token that came a probability of 0.9. What is the gradient of the loss by that token's score?",
        (
            Option("0.9", "That is p. What came is subtracted from it."),
            Option("−0.1", "Right: p − 1. The score should rise, by little, since little is missing.", right=True),
            Option("0.1", "The gradient points uphill. Raising this score lowers the loss, so its entry is negative."),
            Option("−log 0.9 ≈ 0.105", "That is the loss itself."),
        ),
    ),
    Quiz(
        "3.q3",
        "You call loss.backward() and optimizer.step() in a loop, and never optimizer.zero_grad(). What happens?",
        (
            Option("PyTorch raises an error.", "It does not, and that makes the slip so common."),
            Option("Nothing: backward() overwrites the old gradient.", "It adds, since what is used twice must get two parts."),
            Option("The loss cannot fall at all.", "It may even fall for a while; the steps are just not what you think."),
            Option(
                "Every step uses the sum of all gradients so far.",
                "Right: old batches keep pulling, from places that you have long left.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "3.q4",
        "Why does a hidden layer without tanh (or another bend) gain nothing?",
        (
            Option(
                "E(Wh + b) is again a matrix times h plus a constant: one linear layer.",
                "Right. Such a score can only add up what speaks for a word.",
                right=True,
            ),
            Option("Its scores could be negative.", "They may: softmax takes any real numbers."),
            Option("Its gradient would be zero.", "A linear layer passes gradients without loss. That is not what is missing."),
            Option(
                "The loss would not be convex.", "On the contrary: without the bend, in E·W as one matrix, it would be convex."
            ),
        ),
    ),
    Quiz(
        "3.q5",
        "The training loss still falls, the validation loss has begun to rise. What is going on?",
        (
            Option("The learning rate is too large.", "Then the training loss would jitter or rise too."),
            Option(
                "The network is learning the training text by heart.",
                "Right: what it learns now holds there, and not elsewhere. Stop, or get more text.",
                right=True,
            ),
            Option("The validation text is too short.", "A short one makes a noisy curve, not a rising one."),
            Option("The two losses use other logarithms.", "Both are nats per token, from the same function."),
        ),
    ),
    Quiz(
        "3.q6",
        "Batches of 4,000 tokens in place of 1,000 cost four times as much. What do they buy?",
        (
            Option("A quarter of the noise in the gradient.", "The error of a mean falls with the square root of the number."),
            Option("A gradient without noise.", "Only the whole text gives that."),
            Option(
                "Half of the noise in the gradient.", "Right, 1/√4. So many rough steps often beat few exact ones.", right=True
            ),
            Option("A better minimum.", "Nobody promises that; noise sometimes even helps."),
        ),
    ),
    Quiz(
        "3.q7",
        "By its formula a GRU can carry a fact over any distance. Why did the one with the usual start not learn to, over 30 "
        "tokens of noise?",
        (
            Option(
                "With gates half shut the gradient from far away is nearly zero, so nothing taught them to open.",
                "Right: being able to represent something, and being able to learn it by gradient descent, are two things.",
                right=True,
            ),
            Option("Its state has too few numbers for one fact.", "Zero or one is one bit, and the state has 32 numbers."),
            Option("A GRU sees only its last eight tokens.", "That is the window network. The GRU has no window."),
            Option("Its gradients exploded.", "Clipping forbids that, and the picture shows them vanishing."),
        ),
    ),
    Quiz(
        "3.q8",
        "Which part does GPT have that the networks of this notebook have not?",
        (
            Option("An encoder.", "GPT has none either: there is no input sequence beside the text itself."),
            Option("An output table with softmax.", "Both have it, and both train it in the same way."),
            Option("A loss that compares whole sentences.", "GPT's loss is the NLL per token, as here."),
            Option("Attention, in place of a window or a carried state.", "Right: another way of looking back.", right=True),
        ),
    ),
)
