"""What a story says: who, where and what, which token each came from, and where it is needed again.

`parse` recovers the one derivation of a text, so a notebook can grade a model's attention against the tokens on which the
answer truly depends. Used in `02_ngrams.ipynb` and `03_neural_lm.ipynb` (agreement), `05_attention.ipynb` (look-up),
`09_limits_and_outlook.ipynb`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from . import lexicon as lex
from .engine import Derivation
from .grammars import grammar
from .tokens import END, tokenize

PRONOUNS = {"he": ("she", "he"), "his": ("her", "his")}  # form: for a woman, for a man


@dataclass(frozen=True)
class Dependency:
    """The token at `target` follows from the choice `name` that shows at token `source`; `form` is how it is said again."""

    name: str
    source: int
    target: int
    form: str = ""

    @property
    def distance(self) -> int:
        """Tokens from source to target."""
        return self.target - self.source


@dataclass(frozen=True)
class Lookup:
    """ "X still had the Y": X is asked for at `query`, was bound to Y at `holder` and `source`, and Y must come at `answer`."""

    query: int
    answer: int
    holder: int
    source: int
    wrong: tuple[str, ...]  # what the others hold


@dataclass(frozen=True)
class Agreement:
    """A subject, the verb that must agree with it, and the nouns of the other number that stand between."""

    subject: int
    verb: int
    plural: bool
    distractors: tuple[int, ...]


class Choice(NamedTuple):
    """A word that must agree: what stands at `target`, its wrong form, and the tokens back to the nearest word that tells."""

    distance: int
    target: int
    right: str
    wrong: str


@dataclass(frozen=True)
class Story:
    """A story read: its tokens (END included), its shape and facts, and the token at which each fact was chosen."""

    text: str
    tokens: tuple[str, ...]
    shape: str
    hero: str
    female: bool
    village: str
    rude: bool
    values: Mapping[str, str]
    positions: Mapping[str, int]
    dependencies: tuple[Dependency, ...]
    lookups: tuple[Lookup, ...]
    agreements: tuple[Agreement, ...]
    log_prob: float


def parse(text: str) -> Story:
    """Read a story; ValueError names the first token at which no story could go on so."""
    derivation = derive(text, "full", "story")
    env = derivation.env
    positions = {mark.var: mark.stop - 1 for mark in derivation.marks if mark.drawn and mark.var != "_"}
    return Story(
        text=text,
        tokens=derivation.tokens,
        shape=env["shape"],
        hero=env["hero"],
        female=lex.is_female(env["hero"]),
        village=env["village"],
        rude=env["tone"] == "rude",
        values={name: value for name, value in env.items() if name != "_"},
        positions=positions,
        dependencies=_dependencies(derivation, positions),
        lookups=_lookups(derivation, positions),
        agreements=_agreements(derivation),
        log_prob=derivation.log_prob,
    )


def dependencies(text: str) -> list[Dependency]:
    """Every token of a story that an earlier choice determines, with the token where that choice shows."""
    return list(parse(text).dependencies)


def choices(story: Story) -> list[Choice]:
    """Every verb of a counted subject and every pronoun of the hero, each with the form that would be wrong there.

    A verb is told by its subject; a pronoun by the hero's name or by an earlier pronoun of the hero's. Verbs first.
    """
    found = [Choice(a.verb - a.subject, a.verb, *_ordered("were", "was", a.plural)) for a in story.agreements]
    told = story.positions["hero"]
    for said in sorted((d for d in story.dependencies if d.name == "hero"), key=lambda d: d.target):
        if forms := PRONOUNS.get(said.form.lower()):
            forms = forms if said.form.islower() else [form.capitalize() for form in forms]
            found.append(Choice(said.target - told, said.target, *_ordered(*forms, story.female)))
        told = said.target
    return found


def _ordered(a: str, b: str, first: bool) -> tuple[str, str]:
    return (a, b) if first else (b, a)


def derive(text: str, split: str, kind: str) -> Derivation:
    """The one derivation of a document; ValueError where there is none or where `text` is no string."""
    if not isinstance(text, str):
        raise ValueError(f"expected the text of one document as a str, got {type(text).__name__}; detokenize tokens first")
    return grammar(split, kind).derive([*tokenize(text), END])


def _dependencies(derivation: Derivation, positions: Mapping[str, int]) -> tuple[Dependency, ...]:
    return tuple(
        Dependency(mark.var, positions[mark.var], mark.stop - 1, mark.form)
        for mark in derivation.marks
        if not mark.drawn and mark.var in positions
    )


def _lookups(derivation: Derivation, positions: Mapping[str, int]) -> tuple[Lookup, ...]:
    tokens, env = derivation.tokens, derivation.env
    held = {
        env[who]: what
        for who, what in (("hero", "thing"), ("friend", "thing2"), ("third", "thing3"))
        if what in env and who in env
    }
    found = []
    for at in range(len(tokens) - 4):
        if tokens[at + 1 : at + 4] == ("still", "had", "the"):
            source = positions[held[tokens[at]]]
            holder = max(i for i in range(source) if tokens[i] == tokens[at])
            wrong = tuple(tokens[positions[what]] for who, what in held.items() if who != tokens[at])
            found.append(Lookup(at, at + 4, holder, source, wrong))
    return tuple(found)


def _agreements(derivation: Derivation) -> tuple[Agreement, ...]:
    found, subject = [], None
    nouns = dict.fromkeys(lex.TREASURES, False) | {lex.plural(noun): True for noun in lex.TREASURES}
    for mark in derivation.marks:
        if mark.var == "subject" and mark.drawn:
            subject = mark.start
        elif mark.var == "subject" and subject is not None:
            plural, between = nouns[derivation.tokens[subject]], range(subject + 1, mark.start)
            distractors = tuple(i for i in between if nouns.get(derivation.tokens[i], plural) != plural)
            found.append(Agreement(subject, mark.start, plural, distractors))
    return tuple(found)
