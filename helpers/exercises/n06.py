"""Exercises and quiz of notebook 06, What turns attention into a language model?"""

import math
from collections.abc import Sequence

from helpers.exercises.choices import Choice, MultiChoice, Reasoned
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Number, Several


def rms_norm(x: Sequence[float], gain: Sequence[float], eps: float) -> list[float]:
    """One token's vector (C,), divided by its root mean square, times the gain (C,)."""
    mean_square = sum(number**2 for number in x) / len(x)
    return [g * number / math.sqrt(mean_square + eps) for number, g in zip(x, gain, strict=True)]


def _by_length(x: Sequence[float], gain: Sequence[float], eps: float) -> list[float]:
    """Divides by the length of the vector: the sum of squares, not their mean."""
    return [g * number / math.sqrt(sum(n**2 for n in x) + eps) for number, g in zip(x, gain, strict=True)]


def _by_layer_norm(x: Sequence[float], gain: Sequence[float], eps: float) -> list[float]:
    """Layer norm: the mean is subtracted."""
    mean = sum(x) / len(x)
    return rms_norm([number - mean for number in x], gain, eps)


def _without_root(x: Sequence[float], gain: Sequence[float], eps: float) -> list[float]:
    """Divides by the mean square itself."""
    return [g * number / (sum(n**2 for n in x) / len(x) + eps) for number, g in zip(x, gain, strict=True)]


def _without_gain(x: Sequence[float], gain: Sequence[float], eps: float) -> list[float]:
    """Forgets the gain."""
    return rms_norm(x, [1.0] * len(x), eps)


def transformer_parameters(V: int, T: int, L: int, C: int) -> int:
    """Numbers learned by a GPT with an output matrix of its own and without biases."""
    embedding, positions, head = V * C, T * C, V * C
    block = 4 * C * C + 8 * C * C + 2 * C  # attention, feed-forward, the gains of two norms
    return embedding + positions + L * block + C + head


def _tied(V: int, T: int, L: int, C: int) -> int:
    """Counts one embedding for both ends."""
    return transformer_parameters(V, T, L, C) - V * C


def _with_biases(V: int, T: int, L: int, C: int) -> int:
    """Keeps all biases."""
    return 2 * V * C + T * C + L * (12 * C * C + 13 * C) + 2 * C


def _without_last_norm(V: int, T: int, L: int, C: int) -> int:
    """Forgets the norm after the last block."""
    return transformer_parameters(V, T, L, C) - C


def _one_norm_a_block(V: int, T: int, L: int, C: int) -> int:
    """Counts one norm in each block."""
    return transformer_parameters(V, T, L, C) - L * C


def _without_norms(V: int, T: int, L: int, C: int) -> int:
    """Takes the gains for biases, and counts no norm at all."""
    return transformer_parameters(V, T, L, C) - 2 * L * C - C


def _norms_with_biases(V: int, T: int, L: int, C: int) -> int:
    """Leaves the norms their biases."""
    return transformer_parameters(V, T, L, C) + 2 * L * C + C


def _without_positions(V: int, T: int, L: int, C: int) -> int:
    """Forgets the table of positions."""
    return transformer_parameters(V, T, L, C) - T * C


Table = Sequence[Sequence[float]]


def pseudo_total(a_given_b: Table, b_given_a: Table) -> float:
    """Sum over a and b of p(a | b) p(b | a), both tables indexed [a][b]."""
    return sum(p * q for row_a, row_b in zip(a_given_b, b_given_a, strict=True) for p, q in zip(row_a, row_b, strict=True))


def _transposed(a_given_b: Table, b_given_a: Table) -> float:
    """Reads the second table the wrong way round."""
    return pseudo_total(a_given_b, list(zip(*b_given_a, strict=True)))


def _squared(a_given_b: Table, b_given_a: Table) -> float:
    """Uses the first table twice."""
    return pseudo_total(a_given_b, a_given_b)


def _product_of_sums(a_given_b: Table, b_given_a: Table) -> float:
    """Multiplies the sums in place of summing the products."""
    return sum(map(sum, a_given_b)) * sum(map(sum, b_given_a))


def _mean_of_products(a_given_b: Table, b_given_a: Table) -> float:
    """Divides by the number of words."""
    return pseudo_total(a_given_b, b_given_a) / len(a_given_b)


EXERCISES = (
    Exercise(
        id="6.1",
        title="Layer norm by hand",
        kind="by hand",
        grade=Number(
            math.sqrt(2),
            tolerance=0.002,
            wrong={
                2: "You subtracted the mean. Now divide by the standard deviation.",
                1.41: "Nearly: give three decimals.",
                1: "You divided by the variance, 2; its square root is asked for.",
                2 / math.sqrt(8 / 3): "You divided the squares by C − 1 = 3. Layer norm divides by C = 4.",
                5 / math.sqrt(11): "That is RMSNorm: the mean was not subtracted.",
                5 / math.sqrt(2): "Subtract the mean first.",
            },
            why="Mean 3, variance (4 + 0 + 0 + 4)/4 = 2, so the vector becomes (−√2, 0, 0, √2).",
        ),
        hints=(
            "First the mean of the four numbers, then the mean of the squared distances from it.",
            "The mean is 3 and the variance 2. Divide 5 − 3 by the square root of the variance.",
        ),
        solution=r"""
$\mu = 3$, $\sigma^2 = \tfrac14(4 + 0 + 0 + 4) = 2$, so the vector becomes $(-\sqrt2,\, 0,\, 0,\, \sqrt2)$ and its last number
is $\sqrt2 \approx 1.414$. Its mean is 0 and its mean square 1, as it must be.
""",
        answer=1.414,
        wrong_answers=(
            (2, "divide by the standard deviation"),
            (1, "square root"),
            (1.41, "three decimals"),
            (1.225, "C − 1"),
            (3.536, "Subtract the mean first"),
            (1.508, "That is RMSNorm"),
            ("root two", "one number"),
        ),
    ),
    Exercise(
        id="6.2",
        title="RMSNorm",
        kind="implement",
        grade=Function(
            cases=(
                Case(([3.0, 4.0], [1.0, 1.0], 0.0), [3 / math.sqrt(12.5), 4 / math.sqrt(12.5)]),
                Case(([1.0, -1.0, 1.0, -1.0], [2.0, 1.0, 1.0, 0.5], 0.0), [2.0, -1.0, 1.0, -0.5], say="Multiply by the gain."),
                Case(
                    ([0.0, 0.0], [1.0, 1.0], 1e-5),
                    [0.0, 0.0],
                    say="ε stands under the root, so that nothing is divided by zero.",
                ),
                Case(([2.0, 2.0], [1.0, 1.0], 5.0), [2 / 3, 2 / 3], say="ε is added to the mean square, under the root."),
            ),
            tolerance=1e-6,  # torch computes in single precision
            mistakes=(
                (
                    _by_length,
                    "You divided by the *length*, the root of the sum; the root of the *mean* of the squares is asked for.",
                ),
                (_by_layer_norm, "You subtracted the mean: that is layer norm. RMSNorm leaves the mean in."),
                (_without_root, "You divided by the mean square; take its root."),
                (_without_gain, "The gain is missing: each number has one of its own."),
            ),
            why="A vector whose mean is 0 gets the same from both norms.",
        ),
        hints=("Mean of squares, plus ε, root; then divide and multiply.", "`math.sqrt(sum(n * n for n in x) / len(x) + eps)`"),
        solution="One pass for the mean square, one to divide. No mean, no bias.",
        answer=rms_norm,
        wrong_answers=(
            (_by_length, "*length*"),
            (_by_layer_norm, "that is layer norm"),
            (_without_root, "take its root"),
            (_without_gain, "gain is missing"),
            ([1.0], "without calling it"),
        ),
    ),
    Exercise(
        id="6.3",
        title="The last norm",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "Nothing: every block norms its inputs, so the stream has size 1 anyway.",
                        "The blocks norm what they *read*. The stream itself is never normed in a pre-norm model.",
                    ),
                    "b": (
                        "The scores would grow with depth and during training, and with them the certainty of the softmax.",
                        "Right.",
                    ),
                    "c": (
                        "The gradient would vanish on its way down.",
                        "It would pass: the stream's identity path needs no norm.",
                    ),
                },
                right="b",
            ),
            reason=Choice(
                {
                    "x": (
                        "The output matrix has no bias.",
                        "True of GPT, but a bias would not change the size of e · x.",
                    ),
                    "y": (
                        "Softmax needs inputs whose mean is zero.",
                        "A constant added to all scores changes nothing (notebook 03).",
                    ),
                    "z": (
                        "A score is e · x, and x is a sum of 2L additions, whose size nobody keeps in order.",
                        "Yes: you saw the stream grow with every block. Twice the size is half the temperature.",
                    ),
                },
                right="z",
            ),
        ),
        hints=(
            "What is normed in a pre-norm block: the stream, or what is read from it?",
            "Look at the left picture of section 6.3, and remember what twice as large scores did to softmax in notebook 03.",
        ),
        solution="""
**b, z.** In a pre-norm model the stream is never normed, only copies of it. At the top it is larger than at the bottom, and how
much so changes while the model learns. The output matrix would turn that size into certainty. Post-norm needs no such norm: it
ends in one.
""",
        answer=("b", "z"),
        wrong_answers=(
            (("a", "z"), "never normed"),
            (("c", "z"), "identity path"),
            (("b", "x"), "would not change the size"),
            (("b", "y"), "changes nothing"),
            ("b", "two letters"),
        ),
    ),
    Exercise(
        id="6.4",
        title="Where GELU is lowest",
        kind="experiment",
        grade=Number(
            -0.7518,
            tolerance=0.006,
            wrong={
                -0.17: "That is GELU's value there. At which z?",
                0.75: "Left of zero: mind the sign.",
                0: "There GELU is 0. A little further left it is negative.",
                -1: "Near. Take a finer grid.",
            },
            why="GELU is −0.170 there.",
        ),
        hints=(
            "Compute `gelu_by_formula` on a fine grid between −2 and 0.",
            "`grid = np.linspace(-2, 0, 2001)`; then `grid[np.argmin([gelu_by_formula(z) for z in grid])]`.",
        ),
        solution=r"""
$z \approx -0.752$, where $\mathrm{GELU}(z) \approx -0.170$. There its derivative $\Phi(z) + z\,\varphi(z)$ is zero ($\varphi$:
the normal density). So, unlike ReLU, it has a gradient nearly everywhere, and left of this point it goes *up* again.
""",
        answer=-0.75,
        wrong_answers=(
            (-0.17, "At which z"),
            (0.752, "mind the sign"),
            (0, "further left"),
            (-1, "finer grid"),
            (-0.6, "too large"),
        ),
    ),
    Exercise(
        id="6.5",
        title="When the square takes over",
        kind="by hand",
        grade=Number(
            4608,
            tolerance=0,
            wrong={
                768: "Did you compare with one matrix? A block has 12 C² numbers in matrices.",
                2304: "A product with a matrix takes two operations for each of its numbers: 2 · 12 C² for each token.",
                9216: "You counted scores alone, or values alone: they cost 2 T² C each.",
                1536: "You compared with the attention's matrices only; the feed-forward network has 8 C² more.",
                3072: "You compared with the feed-forward network only; attention's matrices have 4 C² more.",
            },
            why="4T²C = 24TC² at T = 6C. At GPT-2's context of 1,024 the matrices still cost 4.5 times as much.",
        ),
        hints=(
            "Write both costs for T tokens: matrices 2 · 12C² each token, scores and values 4T²C for all.",
            "Divide both by 4TC: on one side T remains, on the other 6C.",
        ),
        solution=r"""
All matrices of a block: $T \cdot 2 \cdot 12 C^2 = 24\,T C^2$. Scores and values: $4\,T^2 C$. Equal where
$T = 6C = 6 \cdot 768 = 4608$.
""",
        answer=4608,
        wrong_answers=(
            (768, "one matrix"),
            (9216, "2 T² C each"),
            (2304, "two operations"),
            (1536, "attention's matrices only"),
            (3072, "feed-forward network only"),
            (5000, "too large"),
        ),
    ),
    Exercise(
        id="6.6",
        title="Count without biases",
        kind="implement",
        grade=Function(
            cases=(
                Case((10, 4, 1, 2), 2 * 10 * 2 + 4 * 2 + 12 * 4 + 2 * 2 + 2),
                Case((741, 128, 2, 64), transformer_parameters(741, 128, 2, 64)),
                Case((50_257, 1024, 12, 768), transformer_parameters(50_257, 1024, 12, 768)),
            ),
            mistakes=(
                (_tied, "The output matrix is one of its own here: VC once more."),
                (_with_biases, "Those are the counts with biases. Take off 9C in each block's matrices, and C in every norm."),
                (_without_last_norm, "One norm is missing: the one after the last block."),
                (_one_norm_a_block, "A block has two norms."),
                (_without_positions, "The learned positions are missing: TC."),
                (_without_norms, "All gains are missing: each norm keeps its C."),
                (_norms_with_biases, "The norms have no bias either: C numbers each, not 2C."),
            ),
            why="`count_parameters(GPTConfig(…, bias=False, tied=False))` says the same.",
        ),
        hints=(
            "Go through the table of section 6.6, and strike out every term with C alone that is a bias.",
            "A block keeps 12C² for its matrices and 2C for two gains. Then: two tables VC, positions TC, the last gain C.",
        ),
        solution="$2VC + TC + L(12C^2 + 2C) + C$.",
        answer=transformer_parameters,
        wrong_answers=(
            (_tied, "once more"),
            (_with_biases, "with biases"),
            (_without_last_norm, "after the last block"),
            (_one_norm_a_block, "two norms"),
            (_without_positions, "positions are missing"),
            (_without_norms, "gains are missing"),
            (_norms_with_biases, "no bias either"),
        ),
    ),
    Exercise(
        id="6.7",
        title="What the conditionals sum to",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case(([[0.3, 0.3], [0.7, 0.7]], [[0.4, 0.6], [0.4, 0.6]]), 1.0, say="Independent words: the sum is 1."),
                Case(([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]), 2.0, say="Each determines the other: the sum is K."),
                Case(
                    ([[0.75, 0.5], [0.25, 0.5]], [[0.6, 0.4], [1 / 3, 2 / 3]]),
                    0.75 * 0.6 + 0.5 * 0.4 + 0.25 / 3 + 0.5 * 2 / 3,
                    say="Both tables are indexed [a][b].",
                ),
            ),
            mistakes=(
                (_transposed, "You read the second table as [b][a]; both are indexed [a][b]."),
                (_squared, "You used the first table twice."),
                (_product_of_sums, "Multiply first, then sum: Σ p q is not Σ p Σ q."),
                (_mean_of_products, "The sum is asked for, not the mean."),
            ),
            why="Independent: 1. Each determines the other: K. So the sum measures how far the words depend on each other.",
        ),
        hints=(
            "Two loops, over a and over b; one product in the middle.",
            "`a_given_b[a][b] * b_given_a[a][b]`, summed over all a and b.",
        ),
        solution=r"""
Each fill $(a, b)$ contributes $p(a \mid b)\, p(b \mid a) = p(a, b)^2 / (p(a)\, p(b))$. If the words are independent this is
$p(a, b)$, and the sum is 1. If each determines the other, each of the $K$ pairs that occur contributes 1, and the sum is $K$.
In general the sum is 1 plus $\chi^2$, a measure of dependence: the conditionals are *true* ones here, and even so their product
is no distribution.
""",
        answer=pseudo_total,
        wrong_answers=(
            (_transposed, "as [b][a]"),
            (_squared, "first table twice"),
            (_product_of_sums, "Multiply first"),
            (_mean_of_products, "not the mean"),
        ),
    ),
    Exercise(
        id="6.8",
        title="What each family can be asked",
        kind="explain",
        grade=MultiChoice(
            {
                "a": (
                    "A GPT can fill a gap with both sides known, at the price of one reading per candidate.",
                    "By Bayes: P(text with w) over the sum of all.",
                ),
                "b": (
                    "BERT gives the probability of a text, if you multiply its conditionals.",
                    "The product is no distribution: it does not sum to one.",
                ),
                "c": (
                    "An encoder–decoder needs a text for its encoder; a plain language model has none to give.",
                    "Nobody taught it the probability of its source.",
                ),
                "d": (
                    "To classify whole texts that are there from begin to end, looking both ways is no cheating.",
                    "Nothing is predicted that one can see. So BERT fits there (notebook 08).",
                ),
                "e": (
                    "BERT can continue a text as well as GPT, if one appends [MASK]s.",
                    "It was never shown a text that breaks off, and wrote hardly a word before an impossible one.",
                ),
            },
            right=("a", "c", "d"),
        ),
        hints=(
            "Go through the rows of the table: which entries are 'none', and why?",
            "Three of the five hold. Looking ahead is only cheating where what is ahead is asked for.",
        ),
        solution="""
**a, c, d.** A causal model can be asked what stands in a gap, by scoring whole texts: one reading for each candidate. The
encoder–decoder has a probability of the target only. BERT's strength is a text that is given whole: every position sees all
others in one reading.
""",
        answer="acd",
        wrong_answers=(
            ("abcd", "does not sum to one"),
            ("acde", "hardly a word"),
            ("ac", "1 more does"),
            ("d", "2 more do"),
            ("f", "Choose some of"),
        ),
    ),
    Exercise(
        id="6.9",
        title="What BERT may trust",
        kind="by hand",
        grade=Several(
            {
                "visible": Number(
                    880,
                    tolerance=0,
                    wrong={
                        850: "Those are the tokens that were not chosen; of the chosen some are visible too.",
                        120: "Those are the masked ones.",
                        865: "The 15 that are kept are visible, and so are the 15 that are replaced.",
                    },
                ),
                "wrong of visible": Number(
                    15 / 880,
                    tolerance=0.0002,
                    wrong={
                        0.015: "15 of the 1,000; the share of the *visible* ones is asked for.",
                        30 / 880: "Of those 30 only half are wrong.",
                        0.1: "Of the *chosen* a tenth is replaced; how many are these, and of how many visible ones?",
                    },
                ),
                "wrong of visible and asked": Number(
                    0.5,
                    tolerance=0.001,
                    wrong={
                        0.1: "A tenth of all that are asked for; but 120 of these are masked, not visible.",
                        0.2: "A fifth of the chosen is visible. Which share of this fifth is wrong?",
                    },
                ),
            },
            why="So a visible word that is asked for is wrong half of the time, and BERT cannot just copy it.",
        ),
        hints=(
            "Of the 150 chosen ones 120 become [MASK]. Visible are all the others, chosen or not.",
            "15 of the visible ones are wrong, and 30 visible ones are asked for.",
        ),
        solution="""
120 are masked, so 880 are visible: 850 that were not chosen, 15 replaced, 15 kept. Wrong are 15 of 880, or 1.7 %: a visible
word deserves trust. But of the visible words that BERT is *asked* about, 15 of 30 are wrong, and it is not told which:
so it has to weigh every visible word against its neighbours.
""",
        answer=(880, 15 / 880, 0.5),
        wrong_answers=(
            ((850, 15 / 880, 0.5), "some are visible too"),
            ((880, 0.015, 0.5), "the share of the *visible*"),
            ((880, 0.0341, 0.5), "only half"),
            ((880, 15 / 880, 0.1), "not visible"),
            ((880, 15 / 880, 0.2), "this fifth"),
            ((880, 0.5), "3 answers"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        "6.q1",
        "In a pre-norm Transformer, what is written into the residual stream?",
        (
            Option(
                "The normed stream: after each norm its output takes the place of what stood there before.",
                "The norm is taken on the branch; the stream itself is not replaced.",
            ),
            Option(
                "Only what the last block computes, since each block overwrites the one before.",
                "Every layer adds its part, and all of them are still there at the top.",
            ),
            Option(
                "The embedding, and what each layer adds to it.",
                "Right. Nothing is overwritten, so later layers can read what earlier ones wrote.",
                right=True,
            ),
            Option("The attention weights.", "Weights decide what is fetched; what is fetched is added."),
        ),
    ),
    Quiz(
        "6.q2",
        "Which part of a block moves information from one token to another?",
        (
            Option("Attention.", "Right, and it alone: the rest works on each token by itself.", right=True),
            Option(
                "The feed-forward network.", "It sees one token at a time; you changed one, and only that one's output changed."
            ),
            Option("LayerNorm, which averages over tokens.", "It averages over the C numbers of one token."),
            Option("The residual addition.", "It adds a token's own part to its own stream."),
        ),
    ),
    Quiz(
        "6.q3",
        "A colleague multiplies BERT's masked probabilities and reports a perplexity of 3, against GPT's 5. What do you say?",
        (
            Option(
                "BERT is the better language model, since it may look at both sides of each word.",
                "It may, and that is why the two numbers do not measure the same thing.",
            ),
            Option("The logarithms must have other bases.", "Perplexity does not depend on the base."),
            Option(
                "GPT should be trained longer, until its perplexity can be compared with BERT's.",
                "More training does not make the two comparable.",
            ),
            Option(
                "The product of these is no probability of the text.",
                "Right: each word was predicted from both sides, so the product does not sum to one over all texts.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "6.q4",
        "What is masked while a GPT is trained?",
        (
            Option("15 % of the input tokens.", "That is how BERT is trained."),
            Option(
                "The scores of all later positions.", "Right: the input is intact, and every token is asked for.", right=True
            ),
            Option("The last token of each text.", "Every token is a target, not the last alone."),
            Option("Nothing.", "Then each position would see its own answer in the next token."),
        ),
    ),
    Quiz(
        "6.q5",
        "A GPT with 100 million parameters reads 1 billion tokens in training. About how many operations is that?",
        (
            Option("1 × 10¹⁷", "That is N times the tokens: one operation for each parameter."),
            Option("2 × 10¹⁷", "That is the forward pass alone."),
            Option("6 × 10¹⁷", "Right: 6 N for each token, two forwards and four backwards.", right=True),
            Option("12 × 10¹⁷", "Twice too much: a multiplication and an addition are already counted in the 6."),
        ),
    ),
    Quiz(
        "6.q6",
        "Why could the one-layer model not find who holds what, without a window?",
        (
            Option(
                "It has too few parameters to keep apart all the people and all the things.",
                "A wider single layer has the same trouble.",
            ),
            Option(
                "The key at a thing is made from that thing alone.",
                "Right: it cannot say whose it is. A first layer has to write that into its stream, before a second looks.",
                right=True,
            ),
            Option("Softmax cannot single out one token.", "It can: weights near 1 were common."),
            Option(
                "It has no feed-forward network, in which it could work out who the owner is.",
                "That works on each token by itself, and fetches nothing from any other.",
            ),
        ),
    ),
    Quiz(
        "6.q7",
        "A paper: 'our new activation lowers the loss from 2.011 to 1.998' (one run each). What is missing?",
        (
            Option(
                "The spread over seeds.",
                "Right. GPT-2's own three runs on the GPU (section 6.13) lie further apart than that.",
                right=True,
            ),
            Option("The number of parameters only.", "It matters, but equal sizes would not make one run enough."),
            Option("The accuracy.", "The loss is the finer measure of the two."),
            Option("Nothing: lower is lower.", "Another seed might turn it round."),
        ),
    ),
)
