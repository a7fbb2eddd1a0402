"""Exercises and quiz of notebook 01, How likely is a sentence?"""

import math
from fractions import Fraction

from helpers.exercises.choices import MultiChoice
from helpers.exercises.functions import Case, Function
from helpers.exercises.model import Exercise, Option, Quiz
from helpers.exercises.values import Number


def sentence_probability(sentence, p_next):
    p = 1
    for t, word in enumerate([*sentence, "</s>"]):
        p = p * p_next(word, sentence[:t])
    return p


def _without_end(sentence, p_next):
    p = 1
    for t, word in enumerate(sentence):
        p = p * p_next(word, sentence[:t])
    return p


def _without_context(sentence, p_next):
    p = 1
    for word in [*sentence, "</s>"]:
        p = p * p_next(word, [])
    return p


def _steady(word, context):
    return {"yes": Fraction(1, 2), "no": Fraction(1, 4), "</s>": Fraction(1, 4)}[word]


def _once_only(word, context):
    left = [w for w in ("yes", "no", "</s>") if w not in context]
    return Fraction(word in left, len(left))


def log_add(a, b):
    high, low = max(a, b), min(a, b)
    if high == -math.inf:
        return high
    return high + math.log1p(math.exp(low - high))


def my_perplexity(probabilities):
    if 0 in probabilities:
        return math.inf
    return math.exp(-sum(math.log(p) for p in probabilities) / len(probabilities))


def words_of(point, parts):
    words = []
    while not words or words[-1] != "stop":
        for word, share in parts.items():
            if point < share:
                words.append(word)
                point = point / share
                break
            point = point - share
    return words


def _one_word(point, parts):
    return words_of(point, parts)[:1]


def _never_goes_in(point, parts):
    words = []
    for word, share in parts.items():
        if point < share:
            words.append(word)
            break
        point -= share
    return [*words, "stop"]


_PARTS = {"yes": Fraction(30, 100), "no": Fraction(18, 100), "why": Fraction(12, 100), "stop": Fraction(40, 100)}
_HALVES = {"go": Fraction(1, 2), "stop": Fraction(1, 2)}

EXERCISES = (
    Exercise(
        id="1.1",
        title="A conditional probability by counting",
        kind="by hand",
        grade=Number(
            Fraction(3, 5),
            tolerance=0,
            wrong={
                Fraction(1, 4): "That is the joint probability, out of all twelve. Given «cat», only sentences with it count.",
                Fraction(3, 4): "That is the other way round: «cat» second, given that it ends in «sleeps».",
                Fraction(2, 5): "Five is right. «the cat sleeps» is listed twice, so it counts twice above the line too.",
                Fraction(5, 12): "That is how often «cat» comes second. Of those five, how many end in «sleeps»?",
                Fraction(1, 2): "Either «a cat sleeps» is missing, or «the cat sleeps» was counted once; it is listed twice.",
            },
            why="Five sentences have «cat» second, and three of those end in «sleeps».",
        ),
        hints=(
            "Which sentences are still possible once the second word is «cat»? Do not forget that some are listed twice.",
            "Five are. Now count those of the five that end in «sleeps».",
        ),
        solution=(
            "«the cat sleeps» (twice), «the cat sees the dog», «the cat sees a dog» and «a cat sleeps» have «cat» "
            "second: five. Three of them end in «sleeps»:\n\n$$P(\\text{sleeps} \\mid \\text{cat}) = \\tfrac35.$$"
        ),
        answer=Fraction(3, 5),
        wrong_answers=(
            (Fraction(1, 4), "joint"),
            (Fraction(3, 4), "other way round"),
            (Fraction(1, 2), "listed twice"),
            (Fraction(2, 5), "counts twice above"),
            (Fraction(5, 12), "Of those five"),
            (0.61, "too large"),
            ("three fifths", "one number"),
        ),
    ),
    Exercise(
        id="1.2",
        title="How long is an average sentence?",
        kind="by hand",
        grade=Number(
            0.25,
            tolerance=0.001,
            wrong={
                0.75: "Twice the chance to stop is not half the length. Put 0.8 into the formula.",
                1.25: "That counts the stop as a word: 1/0.8. The words before it are one fewer.",
                3: "More stopping makes sentences shorter, not longer.",
                4: "That is upside down: (1 − p)/p, not p/(1 − p).",
                0.2: "That is the chance to go on. How many words come before the stop, on average?",
                0.8: "That is the chance to stop. How many words come before it, on average?",
            },
            why="0.2/0.8: doubling the chance to stop made sentences six times shorter, for going on became so much rarer.",
        ),
        hints=(
            "A sentence of n words goes on n times and then stops: its probability is 0.2ⁿ · 0.8.",
            "Let m be the average. With probability 0.2 there is a first word, and then all is as before: m = 0.2 (1 + m).",
        ),
        solution=(
            "Let $m$ be the average. With probability $1-p$ there is a first word, and after it everything is as at the "
            "start: $m = (1-p)(1+m)$, so $m = (1-p)/p$: "
            "for $p = 0.4$ it is 1.5, for $p = 0.8$ it is $0.2/0.8 = 0.25$."
        ),
        answer=0.25,
        wrong_answers=(
            (0.75, "not half"),
            (1.25, "counts the stop"),
            (3, "shorter"),
            (4, "upside down"),
            (0.2, "chance to go on"),
        ),
    ),
    Exercise(
        id="1.3",
        title="Probability of a sentence",
        kind="implement",
        grade=Function(
            cases=(
                Case((["yes"], _steady), Fraction(1, 8)),
                Case(([], _steady), Fraction(1, 4), "The empty sentence is a sentence too: it stops at once."),
                Case(
                    (["no", "yes"], _once_only),
                    Fraction(1, 6),
                    "This model never repeats a word: pass the words so far on to it.",
                ),
                Case((["yes", "yes"], _once_only), 0),
            ),
            mistakes=(
                (
                    _without_end,
                    'You multiplied along, but the sentence never stops: multiply by the probability of `"</s>"` too.',
                ),
                (_without_context, "Each word is asked for without its context; pass the words before it, as a list."),
                (
                    lambda s, p: math.log(sentence_probability(s, p)) if sentence_probability(s, p) else -math.inf,
                    "That is the log probability. The exercise asks for the probability itself.",
                ),
            ),
            why="It answers «what comes next?» once for every word and once for the end.",
        ),
        hints=(
            'Start with 1. For each word, and then for `"</s>"`, multiply by `p_next(word, context)`.',
            'The context of word number t is `sentence[:t]`; that of `"</s>"` is the whole sentence.',
        ),
        solution="Append the end, then multiply the answers to «what comes next?»:",
        answer=sentence_probability,
        wrong_answers=((_without_end, "never stops"), (_without_context, "without its context"), (0.125, "function itself")),
    ),
    Exercise(
        id="1.4",
        title="Adding probabilities that are logarithms",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case((math.log(0.25), math.log(0.5)), math.log(0.75)),
                Case(
                    (-1000.0, -1001.0),
                    -999.6867383124818,
                    "Both exponentials are 0 here. Take the larger out of the sum first.",
                ),
                Case((0.0, -5000.0), 0.0),
                Case((-2.0, -math.inf), -2.0, "log 0 is −∞, and adding 0 changes nothing."),
                Case((-math.inf, -math.inf), -math.inf, "0 + 0 is 0, whose logarithm is −∞; beware of ∞ − ∞."),
            ),
            mistakes=(
                (lambda a, b: a + b, "Adding logarithms multiplies the probabilities. Here they are to be added."),
                (
                    lambda a, b: math.log1p(math.exp(-abs(a - b))) if min(a, b) > -math.inf else 0.0,
                    "You took the larger one out and did not put it back: add it at the end.",
                ),
                (
                    lambda a, b: max(a, b),
                    "Close when one is much larger, but two equal halves make a whole: you dropped the smaller one.",
                ),
            ),
            why="This little function (log-sum-exp) sits inside every softmax of the course.",
        ),
        hints=(
            "$e^a + e^b = e^a (1 + e^{b-a})$. Take the logarithm of the right-hand side.",
            "If $a$ is the larger one, $e^{b-a}$ is at most 1 and cannot overflow; where it underflows to 0, nothing is lost.",
            "Two probabilities of 0 are a case of their own: `-inf - -inf` is not a number.",
        ),
        solution=(
            "Take the larger one out: $\\log(e^a + e^b) = a + \\log(1 + e^{b-a})$ for $a \\ge b$. `log1p` keeps the digits "
            "where the second term is tiny."
        ),
        answer=log_add,
        wrong_answers=(
            (lambda a, b: math.log(math.exp(a) + math.exp(b)), "Take the larger out"),
            (lambda a, b: a + b, "multiplies"),
            (max, "dropped the smaller"),
        ),
    ),
    Exercise(
        id="1.5",
        title="The entropy of a loaded coin",
        kind="by hand",
        grade=Number(
            0.8113,
            tolerance=0.005,
            wrong={
                0.5623: "That is in nats: you took natural logarithms. The question asks for bits; divide by ln 2.",
                1.2075: "Each surprisal is weighted by its own probability; you took the plain average of the two.",
                1: "That is a fair coin. A loaded one is easier to foresee, so it tells you less.",
                -0.8113: "Surprisal is minus the logarithm: check the sign.",
                0.415: "That is the surprisal of heads alone. Average it with that of tails, each by its probability.",
                0.3113: "That is the share of heads. Add that of tails: 1/4 of 2 bits.",
            },
            why="Less than 1 bit: a loaded coin tells you less than a fair one.",
        ),
        hints=(
            "Write down the surprisal of heads and the surprisal of tails, each in bits.",
            "Surprisal is $-\\log_2 p$. Entropy is the average surprisal, each weighted by its probability.",
        ),
        solution=(
            "Heads tell you $-\\log_2 \\tfrac34 = 0.415$ bits, tails $-\\log_2 \\tfrac14 = 2$ bits. Heads come three "
            "times out of four:\n\n"
            "$$H = \\tfrac34 \\cdot 0.415 + \\tfrac14 \\cdot 2 = 0.811 \\text{ bits}.$$"
        ),
        answer=0.811,
        wrong_answers=(
            (0.562, "in nats"),
            (1.21, "weighted"),
            (1, "fair coin"),
            (-0.811, "sign"),
            (2, "too large"),
            ("heads", "one number"),
        ),
    ),
    Exercise(
        id="1.6",
        title="Perplexity",
        kind="implement",
        grade=Function(
            cases=(
                Case(([0.5, 0.125],), 4.0),
                Case(([0.1],), 10.0),
                Case(([1.0, 1.0, 1.0],), 1.0),
                Case(([0.01] * 400,), 100.0, "Four hundred factors of 0.01 underflow: average logarithms instead."),
                Case(([0.5, 0.0],), math.inf, "Something came that had probability 0: no number of choices is large enough."),
            ),
            mistakes=(
                (
                    lambda ps: sum(1 / p for p in ps) / len(ps),
                    "You averaged perplexities. Average logarithms, then exponentiate.",
                ),
                (lambda ps: len(ps) / sum(ps), "You averaged probabilities. Average the logarithms, then exponentiate."),
                (
                    lambda ps: 2 ** (-sum(map(math.log, ps)) / len(ps)),
                    "Natural logarithms, but a power of 2: use one base for both.",
                ),
                (
                    lambda ps: -sum(map(math.log, ps)) / len(ps),
                    "That is the cross-entropy in nats; perplexity is e to that power.",
                ),
            ),
            why="The geometric mean of 1/p, computed safely through logarithms.",
        ),
        hints=(
            "Average $-\\log p$ over the words; then undo the logarithm.",
            "`sum(math.log(p) for p in probabilities)` is the logarithm of the product. Divide it by how many there are.",
            "Python's `math.log(0)` is an error; a list with a 0 in it is a case of its own.",
        ),
        solution="Average the logarithms, change the sign, exponentiate; a zero makes it infinite:",
        answer=my_perplexity,
        wrong_answers=(
            (lambda ps: sum(1 / p for p in ps) / len(ps), "averaged perplexities"),
            (lambda ps: len(ps) / sum(ps), "averaged probabilities"),
            (lambda ps: 2 ** (-sum(map(math.log, ps)) / len(ps)), "one base"),
            (lambda ps: -sum(map(math.log, ps)) / len(ps), "cross-entropy in nats"),
            (lambda ps: math.prod(ps) ** (-1 / len(ps)), "underflow"),
        ),
    ),
    Exercise(
        id="1.7",
        title="Nats per character to bits per byte",
        kind="by hand",
        grade=Number(
            4.8 / math.log(2) / 3,
            tolerance=0.005,
            wrong={
                1.6: "That is nats per byte. Divide by ln 2 as well.",
                4.8 / math.log(2): "That is bits per character. Each character takes three bytes.",
                4.8 * math.log(2) / 3: "From nats to bits you divide by ln 2; you multiplied.",
                4.8 * 3 / math.log(2): "Three bytes share the bits of one character: divide by 3.",
            },
            why="6.92 bits per character, shared by three bytes.",
        ),
        hints=("First from nats to bits: divide by $\\ln 2 = 0.693$.", "Then share the bits among the three bytes."),
        solution="$4.8 / \\ln 2 = 6.92$ bits per character, and $6.92 / 3 = 2.31$ bits per byte.",
        answer=2.31,
        wrong_answers=((1.6, "nats per byte"), (6.925, "per character"), (1.109, "multiplied"), (20.77, "divide by 3")),
    ),
    Exercise(
        id="1.8",
        title="Which comparisons are sound?",
        kind="explain",
        grade=MultiChoice(
            {
                "a": (
                    "Perplexity per word of two word models with the same vocabulary, on the same text",
                    "Same tokens, same text: the figures mean the same thing.",
                ),
                "b": (
                    "A letter model has perplexity 4 and a word model 100 on the same text, so the letter model is better",
                    "They are asked a different number of questions. Convert both to bits per byte first.",
                ),
                "c": (
                    "Bits per byte of a letter model and a word model that both pay for every byte of the same text",
                    "Both totals are for the same bytes, so they compare.",
                ),
                "d": (
                    "Bits per byte of one model on Shakespeare and of another on a newspaper",
                    "The texts differ in how predictable they are; you would be comparing texts, not models.",
                ),
                "e": (
                    "One paper reports a loss of 1.53 and another 2.21 on the same text, so the first model is better",
                    "1.53 nats are 2.21 bits. Without the unit the two figures say nothing.",
                ),
            },
            right=("a", "c"),
        ),
        hints=("Ask of each: same text? same unit? same tokens, or else per byte?", "Two of the five hold."),
        solution="**a** and **c**. The others change the tokens (b), the text (d) or the unit (e).",
        answer="a, c",
        wrong_answers=(("a", "1 more does"), ("a, b, c", "different number"), ("d", "texts differ"), ("a, c, e", "1.53 nats")),
    ),
    Exercise(
        id="1.9",
        title="Decoding",
        kind="implement",
        starred=True,
        grade=Function(
            cases=(
                Case(
                    (Fraction(9, 10), _PARTS), ["stop"], "Return a list of words, «stop» included; keep the order of `parts`."
                ),
                Case((Fraction(7, 25), _PARTS), ["yes", "stop"], "After a word, stretch what is left back to [0, 1)."),
                Case((Fraction(3, 4), _HALVES), ["stop"], "Use the parts that you were given, not those of the notebook."),
                Case((Fraction(3, 8), _HALVES), ["go", "stop"]),
                Case((Fraction(1, 2), _HALVES), ["stop"], "A part begins with its lower end."),
                Case((Fraction(1, 7), _PARTS), ["yes", "no", "stop"]),
            ),
            mistakes=(
                (_one_word, "That is the first word. Go on until «stop»."),
                (_never_goes_in, "You found the first word; now go *into* its part and look at the rest of the number."),
            ),
            why="Decoding is the same walk as coding, with the number for a guide.",
        ),
        hints=(
            "Which part does the point lie in? Go through the parts in order and subtract the shares that end before it.",
            "Once the word is found, `point` less those shares lies in [0, share). Divide by `share` to be back in [0, 1).",
        ),
        solution="Find the part, note its word, stretch the part to [0, 1), and repeat until «stop»:",
        answer=words_of,
        wrong_answers=((_one_word, "Go on until"), (_never_goes_in, "go *into*")),
    ),
    Exercise(
        id="1.10",
        title="How many imagined counts?",
        kind="experiment",
        grade=Number(
            0.001,
            wrong={
                1: "1 is what the table above has; a smaller k does far better. Lower bits per byte are better.",
                10: "That is the worst of the seven. Lower bits per byte are better.",
                0.01: "Close: one of the seven is still a little better.",
                0.1: "Better than 1, but go on.",
                0.0001: "Close, but too little set aside: one of the seven is a little better.",
                0.00001: "Too little set aside: the pairs that training did not have now cost too much.",
            },
            why=(
                "Nearly every pair that can occur in the world did so in training, so a thousandth is enough; less costs too "
                "much for the few that did not. (You chose on the text that you report. Notebook 02 keeps the two apart.)"
            ),
        ),
        hints=(
            "`CountTable(word_pairs, truth.vocab, end, k=k)` is the model for one k.",
            "`bits_per_byte(model.log_probs(world_val_ids), world_val)` for each, and the lowest wins.",
        ),
        solution=(
            "```python\nfor k in (0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10):\n"
            "    table = CountTable(word_pairs, truth.vocab, end, k=k)\n"
            "    print(k, bits_per_byte(table.log_probs(world_val_ids), world_val))\n```\n\n"
            "0.001 wins; 1, the value in the notebook, pays about a third more."
        ),
        answer=0.001,
        wrong_answers=(
            (1, "far better"),
            (10, "worst"),
            (0.01, "still a little better"),
            (0.1, "go on"),
            (0.00001, "cost too much"),
        ),
    ),
)

QUIZZES = (
    Quiz(
        id="1.q1",
        question="A model gives every one of its 64 characters the same probability. What is its perplexity?",
        options=(
            Option("6", "6 is its cross-entropy in bits, the logarithm to base 2 of 64. Perplexity undoes the logarithm."),
            Option(
                "64",
                "Perplexity is the number of equally likely tokens that would be as hard to guess: here all 64.",
                right=True,
            ),
            Option("1/64", "1/64 is the probability of each character. Perplexity is its inverse."),
        ),
    ),
    Quiz(
        id="1.q2",
        question="What does the chain rule assume about language?",
        options=(
            Option(
                "That a word depends only on the few words before it", "That is the n-gram's assumption, not the chain rule's."
            ),
            Option(
                "That words are independent of each other",
                "Then every factor would be P(w) alone. The chain rule keeps the whole past.",
            ),
            Option(
                "That sentences have an end",
                "Sentences need one for their probabilities to sum to 1, but the rule holds for any events.",
            ),
            Option(
                "Nothing", "It is bookkeeping with conditional probabilities, true of any distribution whatever.", right=True
            ),
        ),
    ),
    Quiz(
        id="1.q3",
        question="You train without an end-of-sentence token. What is wrong with the sentence probabilities?",
        options=(
            Option(
                "Summed over all sentences they exceed 1, without bound",
                "Each length sums to 1 by itself, and there is no longest sentence.",
                right=True,
            ),
            Option(
                "Longer sentences get too little probability",
                "They get too much: no factor for going on, or for stopping, is ever paid.",
            ),
            Option("Nothing, if all sentences are short", "Already two lengths make a sum of 2."),
        ),
    ),
    Quiz(
        id="1.q4",
        question="A text has cross-entropy 2 bits per byte under your model. How large a file does a coder make of it?",
        options=(
            Option("That depends on how repetitive the text is", "It does, but all of that is already in the cross-entropy."),
            Option(
                "About a quarter of the original size, plus a few bytes",
                "2 bits of every 8: the coder reaches the model's surprisal.",
                right=True,
            ),
            Option(
                "About a quarter on average, but this text may come out much larger",
                "It is this very text's surprisal that is reached.",
            ),
        ),
    ),
    Quiz(
        id="1.q5",
        question="Why does no model get below the world's floor, on average?",
        options=(
            Option(
                "Our models are too small", "Size does not help. The machine that tells the stories could not do better itself."
            ),
            Option(
                "The coder wastes some bits",
                "It wastes a few bytes a text. The floor holds for the surprisal, before any coding.",
            ),
            Option(
                "The cross-entropy of any belief is at least the entropy of the truth",
                "The difference is the KL divergence, which is never negative.",
                right=True,
            ),
            Option(
                "The training text is too short",
                "With endless training text a model comes closer to the floor, and stays above it.",
            ),
        ),
    ),
    Quiz(
        id="1.q6",
        question="Two words came; the model had given them 1/2 and 1/32. What is its perplexity on them?",
        options=(
            Option("8", "The mean surprisal is (1 + 5)/2 = 3 bits, and 2 to the power 3 is 8.", right=True),
            Option("17", "17 is the average of 2 and 32. Average the logarithms first."),
            Option("3", "3 bits is the cross-entropy. Perplexity is 2 to that power."),
            Option("64", "64 is the inverse of the product. Take the square root: there were two words."),
        ),
    ),
)
