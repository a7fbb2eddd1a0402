"""Exact expectations over a grammar: entropy, length in tokens, length in bytes.

The entropy of a document is the expected sum of the entropies of the choices made on the way (the chain rule of entropy,
Shannon 1948). An expectation of a sum is the sum of the expectations, so each choice can be averaged on its own, and the
recursion remembers only the variables that this choice depends on: thousands of states in place of billions of texts.
Used in `01_chain_rule.ipynb`, and for the floor under every model trained on the world.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from .engine import Env, Grammar
from .template import Branch, Choose, End, Node, Say, Set, Slot, Switch
from .tokens import END, n_bytes

Sums = tuple[float, float, float]  # entropy in nats, tokens, bytes
_ZERO: Sums = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Expectations:
    """Of one document: entropy in nats, tokens (END included), UTF-8 bytes (newline included); states visited to find them."""

    entropy: float
    tokens: float
    bytes: float
    states: int


def expectations(grammar: Grammar) -> Expectations:
    """Entropy and expected length of a grammar's documents, exactly."""
    totals, states = [0.0, 0.0, 0.0], 0
    for needs in sorted({needs_of(node) for node in grammar.nodes}):
        recursion = _Recursion(grammar, needs)
        for k, value in enumerate(recursion.value(grammar.start, {})):
            totals[k] += value
        states += len(recursion.memo)
    return Expectations(*totals, states)


def needs_of(node: Node) -> tuple[str, ...]:
    """The variables on which a node's own contribution to the sums depends."""
    if isinstance(node, Slot):
        return (node.var,)
    return tuple(sorted(set(node.args))) if isinstance(node, Choose) else ()


class _Recursion:
    """Backward recursion over (node, variables that matter) for those nodes whose contribution depends on `needs`."""

    def __init__(self, grammar: Grammar, needs: tuple[str, ...]):
        self.grammar = grammar
        self.counts = [needs_of(node) == needs and not isinstance(node, Switch | Set) for node in grammar.nodes]
        self.matter = live_variables(grammar.nodes, self.counts, [needs_of(node) for node in grammar.nodes])
        self.memo: dict[tuple, Sums] = {}

    def value(self, i: int, env: Env) -> Sums:
        matter = self.matter[i]
        if matter is None:
            return _ZERO
        key = (i, *(env.get(name) for name in matter))
        if key not in self.memo:
            self.memo[key] = self._sum(i, {name: env[name] for name in matter if name in env})
        return self.memo[key]

    def _sum(self, i: int, env: Env) -> Sums:
        node = self.grammar.nodes[i]
        total = self._own(node, env) if self.counts[i] else _ZERO
        for prob, way, changed in ways_that_matter(self.grammar, node, env, self.matter):
            later = self.value(way, changed)
            total = (total[0] + prob * later[0], total[1] + prob * later[1], total[2] + prob * later[2])
        return total

    def _own(self, node: Node, env: Env) -> Sums:
        """What the node itself adds: the entropy of its choice and the expected length of what it says."""
        if isinstance(node, Branch):
            total = sum(weight for weight, _ in node.ways)
            return (-math.fsum(w / total * math.log(w / total) for w, _ in node.ways), 0.0, 0.0)
        if isinstance(node, Choose):
            drawn = self.grammar.drawn(node, env)
            phrases = [(float(prob), self.grammar.say(value, node.form)) for prob, value in drawn]
            entropy = -math.fsum(prob * math.log(prob) for prob, _ in phrases)
            return (
                entropy,
                math.fsum(p * len(said) for p, said in phrases),
                math.fsum(p * n_bytes(said) for p, said in phrases),
            )
        said = (
            (END,)
            if isinstance(node, End)
            else node.tokens
            if isinstance(node, Say)
            else self.grammar.say(env[node.var], node.form)
        )
        return (0.0, float(len(said)), float(n_bytes(said)))


def ways_that_matter(grammar: Grammar, node: Node, env: Env, live: list) -> Iterator[tuple[float, int, Env]]:
    """(probability, next node, variables after) of each way on; a value on which nothing counted depends is not drawn."""
    if isinstance(node, Choose | Set) and node.var not in (live[node.next] or ()):
        yield 1.0, node.next, env
    elif isinstance(node, Branch):
        total = sum(weight for weight, _ in node.ways)
        yield from ((weight / total, way, env) for weight, way in node.ways)
    elif isinstance(node, Switch):
        yield 1.0, node.then if env[node.var] == node.value else node.otherwise, env
    elif isinstance(node, Choose):
        yield from ((float(prob), node.next, {**env, node.var: value}) for prob, value in grammar.drawn(node, env))
    elif isinstance(node, Set):
        yield 1.0, node.next, {**env, node.var: grammar.value_set(node, env)}
    elif not isinstance(node, End):
        yield 1.0, node.next, env


def live_variables(nodes: list[Node], counts: list[bool], needs: list[tuple[str, ...]]) -> list[tuple[str, ...] | None]:
    """For each node, the variables on which the counted nodes from there on depend; None where none is counted any more."""
    live: list[tuple[str, ...] | None] = []
    for i, node in enumerate(nodes):  # successors have lower indices: templates are compiled from the end
        after = [live[way] for way in _successors(node) if live[way] is not None]
        if not after and not counts[i]:
            live.append(None)
            continue
        names = {name for part in after for name in part}
        if isinstance(node, Choose | Set) and node.var in names:
            names.discard(node.var)
            names.update(node.args if isinstance(node, Choose) else {node.source} - {""})
        if isinstance(node, Switch):
            names.add(node.var)
        if counts[i]:
            names.update(needs[i])
        live.append(tuple(sorted(names)))
    return live


def _successors(node: Node) -> tuple[int, ...]:
    if isinstance(node, Branch):
        return tuple(way for _, way in node.ways)
    if isinstance(node, Switch):
        return node.then, node.otherwise
    return () if isinstance(node, End) else (node.next,)


def phrases(grammar: Grammar) -> Iterator[tuple[str, ...]]:
    """Every phrase that a grammar can say, some of them several times."""
    for i, env in reachable(grammar, [needs_of(node) for node in grammar.nodes]):
        node = grammar.nodes[i]
        if isinstance(node, Choose):
            yield from (grammar.say(value, node.form) for _, value in grammar.drawn(node, env))
        elif isinstance(node, Slot):
            yield grammar.say(env[node.var], node.form)
        elif isinstance(node, Say | End):
            yield node.tokens if isinstance(node, Say) else (END,)


def reachable(grammar: Grammar, needs: list[tuple[str, ...]]) -> Iterator[tuple[int, Env]]:
    """Every node with every combination of values, of the variables that it needs, in which it can be reached."""
    for names in sorted(set(needs)):
        live = live_variables(grammar.nodes, [needed == names for needed in needs], needs)
        seen: set[tuple] = set()
        waiting: list[tuple[int, Env]] = [(grammar.start, {})]
        while waiting:
            i, env = waiting.pop()
            key = (i, *(env.get(name) for name in live[i] or ()))
            if key in seen:
                continue
            seen.add(key)
            if needs[i] == names:
                yield i, {name: env[name] for name in names if name in env}
            for _, way, changed in ways_that_matter(grammar, grammar.nodes[i], env, live):
                if live[way] is not None:
                    waiting.append((way, {name: changed[name] for name in live[way] if name in changed}))
