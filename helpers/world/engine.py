"""A probabilistic automaton that writes documents from left to right and knows the exact probability of each.

At a node the automaton has *options*: a weight, a phrase to say, and what to remember. No phrase is the beginning of another
option's phrase, so a text has exactly one derivation and its probability is one product; while a phrase is only half said,
`next_token_probs` sums over the options still possible (the forward sums of Baum & Welch's hidden Markov models).
Used in `01_chain_rule.ipynb` and wherever a model is compared with the truth.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from .randomness import SplitMix64
from .template import Branch, Choose, End, Node, Say, Set, Slot, Switch, compile_template
from .tokens import END, detokenize, tokenize

Env = Mapping[str, str]
Distribution = Callable[..., Sequence[tuple[int, str]]]  # the values of its arguments → (integer weight, value) …
Form = Callable[[str], str]


@dataclass(frozen=True)
class Mark:
    """A variable drawn or said again: it covers tokens [start, stop) of the phrase, or of the document."""

    var: str
    form: str
    drawn: bool
    start: int
    stop: int


@dataclass(frozen=True)
class Option:
    """One way on: its exact probability, what is said, what is remembered, and the node after it (−1 after END)."""

    prob: Fraction
    phrase: tuple[str, ...]
    updates: tuple[tuple[str, str], ...]
    marks: tuple[Mark, ...]
    next: int


@dataclass(frozen=True)
class Options:
    """All options at a node, with what sampling and scoring need of them."""

    options: tuple[Option, ...]
    cumulative: tuple[int, ...]  # exact integer weights, summed up
    probs: tuple[float, ...]
    log_probs: tuple[float, ...]
    first: Mapping[str, Sequence[int]]  # first token → the options that begin with it


@dataclass(frozen=True)
class Derivation:
    """How a document came about: its tokens (END included), log probability in nats, variables and their marks."""

    tokens: tuple[str, ...]
    log_prob: float
    env: dict[str, str]
    marks: tuple[Mark, ...]


@dataclass
class _Path:
    """A derivation still possible: the part of its last phrase not yet said, and where it goes on."""

    prob: float  # share among the paths still possible
    log_prob: float
    rest: tuple[str, ...]
    next: int
    env: dict[str, str]
    marks: tuple[Mark, ...]


class Grammar:
    """One kind of document: a template, the distributions it draws from and the forms its words take."""

    def __init__(self, template: str, dists: Mapping[str, Distribution], forms: Mapping[str, Form], macros: Mapping[str, str]):
        self.nodes, self.start = compile_template(template, macros)
        self.dists = dists
        self.forms = forms
        self.reads = [_reads(self.nodes, i) for i in range(len(self.nodes))]
        self._options: dict[tuple, Options] = {}

    def say(self, value: str, form: str) -> tuple[str, ...]:
        """The tokens of a value in a form ('' is the value itself; a form with a capital capitalises)."""
        if form:
            word = self.forms[form[0].lower() + form[1:]](value)
            value = word[0].upper() + word[1:] if form[0].isupper() else word
        return tuple(tokenize(value))

    def drawn(self, node: Choose, env: Env) -> list[tuple[Fraction, str]]:
        """(probability, value) of a node's draw."""
        weighted = self.dists[node.dist](*(env[name] for name in node.args))
        total = sum(weight for weight, _ in weighted)
        return [(Fraction(weight, total), value) for weight, value in weighted if weight]

    def options(self, i: int, env: Env) -> Options:
        """The options at node i; they depend on the variables in `reads[i]` only, and are remembered by them."""
        key = (i, *(env.get(name) for name in self.reads[i]))
        found = self._options.get(key)
        if found is None:
            options = tuple(self._open(i, env))
            common = math.lcm(*(option.prob.denominator for option in options))
            weights = (option.prob.numerator * (common // option.prob.denominator) for option in options)
            probs = tuple(float(option.prob) for option in options)
            first: dict[str, list[int]] = {}
            for k, option in enumerate(options):
                first.setdefault(option.phrase[0], []).append(k)
            found = Options(options, tuple(accumulate(weights)), probs, tuple(map(math.log, probs)), first)
            self._options[key] = found
        return found

    def _open(self, i: int, env: Env) -> Iterable[Option]:
        """Follow node i to the first phrase on each way, multiplying the probabilities of silent branches on the way."""
        node = self.nodes[i]
        if isinstance(node, End):
            yield Option(Fraction(1), (END,), (), (), -1)
        elif isinstance(node, Say):
            yield Option(Fraction(1), node.tokens, (), (), node.next)
        elif isinstance(node, Slot):
            phrase = self.say(env[node.var], node.form)
            yield Option(Fraction(1), phrase, (), (Mark(node.var, node.form, False, 0, len(phrase)),), node.next)
        elif isinstance(node, Choose):
            for prob, value in self.drawn(node, env):
                phrase = self.say(value, node.form)
                mark = Mark(node.var, node.form, True, 0, len(phrase))
                yield Option(prob, phrase, ((node.var, value),), (mark,), node.next)
        elif isinstance(node, Branch):
            total = sum(weight for weight, _ in node.ways)
            for weight, way in node.ways:
                for o in self._open(way, env):
                    yield Option(o.prob * Fraction(weight, total), o.phrase, o.updates, o.marks, o.next)
        elif isinstance(node, Switch):
            yield from self._open(node.then if env[node.var] == node.value else node.otherwise, env)
        else:
            value = self.value_set(node, env)
            for o in self._open(node.next, {**env, node.var: value}):
                yield Option(o.prob, o.phrase, ((node.var, value), *o.updates), o.marks, o.next)

    def value_set(self, node: Set, env: Env) -> str:
        """The value that a Set node gives its variable."""
        return self.forms[node.form](env[node.source]) if node.source else node.form

    def sample(self, rng: SplitMix64) -> str:
        """Draw one document."""
        env: dict[str, str] = {}
        tokens: list[str] = []
        i = self.start
        while i >= 0:
            found = self.options(i, env)
            cumulative = found.cumulative
            k = bisect_right(cumulative, rng.below(cumulative[-1])) if len(cumulative) > 1 else 0
            option = found.options[k]
            tokens += option.phrase
            env.update(option.updates)
            i = option.next
        return detokenize(tokens)

    def next_token_probs(self, tokens: Sequence[str]) -> dict[str, float]:
        """Probability of each token that can follow; ValueError where the tokens cannot begin a document."""
        return self._next_tokens(self._follow(tokens)[0])

    def token_log_probs(self, tokens: Sequence[str]) -> list[float]:
        """Log probability in nats of each token given those before it: (T,) tokens → (T,)."""
        return self._follow(tokens)[1]

    def derive(self, tokens: Sequence[str]) -> Derivation:
        """The one derivation of a whole document, END last; ValueError where there is none."""
        paths, _ = self._follow(tokens)
        if not tokens or tokens[-1] != END:
            raise ValueError(f"the document stops early: token {len(tokens)} could be {_few(self._next_tokens(paths))}")
        if len(paths) != 1:
            raise ValueError(f"the document has {len(paths)} derivations where it should have one; the grammar is ambiguous")
        return Derivation(tuple(tokens), paths[0].log_prob, paths[0].env, paths[0].marks)

    def _follow(self, tokens: Sequence[str]) -> tuple[list[_Path], list[float]]:
        """The paths still possible after some tokens, and the log probability of each token."""
        paths, scores = [_Path(1.0, 0.0, (), self.start, {}, ())], []
        for at, token in enumerate(tokens):
            kept = list(self._step(paths, token, at))
            if not kept:
                possible = _few(self._next_tokens(paths)) or "nothing, the document has ended"
                raise ValueError(f"token {at}, {token!r}, cannot stand there; possible there: {possible}")
            total = math.fsum(path.prob for path in kept)
            for path in kept:
                path.prob /= total
            scores.append(math.log(total))
            paths = kept
        return paths, scores

    def _step(self, paths: Iterable[_Path], token: str, at: int) -> Iterable[_Path]:
        """The paths whose next token is this one, at its place in the document, one token further."""
        for path in paths:
            if path.rest:
                if path.rest[0] == token:
                    yield _Path(path.prob, path.log_prob, path.rest[1:], path.next, path.env, path.marks)
            elif path.next >= 0:
                found = self.options(path.next, path.env)
                for k in found.first.get(token, ()):
                    option = found.options[k]
                    env = {**path.env, **dict(option.updates)} if option.updates else path.env
                    marks = path.marks + tuple(Mark(m.var, m.form, m.drawn, m.start + at, m.stop + at) for m in option.marks)
                    log_prob = path.log_prob + found.log_probs[k]
                    yield _Path(path.prob * found.probs[k], log_prob, option.phrase[1:], option.next, env, marks)

    def _next_tokens(self, paths: Iterable[_Path]) -> dict[str, float]:
        """Probability of each next token, summed over the paths still possible."""
        parts: dict[str, list[float]] = {}
        for path in paths:
            if path.rest:
                parts.setdefault(path.rest[0], []).append(path.prob)
            elif path.next >= 0:
                found = self.options(path.next, path.env)
                for option, prob in zip(found.options, found.probs, strict=True):
                    parts.setdefault(option.phrase[0], []).append(path.prob * prob)
        return {token: math.fsum(probs) for token, probs in parts.items()}


def _reads(nodes: list[Node], i: int) -> tuple[str, ...]:
    """The variables that the options at node i depend on."""
    node = nodes[i]
    if isinstance(node, Slot):
        return (node.var,)
    if isinstance(node, Choose):
        return tuple(dict.fromkeys(node.args))
    if isinstance(node, Branch):
        return tuple(dict.fromkeys(name for _, way in node.ways for name in _reads(nodes, way)))
    if isinstance(node, Switch):
        return tuple(dict.fromkeys((node.var, *_reads(nodes, node.then), *_reads(nodes, node.otherwise))))
    if isinstance(node, Set):
        later = [name for name in _reads(nodes, node.next) if name != node.var]
        return tuple(dict.fromkeys([node.source, *later] if node.source else later))
    return ()


def _few(possible: Mapping[str, float], n: int = 8) -> str:
    best = sorted(possible, key=lambda token: (-possible[token], token))
    return ", ".join(map(repr, best[:n])) + (f" and {len(best) - n} more" if len(best) > n else "")
