"""Exercises and quiz of notebook 02, How far can counting go?"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from helpers.exercises.choices import Choice, Reasoned
from helpers.exercises.feedback import Feedback, wrong
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Between, Number, Several, to_number


def add_k(counts: Sequence[int], k: float) -> list[float]:
    """Add-k smoothing: counts (V,) → probabilities (V,)."""
    total = sum(counts) + k * len(counts)
    return [(count + k) / total for count in counts]


def _without_vocabulary(counts: Sequence[int], k: float) -> list[float]:
    """The usual slip: k is added above the line, and nothing below it."""
    return [(count + k) / max(sum(counts), 1) for count in counts]


def _k_once(counts: Sequence[int], k: float) -> list[float]:
    """k is added once below the line, in place of once for every token."""
    return [(count + k) / (sum(counts) + k) for count in counts]


def _plus_vocabulary(counts: Sequence[int], k: float) -> list[float]:
    """V is added below the line, whatever k is."""
    return [(count + k) / (sum(counts) + len(counts)) for count in counts]


def continuation_counts(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    """For each word, how many different tokens came right before it: list of lists of words → dict."""
    before = {}
    for sentence in sentences:
        tokens = ["<s>", *sentence, "</s>"]
        for left, word in pairwise(tokens):
            before.setdefault(word, set()).add(left)
    return {word: len(lefts) for word, lefts in before.items()}


def _occurrences(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    """Counts how often, not after how many different tokens."""
    counts = {}
    for sentence in sentences:
        for word in [*sentence, "</s>"]:
            counts[word] = counts.get(word, 0) + 1
    return counts


def _without_marks(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    """Forgets <s> and </s>."""
    before = {}
    for sentence in sentences:
        for left, word in pairwise(sentence):
            before.setdefault(word, set()).add(left)
    return {word: len(lefts) for word, lefts in before.items()}


def _followers(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    """Looks to the right in place of the left."""
    after = {}
    for sentence in sentences:
        tokens = ["<s>", *sentence, "</s>"]
        for left, word in pairwise(tokens):
            after.setdefault(left, set()).add(word)
    return {word: len(rights) for word, rights in after.items()}


def witten_bell(counts: Sequence[int], lower: Sequence[float]) -> list[float]:
    """Witten–Bell smoothing of one context: counts (V,), lower-order probabilities (V,) → probabilities (V,)."""
    n_tokens, n_types = sum(counts), sum(count > 0 for count in counts)
    if n_tokens == 0:
        return list(lower)
    return [(count + n_types * q) / (n_tokens + n_types) for count, q in zip(counts, lower, strict=True)]


def _types_are_vocabulary(counts: Sequence[int], lower: Sequence[float]) -> list[float]:
    """Takes V for T."""
    total = sum(counts) + len(counts)
    return [(count + len(counts) * q) / total for count, q in zip(counts, lower, strict=True)]


def _only_unseen(counts: Sequence[int], lower: Sequence[float]) -> list[float]:
    """Gives the lower order's share to unseen tokens only, and so loses part of it."""
    n_tokens, n_types = sum(counts), sum(count > 0 for count in counts)
    if n_tokens == 0:
        return list(lower)
    return [(count if count else n_types * q) / (n_tokens + n_types) for count, q in zip(counts, lower, strict=True)]


def _no_empty_context(counts: Sequence[int], lower: Sequence[float]) -> list[float]:
    """Divides by zero after a context never seen."""
    n_tokens, n_types = sum(counts), sum(count > 0 for count in counts)
    return [(count + n_types * q) / (n_tokens + n_types) for count, q in zip(counts, lower, strict=True)]


class _NotTheSame(Between):
    """A small difference, but not exactly none: that is what a number minus itself gives."""

    def __call__(self, answer: object) -> Feedback:
        if to_number(answer) == 0:
            return wrong("Exactly 0: did you turn the lines around at all?")
        return super().__call__(answer)


EXERCISES = (
    Exercise(
        id="2.1",
        title="A short sentence",
        kind="by hand",
        grade=Number(
            Fraction(1, 5),
            tolerance=0,
            wrong={
                Fraction(2, 5): "You left out the end: after `king` the sentence has to stop, and that is one of two ways on.",
                Fraction(3, 10): "You left out the beginning: the first word is predicted too, from `<s>`.",
                Fraction(3, 5): "That is only P(king | the). The first word and the end have probabilities too.",
                0: "The sentence is not among the six, but all its pairs are: multiply their probabilities.",
            },
            why="4/6 · 3/5 · 2/4: the start, the pair, and the stop.",
        ),
        hints=(
            "The tokens are `<s> the king </s>`. How many pairs does that make?",
            "Multiply P(the | `<s>`), P(king | the) and P(`</s>` | king), each a count of a pair over the count of "
            "its first token.",
        ),
        solution=r"""
Three pairs: `<s> the` came in 4 of 6 sentences, `the king` in 3 of 5 cases of `the`, and `king </s>` in 2 of 4 cases of `king`:

$$\tfrac46 \cdot \tfrac35 \cdot \tfrac24 = \tfrac15.$$
""",
        answer="1/5",
        wrong_answers=(
            ("2/5", "the end"),
            ("3/10", "the beginning"),
            ("3/5", "only P(king | the)"),
            (0, "not among the six"),
            ("1/6", "too small"),
        ),
    ),
    Exercise(
        id="2.2",
        title="Add k",
        kind="implement",
        grade=Function(
            cases=(
                Case(([3, 1, 0], 1), [4 / 7, 2 / 7, 1 / 7]),
                Case(([3, 1, 0], 0.5), [3.5 / 5.5, 1.5 / 5.5, 0.5 / 5.5]),
                Case(([0, 0], 0.1), [1 / 2, 1 / 2], say="With no counts at all, every token is as likely as any other."),
            ),
            mistakes=(
                (
                    _without_vocabulary,
                    "Your probabilities sum to more than 1: what was added above the line is missing below it.",
                ),
                (_k_once, "You added k once below the line; it was added to each of the V counts above it."),
                (_plus_vocabulary, "V below the line is right for k = 1 only: how much was added in all?"),
            ),
            why="And they sum to one, whatever the counts are.",
        ),
        hints=(
            "Pretend that you have seen every token k times more than you have.",
            "How much do all counts together grow when each of the $V$ tokens gets $k$ more?",
        ),
        solution="Adding $k$ to each of $V$ counts adds $kV$ to their sum, so that is what to divide by.",
        answer=add_k,
        wrong_answers=(
            (_without_vocabulary, "sum to more than 1"),
            (_k_once, "once below the line"),
            (_plus_vocabulary, "k = 1 only"),
            (lambda counts, k: [count / max(sum(counts), 1) for count in counts], "it should give"),
            ([4 / 7, 2 / 7, 1 / 7], "without calling it"),
        ),
    ),
    Exercise(
        id="2.3",
        title="The next fish",
        kind="by hand",
        grade=Several(
            {
                "P(a new kind)": Number(
                    Fraction(1, 6),
                    wrong={
                        Fraction(
                            1, 2
                        ): "Half of the *kinds* came once; the question is about the next *fish*: divide by the 18 fish.",
                        0: "Three of your kinds came just once: that is a sign that there are more in the lake.",
                        Fraction(1, 18): "That is one of the singletons; there are three.",
                    },
                ),
                "1*": Number(
                    Fraction(2, 3),
                    wrong={
                        1: "That is the count itself. r* = (r + 1) · n(r + 1) / n(r).",
                        Fraction(1, 3): "That is n₂/n₁; the factor r + 1 = 2 is missing.",
                        6: "n₁ and n₂ are the other way round.",
                    },
                ),
            },
            why="Three of 18 fish came alone, so one in six will be new; and each trout, salmon or eel counts for 2/3 "
            "of a fish.",
        ),
        hints=(
            "Count kinds by their counts: how many came once ($n_1$), how many twice ($n_2$)? How many fish are there in all?",
            "P(new) = $n_1 / N$ with $N = 18$ fish, and $1^* = 2\\, n_2 / n_1$.",
        ),
        solution=r"""
$N = 10 + 3 + 2 + 1 + 1 + 1 = 18$ fish, $n_1 = 3$ (trout, salmon, eel), $n_2 = 1$ (whitefish). So

$$P(\text{new}) = \frac{n_1}{N} = \frac{3}{18} = \frac16, \qquad 1^* = 2\,\frac{n_2}{n_1} = \frac23.$$
""",
        answer=("1/6", "2/3"),
        wrong_answers=(
            (("1/2", "2/3"), "divide by the 18 fish"),
            ((0, "2/3"), "more in the lake"),
            (("1/18", "2/3"), "there are three"),
            (("1/6", 1), "the count itself"),
            (("1/6", "1/3"), "factor r + 1"),
            (("1/6", 6), "other way round"),
            ("1/6", "2 answers"),
        ),
    ),
    Exercise(
        id="2.4",
        title="Continuation counts",
        kind="implement",
        grade=Function(
            cases=(
                Case(
                    ([["good", "morrow"], ["good", "morrow"], ["my", "grief"], ["old", "grief"]],),
                    {"good": 1, "my": 1, "old": 1, "morrow": 1, "grief": 2, "</s>": 2},
                ),
                Case(([["a", "a", "b"], ["b"]],), {"a": 2, "b": 2, "</s>": 1}),
                Case(([],), {}, say="No sentences, no words: an empty dict."),
            ),
            mistakes=(
                (_occurrences, "You counted how often each word came; count after how many *different* tokens it came."),
                (
                    _without_marks,
                    "The first word of a sentence has `<s>` before it, and `</s>` follows the last one: add both marks.",
                ),
                (_followers, "You counted what comes *after* each word; continuation counts look at what comes before."),
            ),
            why="`morrow` is as frequent as `grief` here, and has half its continuations.",
        ),
        hints=(
            "For each word keep a *set* of the tokens that came right before it.",
            'Go through the neighbours in ["<s>", *sentence, "</s>"] and add the left one to the set of the right one.',
        ),
        solution="A set forgets repetitions, so its size is the number of different predecessors.",
        answer=continuation_counts,
        wrong_answers=(
            (_occurrences, "how often"),
            (_without_marks, "add both marks"),
            (_followers, "before"),
            (lambda sentences: {word: 1 for sentence in sentences for word in sentence}, "it should give"),
        ),
    ),
    Exercise(
        id="2.5",
        title="Why continuations below, and counts on top?",
        kind="explain",
        grade=Reasoned(
            statement=Choice(
                {
                    "a": (
                        "The lower order matters equally after every context.",
                        "No: after a context with many counts, which has already had its say, it hardly matters.",
                    ),
                    "b": (
                        "The lower order matters most where the longer context has not seen the word.",
                        "Right: what the longer context knows, it says itself.",
                    ),
                    "c": (
                        "Continuation counts are smaller, so the lower order gets less weight.",
                        "Its weight is set by the discounts. Continuation counts change how it shares, not how much.",
                    ),
                },
                right="b",
            ),
            reason=Choice(
                {
                    "x": (
                        "Frequent words are always likely in new contexts.",
                        "`morrow` is frequent, and hardly ever comes in a new context.",
                    ),
                    "y": (
                        "So it should say how likely a word is in a context where it is new, and only that makes the "
                        "totals come out right.",
                        "Yes. With it the model expects each word exactly as often as it came.",
                    ),
                    "z": (
                        "Continuation counts are faster to compute.",
                        "They take one more pass; the reason is what they estimate.",
                    ),
                },
                right="y",
            ),
        ),
        hints=(
            "When does the lower-order part of the formula decide, and when hardly at all?",
            "After `good`, `morrow` has a count of its own. Where is the unigram's opinion of `morrow` needed?",
        ),
        solution="""
**b, y.** Where the longer context has seen the word, its own count speaks. The lower order decides for words that are *new* to
the context. How likely a word is to be new somewhere is what continuation counts measure. At the top there is no longer
context, so plain counts are what is known.
""",
        answer=("b", "y"),
        wrong_answers=(
            (("a", "y"), "already had its say"),
            (("c", "y"), "how it shares"),
            (("b", "x"), "hardly ever comes in a new context"),
            (("b", "z"), "what they estimate"),
            ("b", "two letters"),
        ),
    ),
    Exercise(
        id="2.6",
        title="Backwards",
        kind="experiment",
        grade=_NotTheSame(
            -0.02,
            0.02,
            below="Did you turn the validation lines around too, and leave their order alone?",
            above="That is the level, or half of the work: did you turn the validation lines around too, and subtract the "
            "straight text's bits (`modified_bits[6]`)? The difference is asked for.",
            why="Hardly any difference. Both ways the model spells out the same text, and by the chain rule the truth "
            "costs the same in either direction.",
        ),
        hints=(
            "Fit `NGramModel.fit([line[::-1] for line in train], 7)`; the validation lines must be turned in the same way.",
            "`bits_per_byte(model.log_probs(model.encode_all(turned)), corpus.val)`, minus `modified_bits[6]`.",
        ),
        solution="""
```python
backward = NGramModel.fit([line[::-1] for line in train], 7)
turned = [line[::-1] for line in val]
bits_per_byte(backward.log_probs(backward.encode_all(turned)), corpus.val) - modified_bits[6]
```

On Shakespeare the difference is 0.0013 bits per byte. The chain rule holds in both directions, so the true cost of a text is
the same; the model comes near that. (Guessing backwards *feels* harder to people, as Shannon found in 1951, yet they lose
little.) """,
        answer=0.0013,
        wrong_answers=(
            (0, "turn the lines around at all"),
            (2.2145, "The difference is asked for"),
            (4.2, "larger"),
            (-2.2, "smaller"),
            ("equal", "one number"),
        ),
    ),
    Exercise(
        id="2.7",
        title="Witten and Bell",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case(([3, 1, 0, 0], [0.4, 0.3, 0.2, 0.1]), [3.8 / 6, 1.6 / 6, 0.4 / 6, 0.2 / 6]),
                Case(([1, 0], [0.25, 0.75]), [1.25 / 2, 0.75 / 2]),
                Case(([0, 0], [0.25, 0.75]), [0.25, 0.75], say="After a context never seen, the lower order answers alone."),
            ),
            mistakes=(
                (_types_are_vocabulary, "T is the number of *different followers seen*, the non-zero counts, not V."),
                (
                    _only_unseen,
                    "Your probabilities sum to less than 1: the lower order's share belongs to all words, seen ones too.",
                ),
                (_no_empty_context, "After a context never seen N + T is 0: return the lower order."),
            ),
            why="T votes for the unknown among N + T: a context with many different followers expects more new ones.",
        ),
        hints=(
            "$T$ is the number of counts that are not zero.",
            "Treat `sum(counts) == 0` first, and return `lower`.",
        ),
        solution="With all $T$ votes shared by the lower order, the sum is $(N + T \\cdot 1)/(N + T) = 1$.",
        answer=witten_bell,
        wrong_answers=(
            (_types_are_vocabulary, "not V"),
            (_only_unseen, "sum to less than 1"),
            (_no_empty_context, "N + T is 0"),
            (lambda counts, lower: list(lower), "it should give"),
        ),
    ),
    Exercise(
        id="2.8",
        title="Whose perplexity is better?",
        kind="explain",
        grade=Choice(
            {
                "a": (
                    "Yes: 4.6 is smaller than 21.",
                    "A perplexity is per token, and a BPE token spans several characters. The numbers are in different units.",
                ),
                "b": (
                    "No: BPE models are always better.",
                    "That may turn out so, but these two numbers cannot show it.",
                ),
                "c": (
                    "These numbers do not compare; I need the total log loss of both on the same text, per byte.",
                    "Yes. If a BPE token is 2.5 bytes on average, perplexity 21 is log₂ 21 / 2.5 = 1.76 bits per "
                    "byte, against log₂ 4.6 = 2.2.",
                ),
                "d": (
                    "Divide 21 by the vocabulary size of the BPE model first.",
                    "Vocabulary size does not turn tokens into bytes; the length of the tokens does.",
                ),
            },
            right="c",
        ),
        hints=("Perplexity per *what*?", "What would the two numbers be, had both models had to spell the same bytes?"),
        solution="""
**c.** A perplexity is the exponential of a loss *per token*. A longer token is harder to guess and there are fewer of them.
Bits per byte, the total loss over the bytes of the same text, compares; and only if both models spell out the whole text.
""",
        answer="c",
        wrong_answers=(("a", "per token"), ("b", "cannot show it"), ("d", "length of the tokens"), ("e", "Choose one")),
    ),
)

QUIZZES = (
    Quiz(
        id="2.q1",
        question="A trigram model without smoothing meets a pair of words that it has never seen. What does it predict?",
        options=(
            Option(
                "It cannot say: 0/0 is undefined.",
                "Right: the pair's count is 0, and so is that of anything after it.",
                right=True,
            ),
            Option(
                "Every word with the same probability.", "Add-one smoothing would; plain relative frequencies divide 0 by 0."
            ),
            Option(
                "What the bigram model predicts.",
                "That is backing off, and has to be built in (the helper's `mle` does it, after a context never seen).",
            ),
        ),
    ),
    Quiz(
        id="2.q2",
        question="Why do relative frequencies maximise the likelihood of the training text?",
        options=(
            Option("Because they are the simplest estimate.", "Simple is no argument: many simple estimates are worse."),
            Option(
                "Because they give zero to unseen words.", "They do, and that follows from maximising, not the other way round."
            ),
            Option(
                "Because any other distribution loses N times its KL divergence from them.",
                "Yes: and the KL divergence is zero for the relative frequencies only.",
                right=True,
            ),
        ),
    ),
    Quiz(
        id="2.q3",
        question="A program computes (c + 1) / N for each of V words and reports a perplexity. What is wrong?",
        options=(
            Option(
                "The perplexity is too high.",
                "It is too low: the model promises more than 1 in all, so every word looks likelier.",
            ),
            Option(
                "The numbers sum to 1 + V/N, so the perplexity means nothing.",
                "Right: nothing was added below the line.",
                right=True,
            ),
            Option(
                "Nothing: that is Laplace smoothing.", "Laplace divides by N + V. Without V the numbers are no probabilities."
            ),
        ),
    ),
    Quiz(
        id="2.q4",
        question="In a text of N tokens, n₁ words came exactly once. What is n₁/N a good estimate of?",
        options=(
            Option(
                "The probability that the next token is a word not seen so far.",
                "Yes, Good and Turing's argument: take one token away.",
                right=True,
            ),
            Option("The share of the vocabulary that is rare.", "That would be n₁ over the number of different words."),
            Option(
                "The probability of each word that came once.", "All of them together have less than that; each has about 1*/N."
            ),
        ),
    ),
    Quiz(
        id="2.q5",
        question="Two words are equally frequent; one comes after 4 different words, the other after 40. Which does "
        "Kneser–Ney's unigram prefer?",
        options=(
            Option(
                "Neither: they are equally frequent.", "That is the plain unigram, and the flaw that Kneser and Ney mended."
            ),
            Option(
                "The one with 4: it is easier to predict.",
                "After its usual contexts, yes; there the higher order predicts it already.",
            ),
            Option("The one with 40, ten times as much.", "Right: the unigram counts contexts, not occurrences.", right=True),
        ),
    ),
    Quiz(
        id="2.q6",
        question="On the world's stories, why is even order 7 hardly better than a coin for `she` or `he` six tokens after "
        "the name?",
        options=(
            Option("Seven tokens were too few to reach the name.", "Six tokens back is inside its window."),
            Option(
                "It has rarely seen these very words in between, so it backs off to a shorter context without the name.",
                "Yes: a table knows exact strings, and long ones hardly ever come again.",
                right=True,
            ),
            Option("Both pronouns are equally likely there.", "Not to the grammar: the name decides, with certainty."),
        ),
    ),
    Quiz(
        id="2.q7",
        question="Why can you not report the perplexity of a stupid-backoff model?",
        options=(
            Option("It is too slow on large texts.", "It is the fastest of all; that is what it was made for."),
            Option(
                "It gives zero to unseen words.",
                "It gives every known word something: that is the problem, with nothing taken away elsewhere.",
            ),
            Option(
                "Its scores do not sum to 1: more after a seen context, 0.4 after an unseen one.",
                "Right: they rank, but they are no probabilities.",
                right=True,
            ),
        ),
    ),
)
