"""Exercises and quiz of notebook 08, What can you do with a trained model?"""

import math
from fractions import Fraction

from helpers.exercises.choices import Choice, Reasoned
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Number, Several


def answer_targets(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """What a model that reads [end] + prompt + answer is asked for at each place; −100 where it is asked for nothing."""
    text = [end, *prompt, *answer, end]
    targets = text[1:]  # at each place the token after it
    targets[: len(prompt)] = [-100] * len(prompt)  # the first len(prompt) of them are the prompt's own
    return targets


def _not_shifted(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Asks at each place for the token that is read there."""
    return [-100] * (1 + len(prompt)) + answer


def _shifted_twice(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Asks for everything one place too early."""
    return [*answer_targets(prompt, answer, end)[1:], -100]


def _end_forgotten(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Asks for nothing at the answer's last token."""
    return [-100] * len(prompt) + answer + [-100]


def _one_too_short(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Forgets the answer's last place altogether."""
    return [-100] * len(prompt) + answer


def _one_too_long(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Counts the end token in front among the targets."""
    return [-100] * (1 + len(prompt)) + answer + [end]


def _prompt_too(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Asks for the prompt as well."""
    return prompt + answer + [end]


def _one_of_the_prompt(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Asks for the prompt's last token too."""
    return [-100] * (len(prompt) - 1) + prompt[-1:] + answer + [end]


def _first_left_out(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Does not ask for the answer's first token."""
    return [-100] * (1 + len(prompt)) + answer[1:] + [end]


def _masked_by_value(prompt: list[int], answer: list[int], end: int) -> list[int]:
    """Leaves out every token that occurs in the prompt, wherever it stands."""
    return [-100 if token in prompt else token for token in prompt + answer + [end]]


def calibrate(p: list[float], c: list[float]) -> list[float]:
    """Each label's probability over the one that it gets without content, made to sum to one."""
    ratios = [p_i / c_i for p_i, c_i in zip(p, c, strict=True)]
    return [ratio / sum(ratios) for ratio in ratios]


def _normalised(values: list[float]) -> list[float]:
    return [value / sum(values) for value in values]


def _ratios_only(p: list[float], c: list[float]) -> list[float]:
    """Does not divide by the sum."""
    return [p_i / c_i for p_i, c_i in zip(p, c, strict=True)]


def _multiplied(p: list[float], c: list[float]) -> list[float]:
    """Multiplies, so that the bias counts twice."""
    return _normalised([p_i * c_i for p_i, c_i in zip(p, c, strict=True)])


def _upside_down(p: list[float], c: list[float]) -> list[float]:
    """Divides the wrong way round."""
    return _normalised([c_i / p_i for p_i, c_i in zip(p, c, strict=True)])


def _differences(p: list[float], c: list[float]) -> list[float]:
    """Subtracts."""
    return [p_i - c_i for p_i, c_i in zip(p, c, strict=True)]


def _not_calibrated(p: list[float], c: list[float]) -> list[float]:
    """Makes p sum to one, and leaves c alone."""
    return _normalised(p)


def _softmax_of_ratios(p: list[float], c: list[float]) -> list[float]:
    """What Zhao et al. write: a softmax over the ratios."""
    return _normalised([math.exp(p_i / c_i) for p_i, c_i in zip(p, c, strict=True)])


def unbiased_pass(n: int, c: int, k: int) -> float:
    """The share of all sets of k of the n programs in which one of the c right ones is."""
    return 1 - math.comb(n - c, k) / math.comb(n, k)  # whole numbers, exact; comb(2, 3) is 0


def _with_replacement(n: int, c: int, k: int) -> float:
    """Puts each program back before the next is drawn."""
    return 1 - (1 - c / n) ** k


def _all_right(n: int, c: int, k: int) -> float:
    """The share of sets of which all are right."""
    return math.comb(c, k) / math.comb(n, k)


def _none_right(n: int, c: int, k: int) -> float:
    """The share of sets without a right one."""
    return math.comb(n - c, k) / math.comb(n, k)


def _k_ignored(n: int, c: int, k: int) -> float:
    """pass@1, whatever k."""
    return c / n


def _k_times(n: int, c: int, k: int) -> float:
    """k times pass@1, and 1 at most."""
    return min(1.0, k * c / n)


def _as_floats(n: int, c: int, k: int) -> float:
    """Makes floats of the binomials before dividing."""
    return 1 - float(math.comb(n - c, k)) / float(math.comb(n, k))


def _too_few_wrong_ones(n: int, c: int, k: int) -> float:
    """Gives 0 where there are fewer than k wrong ones."""
    return 0.0 if n - c < k else unbiased_pass(n, c, k)


EXERCISES = (
    Exercise(
        id="8.1",
        title="Calibrate",
        kind="implement",
        grade=Function(
            cases=(
                Case(
                    ([0.6, 0.4], [0.8, 0.2]),
                    [3 / 11, 8 / 11],
                    say="0.6 / 0.8 = 0.75 and 0.4 / 0.2 = 2: now the second label wins.",
                ),
                Case(([0.8, 0.2], [0.8, 0.2]), [0.5, 0.5], say="A question without content must get the same for each label."),
                Case(([0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]), [0.7, 0.2, 0.1], say="Without a bias nothing changes."),
                Case(([0.03, 0.01], [0.2, 0.1]), [0.6, 0.4], say="Labels' probabilities need not sum to one, but yours must."),
                Case(([0.5, 0.3, 0.2], [0.5, 0.1, 0.4]), [2 / 9, 6 / 9, 1 / 9]),
            ),
            mistakes=(
                (_ratios_only, "The ratios are right. Divide by their sum, so that they sum to one."),
                (_multiplied, "You multiply, so the prompt's bias counts twice. Divide by c."),
                (_upside_down, "That is c / p, the wrong way round: a likely label gets little."),
                (_differences, "You subtract, which gives negative numbers. Divide: p / c."),
                (_not_calibrated, "c is not used, so the prompt's bias is still there."),
                (_softmax_of_ratios, "That is Zhao et al.'s softmax: the same winner, but it changes p where c has no bias."),
            ),
            why="The winner is the label that the text has made likelier by the largest factor.",
        ),
        hints=(
            "The prompt alone prefers some label. What must become of p where it is exactly c?",
            "Divide each p by its c; what comes out does not sum to one yet.",
            "`ratios = [p_i / c_i for p_i, c_i in zip(p, c)]`, and each over `sum(ratios)`.",
        ),
        solution=r"""
$q_i = (p_i / c_i) \,/\, \sum_j (p_j / c_j)$. Where the text says nothing, $p = c$ and all $q_i$ are equal, which is what one
wants of a question without content. Where the prompt has no bias, $c$ is uniform and $q = p$.
""",
        answer=calibrate,
        wrong_answers=(
            (_ratios_only, "Divide by their sum"),
            (_multiplied, "counts twice"),
            (_upside_down, "wrong way round"),
            (_differences, "You subtract"),
            (_not_calibrated, "c is not used"),
            (_softmax_of_ratios, "the same winner"),
            (lambda p, c: p, "should give"),
        ),
    ),
    Exercise(
        id="8.2",
        title="Ask for the answer only",
        kind="implement",
        grade=Function(
            cases=(
                Case(
                    ([5, 6, 7], [8, 9], 0),
                    [-100, -100, -100, 8, 9, 0],
                    say="It reads 0 5 6 7 8 9. At 7 it is asked for 8, at 8 for 9, and at 9 for the end, 0.",
                ),
                Case(([5], [8], 0), [-100, 8, 0]),
                Case(([], [8, 9], 0), [8, 9, 0], say="Without a prompt all that follows the first end token is the answer."),
                Case(
                    ([4, 3, 4], [3, 4], 3),
                    [-100, -100, -100, 3, 4, 3],
                    say="The same tokens may stand in prompt and answer: what counts is the place.",
                ),
                Case(([1, 2, 3, 4, 5], [6], 9), [-100, -100, -100, -100, -100, 6, 9]),
            ),
            mistakes=(
                (_not_shifted, "At each place you ask for the token that is read there. Ask for the one *after* it."),
                (_shifted_twice, "You ask for each token one place too early: at `prompt[-1]` for the answer's *first* token."),
                (_end_forgotten, "At the answer's last token it is asked for `end`; else it never learns to stop."),
                (_one_too_short, "One target for each token that is read. What is asked for at the answer's last token?"),
                (_one_too_long, "It is one too long: the end token in front is read, but nobody asks for it."),
                (_prompt_too, "That asks for the prompt as well: −100 in its places."),
                (_one_of_the_prompt, "The prompt's last token is still asked for: the first end token has a target, too."),
                (_first_left_out, "The answer's first token is not asked for. It is what comes after the prompt's last one."),
                (_masked_by_value, "You leave out tokens because they occur in the prompt; go by their places instead."),
            ),
            why="PyTorch's cross-entropy leaves out targets of −100 (its `ignore_index`), and takes the mean over the others.",
        ),
        hints=(
            "Write what the model reads in one line, and below each token the one that comes after it. Which of these are the "
            "prompt's?",
            "The whole text is `[end] + prompt + answer + [end]`. The model reads all but its last token; the targets are all "
            "but its first.",
            "The first `len(prompt)` targets are the prompt's own tokens: put −100 there.",
        ),
        solution="""
The targets are the text moved by one place, as in all training since notebook 03. The first end token is asked for the
prompt's first token, the prompt's last token for the answer's first: so `len(prompt)` targets, not one more, are the prompt's.
The end token after the answer stays in: by it the model learns to stop. (`AnswerData` in `helpers/adapting/` does the same.)
""",
        answer=answer_targets,
        wrong_answers=(
            (_not_shifted, "the one *after* it"),
            (_shifted_twice, "one place too early"),
            (_end_forgotten, "never learns to stop"),
            (_one_too_short, "One target for each token"),
            (_one_too_long, "one too long"),
            (_prompt_too, "the prompt as well"),
            (_one_of_the_prompt, "last token is still asked for"),
            (_first_left_out, "first token is not asked for"),
            (_masked_by_value, "go by their places"),
            (lambda prompt, answer, end: [*answer, end], "should give"),
        ),
    ),
    Exercise(
        id="8.3",
        title="How many numbers LoRA trains",
        kind="by hand",
        grade=Number(
            10_240,
            tolerance=0.5,
            wrong={
                5_120: "Half of it. Did you count A without B, or one of the two matrices in each layer?",
                2_560: "A quarter of it. Did you count one layer, or in each layer one matrix's A?",
                1_280: "That is one matrix, with its A and B. There are two in each layer, and 4 layers.",
                640: "That is A alone, of one matrix.",
                20_480: "That is with the key and output matrices as well. Only query and value have LoRA here.",
                204_800: "Those are the matrices themselves, 160 · 160 each. They are frozen; count A and B.",
                25_600: "That is one frozen matrix, 160 · 160. Count what is trained beside it.",
                128: "2 · 4 · 4 · 4? A has a row of 160 numbers for each rank, and B a column of 160.",
            },
            why="The eight matrices themselves hold 204,800 numbers: one number is trained for twenty that stay. The optimiser "
            "keeps its running means for the 10,240 only.",
        ),
        hints=(
            "Beside each matrix stand two new ones, A and B. Write down their shapes.",
            "A is (rank, inputs) and B (outputs, rank). How many matrices get such a pair?",
            "(4 · 160 + 160 · 4) for one matrix; two matrices a layer; 4 layers.",
        ),
        solution=r"""
$A$ is $(4, 160)$ and $B$ is $(160, 4)$: $640 + 640 = 1{,}280$ numbers beside one matrix. Two matrices in each of 4 layers make
eight pairs: $8 \cdot 1{,}280 = 10{,}240$. The frozen matrices have $8 \cdot 160 \cdot 160 = 204{,}800$. The share is
$2 r / C = 8 / 160$, one in twenty; in a model with $C = 4096$ the same rank trains one in five hundred of such matrices.
""",
        answer=10_240,
        wrong_answers=(
            (5_120, "A without B"),
            (2_560, "A quarter of it"),
            (1_280, "one matrix"),
            (640, "A alone"),
            (20_480, "Only query and value"),
            (204_800, "They are frozen"),
            (25_600, "one frozen matrix"),
            (128, "a row of 160 numbers"),
            (12_000, "too large"),
        ),
    ),
    Exercise(
        id="8.4",
        title="Merge",
        kind="by hand",
        grade=Number(
            -4,
            tolerance=1e-6,
            wrong={
                -1: "B A is added without its factor: alpha / rank = 2.",
                -6: "That is the correction alone. Merging adds it to W.",
                -3: "That is an entry of B A alone, without its factor and without W.",
                4: "Did you take (B A)ᵀ? Row from B, column from A: the entry is 3 · (−1).",
                8: "The sign: A's second number is −1.",
                Fraction(1, 2): "The factor is alpha / rank, not rank / alpha.",
                2: "That is the entry of W as it was: the correction there is not 0.",
                7: "That is the upper left entry.",
            },
            why="The merged matrix is [[7, −4], [2, −1]]. It costs no more to compute than W did, and the adapter is gone.",
        ),
        hints=(
            "B A is a matrix of W's shape: B's column times A's row.",
            "Upper right: B's first number times A's second one. Then the factor alpha / rank, then W's entry.",
            "2 + (2 / 1) · 3 · (−1).",
        ),
        solution=r"""
$B A = \begin{pmatrix} 3 \\ 1 \end{pmatrix} \begin{pmatrix} 1 & -1 \end{pmatrix} = \begin{pmatrix} 3 & -3 \\ 1 & -1
\end{pmatrix}$. With $\alpha / r = 2$ the merged matrix is $W + 2 B A = \begin{pmatrix} 7 & -4 \\ 2 & -1 \end{pmatrix}$. One
can check it with any $x$: for $x = (1, 0)^\top$, $W x = (1, 0)^\top$ and $A x = 1$, so $y = (1, 0)^\top + 2 \cdot (3, 1)^\top =
(7, 2)^\top$, the first column.
""",
        answer=-4,
        wrong_answers=(
            (-1, "without its factor"),
            (-6, "correction alone"),
            (-3, "entry of B A alone"),
            (4, "(B A)ᵀ"),
            (8, "The sign"),
            (0.5, "not rank / alpha"),
            (2, "as it was"),
            (7, "upper left"),
            (3, "too large"),
        ),
    ),
    Exercise(
        id="8.5",
        title="What became of the old ability?",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "Give it a larger head for the labels.",
                        "The head stands after the rest. It neither keeps the rest from moving nor brings anything back.",
                    ),
                    "b": (
                        "Label ten times as many reviews, and train all weights on them for as many passes.",
                        "Good for the reviews. Still no document is in the loss, and ten times the steps lead further away.",
                    ),
                    "c": (
                        "Train a LoRA beside the frozen weights; or all weights with fewer and smaller steps, and some of the "
                        "old documents among the reviews.",
                        "Right.",
                    ),
                    "d": (
                        "Let it write documents at a lower temperature.",
                        "Temperature makes likely tokens likelier. Which ones are likely, the changed weights decide.",
                    ),
                },
                right="c",
            ),
            reason=Choice(
                {
                    "x": (
                        "It has overfitted: it knows the 64 reviews by heart and cannot do new ones.",
                        "It does 93 % of the new ones. A training loss of 0 is no loss on what is new.",
                    ),
                    "y": (
                        "Training diverged: the steps were too large for any loss to fall.",
                        "The loss that was trained fell to 0.00.",
                    ),
                    "z": (
                        "It has forgotten: all weights were free to move, and nothing in the loss asked for the old documents.",
                        "Yes. With LoRA the old weights are still there: without the adapter the loss is 0.95 again, exactly. "
                        "Old text in the batches asks for both.",
                    ),
                },
                right="z",
            ),
        ),
        hints=(
            "Three numbers: which of them is about the new task, and which about the old one?",
            "The old weights wrote documents well. What did the 300 steps know of that, and what could hold the weights?",
            "The new task went well, so no cure for it is needed. Look for one by which the old weights, or the old text, take "
            "part.",
        ),
        solution="""
**c, z.** The new task is learned: 0.93 on reviews that it has not seen. What went wrong is the old one: 300 steps moved all
weights for the sake of 64 reviews, and nothing asked for documents (*catastrophic forgetting*). Frozen weights cannot
forget: with LoRA the adapter can be taken off, and the old loss is there again, exactly. (While it is on, nothing is promised:
in section 8.7 it cost less of the old than full tuning in one case of three.) Where all weights shall move, fewer and smaller
steps lead less far, and old documents among the reviews ask for both. Each cure has to be measured on both sides: accuracy on
new reviews *and* loss on old documents.
""",
        answer=("c", "z"),
        wrong_answers=(
            (("a", "z"), "nor brings anything back"),
            (("b", "z"), "lead further away"),
            (("d", "z"), "the changed weights decide"),
            (("c", "x"), "no loss on what is new"),
            (("c", "y"), "fell to 0.00"),
            ("c", "two letters"),
        ),
    ),
    Exercise(
        id="8.6",
        title="Token F1",
        kind="by hand",
        grade=Number(
            Fraction(4, 7),
            tolerance=0.002,
            wrong={
                Fraction(6, 11): "You counted the articles. SQuAD drops a, an and the from both before it compares.",
                Fraction(1, 2): "That is the precision alone, 2 of 4.",
                Fraction(2, 3): "That is the recall alone, 2 of 3.",
                Fraction(7, 12): "That is the plain mean of precision and recall. F1 is their harmonic mean, 2PR / (P + R).",
                Fraction(2, 7): "That is PR / (P + R); the 2 in front is missing.",
                Fraction(1, 3): "That is P · R.",
                Fraction(2, 5): "That is the shared words over all words that occur. F1 is 2PR / (P + R).",
                0: "That is exact match. F1 gives part of the marks.",
            },
            why='More than half of the marks, though it has "by" for "on" and a word of its own: F1 counts words, weighs none.',
        ),
        hints=(
            "What is left of each after SQuAD's normalisation: small letters, no punctuation, no articles?",
            '"old mill by river" against "mill on river". How many words do they share?',
            "P = 2 / 4 and R = 2 / 3; F1 = 2PR / (P + R).",
        ),
        solution=r"""
Without articles the prediction is *old mill by river*, 4 words, the truth *mill on river*, 3 words. Two are shared:
$P = 2/4$, $R = 2/3$, $F_1 = 2PR/(P+R) = 4/7 = 0.571$. Shorter: twice the shared words over all words of both,
$2 \cdot 2 / (4 + 3)$.
""",
        answer=0.571,
        wrong_answers=(
            (0.545, "You counted the articles"),
            (0.5, "precision alone"),
            (0.667, "recall alone"),
            (0.583, "plain mean"),
            (0.286, "the 2 in front"),
            (0.333, "P · R"),
            (0.4, "over all words that occur"),
            (0, "exact match"),
        ),
    ),
    Exercise(
        id="8.7",
        title="pass@k without bias",
        kind="implement",
        grade=Function(
            cases=(
                Case((5, 2, 1), 0.4, say="With k = 1 it is the share of right ones."),
                Case((5, 2, 2), 0.7, say="Of 10 pairs 3 have no right one."),
                Case((4, 2, 3), 1.0, say="Only 2 are wrong, so any 3 hold a right one."),
                Case((5, 0, 3), 0.0),
                Case((3, 3, 1), 1.0),
                Case((10, 3, 5), 11 / 12),
                Case(
                    (2000, 3, 1000), 1 - 1000 * 999 * 998 / (2000 * 1999 * 1998), say="No float is as large as C(2000, 1000)."
                ),
            ),
            mistakes=(
                (_with_replacement, "That puts each program back before the next is drawn: too low on average. Use C(n, k)."),
                (_all_right, "That is the chance that *all* k are right. One is enough."),
                (_none_right, "That is the chance that *none* is right: take it from 1."),
                (_k_ignored, "That is pass@1, whatever k is."),
                (_k_times, "Chances of several tries do not add up: two right ones in a set count once."),
                (_as_floats, "Right for few programs, but no float is as large as C(2000, 1000): divide the whole numbers."),
                (_too_few_wrong_ones, "With fewer than k wrong ones each set holds a right one: that is 1, not 0."),
            ),
            why="From the same n programs pass@k can only grow with k.",
        ),
        hints=(
            "How many sets of k are there, and in how many of them is no right program?",
            "A set without a right one is drawn from the n − c wrong ones. `math.comb(n, k)` counts sets.",
            "`math.comb` gives exact whole numbers, and 0 where k is larger than n. Divide them with `/`, as they are.",
        ),
        solution=r"""
Of the $\binom{n}{k}$ sets of $k$ programs, $\binom{n-c}{k}$ hold wrong ones only; where $n - c < k$ there is no such set, and
`math.comb` gives 0. $1 - (1 - c/n)^k$ would draw the same program twice: from 2 right ones of 4 and $k = 3$ it gives
0.875, though any 3 of the 4 hold a right one. Averaged over many samples of $n$ it is too low; the formula with sets is not.
""",
        answer=unbiased_pass,
        wrong_answers=(
            (_with_replacement, "too low on average"),
            (_all_right, "*all* k are right"),
            (_none_right, "take it from 1"),
            (_k_ignored, "pass@1, whatever"),
            (_k_times, "count once"),
            (_as_floats, "divide the whole numbers"),
            (_too_few_wrong_ones, "that is 1, not 0"),
        ),
    ),
    Exercise(
        id="8.8",
        title="Ten programs at temperature 0",
        kind="experiment",
        grade=Several(
            {
                "pass@1": Between(
                    0.95, 1, below="That is about what temperature 1.2 gives. With 0 the likeliest token is taken each time."
                ),
                "pass@5": Between(
                    0.95, 1, below="From the same programs pass@5 is never below pass@1. Count a task as done if any is right."
                ),
            },
            why="All ten programs of a task are one and the same, so pass@1 = pass@5, whatever k: more tries try nothing new.",
        ),
        hints=(
            "How do ten programs of one task differ, if the likeliest token is taken each time?",
            "The cell that fills `drawn_programs`, with `temperature=0`; then `right_programs` and `passed` as they are.",
            "Since all ten are the same, one draw for each task is enough: repeat its result ten times.",
        ),
        solution="""
**(1, 1)**, or next to it. At temperature 0 the ten are one program ten times, so pass@5 is pass@1. And here it is *higher* than
pass@1 at temperature 1.2, where a draw now and then leaves the form: this model is sure, and right where it is sure, so variety
only costs. Where a model's likeliest program is often wrong, variety pays for large k: Chen et al. found the best temperature
near 0.2 for pass@1 and near 0.8 for pass@100. Report the temperature with every pass@k.
""",
        answer=(1.0, 1.0),
        wrong_answers=(
            ((0.907, 1.0), "temperature 1.2"),
            ((1.0, 0.9), "never below pass@1"),
            ((1.5, 1.0), "larger than it should be"),
            (1.0, "2 answers"),
        ),
    ),
    Exercise(
        id="8.9",
        title="What a constraint does to probabilities",
        kind="by hand",
        grade=Several(
            {
                "step by step": Number(
                    Fraction(1, 2),
                    tolerance=0.00004,
                    wrong={
                        Fraction(1, 101): "That is the condition's. The first step does not see what will come.",
                        Fraction(1, 100): "What follows is looked at only in the next step, when the first token is written.",
                        Fraction(1, 200): "So often the model writes it freely. The constraint makes the second step certain.",
                        1: 'At the first step "b" may be taken as well.',
                    },
                ),
                "on condition": Number(
                    Fraction(1, 101),
                    tolerance=0.00004,
                    wrong={
                        Fraction(1, 100): "1 to 100 is the *ratio* of the two. Which share of both together is it?",
                        Fraction(1, 200): "That is p(a and a match). Divide by p(match), over both beginnings.",
                        Fraction(1, 2): "That is before the condition. Of the texts that match, nearly all begin with b.",
                        Fraction(100, 101): "That is b's share.",
                        0.99: "That is b's share, or nearly.",
                    },
                ),
            },
            why="So the form is kept, and the probabilities are not: text that the model would hardly ever write comes half of "
            "the time. Sampling freely and throwing away what does not match gives 1/101, at the price of the discarded.",
        ),
        hints=(
            "Step by step: which tokens are allowed at the first step, and with which probabilities, after renormalising?",
            "On condition: write down p(a, then what must follow) and p(b, then what must follow).",
            "1/200 and 1/2. Which share of their sum is the first?",
        ),
        solution=r"""
Step by step, both beginnings can still match, so the first step is the model's own: $\frac12$. Then all but what must follow is
ruled out, and it is written with certainty, as unlikely as it was. On condition of a match: $p(a, \text{match}) = \frac12
\cdot \frac1{100} = \frac1{200}$, $p(b, \text{match}) = \frac12$, and $\frac{1/200}{1/200 + 1/2} = \frac1{101} \approx 0.0099$.
""",
        answer=("1/2", "1/101"),
        wrong_answers=(
            (("1/101", "1/101"), "does not see what will come"),
            (("1/100", "1/101"), "only in the next step"),
            (("1/200", "1/101"), "writes it freely"),
            ((1, "1/101"), "may be taken as well"),
            ((0.5, 0.01), "*ratio* of the two"),
            ((0.5, 0.005), "Divide by p(match)"),
            ((0.5, 0.5), "before the condition"),
            ((0.5, 0.99), "b's share, or nearly"),
            ((0.5, 0.2), "too large"),
            ((0.5, "100/101"), "b's share"),
            (0.0099, "2 answers"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        "8.q1",
        "With eight solved examples in the prompt a model answers better than with none. What has changed in the model?",
        (
            Option("Its weights, a little, as after eight steps of training.", "No gradient was computed and no step taken."),
            Option(
                "No weight. It reads another text, and another continuation is likely after it.",
                "Right. So the examples must stand in every prompt, and cost context and time each time.",
                right=True,
            ),
            Option("Its last layer, which now fits the labels.", "That would be a trained head. Here nothing is trained."),
            Option(
                "Its cache, so that later prompts need no examples.",
                "A cache is of this text. A new prompt without the examples begins where it began before.",
            ),
        ),
    ),
    Quiz(
        "8.q2",
        "The six orders of the same three shots give accuracies from 0.55 to 0.85 on your test set. What do you report?",
        (
            Option("0.85: that is what the model can do.", "The order was chosen by the test itself, so that number flatters."),
            Option("0.55, to be on the safe side.", "That is chosen by the test as well, only the other way."),
            Option("Nothing: the model does not work.", "It works, and depends on the order; both belong in the report."),
            Option(
                "The mean and the spread over orders; or one order, chosen on other labelled examples.",
                "Right. The same holds for the template and for which examples are shown.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "8.q3",
        "After your prompt a review gets 0.7 for “positive” and 0.3 for “negative”; “N/A” in its place gets 0.8 and 0.2. "
        "What does calibration answer?",
        (
            Option(
                "Negative: 0.7 / 0.8 is less than 0.3 / 0.2.",
                "Right. The prompt alone leans to “positive”; this review has made it less likely. (0.37 to 0.63.)",
                right=True,
            ),
            Option("Positive: 0.7 is more than 0.3.", "That is without calibration: the prompt's own bias is counted in."),
            Option(
                "Positive, with 0.56 to 0.06: the probabilities are multiplied.",
                "That counts the bias twice. One divides by what a question without content gets.",
            ),
            Option("Neither: the two must be averaged.", "An average would still have the bias in it."),
        ),
    ),
    Quiz(
        "8.q4",
        "Why is the loss of instruction tuning usually taken on the answer only?",
        (
            Option(
                "The model must not see the prompt.", "It reads the prompt: the answer depends on it. It is not asked for it."
            ),
            Option("No gradient can pass through the prompt.", "It does: the answer's loss reaches it through attention."),
            Option(
                "In use the prompt is given, so there is nothing to gain from learning to write it.",
                "Right. A habit, not a law: with long prompts and few short answers asking for both was found to help (Shi et "
                "al., 2024).",
                right=True,
            ),
            Option("The prompt's loss is zero anyway.", "It is large: what somebody will ask is hard to foresee."),
        ),
    ),
    Quiz(
        "8.q5",
        "LoRA starts B at zero and draws A at random. Why?",
        (
            Option("Both at zero would do as well.", "B's gradient has A in it, and A's has B: neither would ever move."),
            Option("Both at random would be faster.", "Then training begins with a random change of every such matrix."),
            Option("Zeros take no memory.", "They are stored as any other numbers, and trained."),
            Option(
                "B A = 0, so the model begins as it was; and since A is not zero, B has a gradient at once.",
                "Right. A's gradient is zero in the first step, as B is, and no longer after it.",
                right=True,
            ),
        ),
    ),
    Quiz(
        "8.q6",
        "A classifier of reviews has an accuracy of 0.90. What do you ask first?",
        (
            Option("How long it was trained.", "That says what it cost, and not whether 0.90 is good."),
            Option(
                "How frequent the most frequent label is.",
                "Right. If 0.90 of the reviews are positive, “positive” for every text does as well, without reading. A bag of "
                "words is the next baseline.",
                right=True,
            ),
            Option("How many parameters it has.", "A baseline of one line may reach the same."),
            Option("Its training accuracy.", "That tells about overfitting; 0.90 on new reviews can still be worth nothing."),
        ),
    ),
    Quiz(
        "8.q7",
        "Exact match, BLEU and ROUGE compare a text with a reference. What do all three miss?",
        (
            Option(
                "Meaning: another wording loses marks or all of them, and an added “not” may cost hardly any.",
                "Right. Exact match is hardest on the first; BLEU and ROUGE, which count the n-grams that both texts have, "
                "are mild on the second.",
                right=True,
            ),
            Option(
                "Length: a longer text always wins.", "BLEU has a penalty for short ones, and precision falls with padding."
            ),
            Option("Nothing, if one reports all three.", "Three comparisons of words are still comparisons of words."),
            Option("Word order.", "Exact match sees it all, and n-grams of two words or more see much of it."),
        ),
    ),
    Quiz(
        "8.q8",
        "From the same ten programs for each task you estimate pass@1 = 0.3 and pass@5 = 0.6. What follows?",
        (
            Option(
                "Somebody has miscounted: five right ones are rarer than one.",
                "pass@5 asks that one of five be right; that is easier.",
            ),
            Option(
                "The model is better when it writes five.", "They are the same programs. It is the question that is easier."
            ),
            Option(
                "No more than that five tries hold a right one more often than one; one still has to find it.",
                "Right. From the same programs pass@k never falls with k. Finding the right one takes tests that you can run.",
                right=True,
            ),
            Option("pass@10 will be 1.2, so 1.", "Chances of tries do not add up. A task that it cannot do stays undone."),
        ),
    ),
    Quiz(
        "8.q9",
        "You “augment” 64 labelled reviews with nine unchanged copies of each and train for five passes as before. The "
        "accuracy on new reviews rises. Why?",
        (
            Option("640 examples say more than 64.", "A copy says nothing that the original has not said."),
            Option(
                "There were ten times as many steps: copies add no information, but they add training.",
                "Right. Compare with 50 passes over the 64. An augmentation has to be better than that at equally many steps.",
                right=True,
            ),
            Option("Some copies are among the new reviews.", "That would happen if you copied before setting the test apart."),
            Option(
                "Copies act as regularisation.",
                "The mean loss over all ten is the old mean loss: what is best for one is best for the other.",
            ),
        ),
    ),
    Quiz(
        "8.q10",
        "With constrained decoding all answers are valid JSON of the right shape. What do you know about their values?",
        (
            Option("They are right more often than without.", "Perhaps. Nothing in the constraint looks at what is true."),
            Option(
                "They are the model's likeliest values among the valid ones.",
                "They are drawn step by step; a beginning is not chosen with a view to what must follow it (exercise 8.9).",
            ),
            Option("They can be trusted, since the form is checked.", "A wrong name is a valid string."),
            Option(
                "That they can be read; whether they are right is to be measured.",
                "Right. Where a model rules out what the pattern asks for, it writes it all the same.",
                right=True,
            ),
        ),
    ),
)
