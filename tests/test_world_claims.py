"""Claims against the world's own reading of its stories, against `is_true`, and on texts that no story could be."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import world
from helpers.world import lexicon as lex
from helpers.world.truths import _statements

SAID_AGAIN = {"river", "ware", "home", "food", "young", "colour", "do", "work"}  # forms of slots that are facts
COLOURS, TREASURES = list(lex.FRUIT_COLOUR.values()), list(lex.TREASURES)
YOUNG, HOMES, FOODS = (list(words) for words in zip(*lex.ANIMALS.values(), strict=True))
DO, WORK = (list(words) for words in zip(*lex.TOOL_USE.values(), strict=True))
KINDS = [  # what can stand in each other's place
    list(lex.VILLAGE_RIVER), list(lex.VILLAGE_RIVER.values()), list(lex.VILLAGE_WARE.values()), YOUNG, HOMES, FOODS, COLOURS,
    DO, WORK, TREASURES, list(lex.ANIMALS), list(lex.TOOL_USE), [lex.plural(fruit) for fruit in lex.FRUIT_COLOUR],
    "two three four five six seven eight nine ten".split(), ["he", "she"], ["He", "She"], ["his", "her"], ["His", "Her"],
]  # fmt: skip
KIND_OF = {"river": 1, "ware": 2, "young": 3, "home": 4, "food": 5, "colour": 6, "do": 7, "work": 8, "holder": 9, "village": 0}


@pytest.fixture(scope="module")
def read() -> list[world.Story]:
    return [world.parse(text) for text in world.sample(500, seed=31, split="val")]


def found(text: str, *relations: str) -> list[tuple]:
    """(relation, subject, value, true) of the claims of a text, of these relations only if any are named."""
    return [claim[1:5] for claim in world.claims(text) if not relations or claim.relation in relations]


def kind_of(claim: world.Claim) -> list[str]:
    if claim.relation in KIND_OF:
        return KINDS[KIND_OF[claim.relation]]
    return next(kind for kind in KINDS[9:] if claim.value in kind)


# ---- the world's own stories


def test_no_story_of_the_world_says_anything_false(read):
    """Nor anything that cannot be checked: each says what it repeats."""
    assert [c for story in read for c in world.claims(story.text) if c.true is not True] == []


def test_every_slot_that_is_a_fact_is_one_claim(read):
    """All slots, none left out. "Look in the barn" is the one fact whose value comes first: the animal is the slot there."""
    for story in read:
        slots = {(d.form, d.target) for d in story.dependencies if d.form in SAID_AGAIN}
        slots |= {("home", d.source) for d in story.dependencies if (d.name, d.form) == ("beast", "")}
        about_world = [c for c in world.claims(story.text) if c.about == "world"]
        assert sorted((c.relation, c.start) for c in about_world) == sorted(slots), story.text


def test_every_slot_that_the_story_repeats_is_one_claim(read):
    """The thing only in the closing sentence; of the hero's pronouns those that can be no one else's, more than half."""
    pronouns = n_pronouns = 0
    for story in read:
        last = max(i for i, token in enumerate(story.tokens[:-2]) if token in ".!?")
        slots = {("holder", lookup.answer) for lookup in story.lookups}
        slots |= {("price", d.target) for d in story.dependencies if d.name == "price"}
        slots |= {("village", d.target) for d in story.dependencies if (d.name, d.form) == ("village", "")}
        slots |= {("thing", d.target) for d in story.dependencies if d.form in ("it", "noun") and d.target > last}
        hers = {("pronoun", d.target) for d in story.dependencies if d.form.lower() in ("he", "his")}
        about_story = {(c.relation, c.start) for c in world.claims(story.text) if c.about == "story"}
        assert slots <= about_story <= slots | hers, story.text
        pronouns, n_pronouns = pronouns + len(about_story & hers), n_pronouns + len(hers)
    assert pronouns > n_pronouns / 2


def test_another_value_makes_its_claim_false_and_only_what_depends_on_it(read):
    """Only the closing's village and animal are spoken of further on: "back in Ashby, by the Tarn", "the cow in the barn"."""
    rng, seen = random.Random(0), set()
    for story in read[:300]:
        before = world.claims(story.text)
        for claim in before:
            tokens = list(story.tokens)
            same_noun = {claim.value, *tokens, *(lex.plural(t) for t in tokens if t.isalpha())}
            others = [v for v in kind_of(claim) if v not in (same_noun if claim.relation == "thing" else {claim.value})]
            tokens[claim.start] = rng.choice(others)
            after = {(c.relation, c.start): c for c in world.claims(world.detokenize(tokens))}
            wrong = {key for key, c in after.items() if c.true is False}
            dependent = {(c.relation, c.start) for c in before if c.subject == claim.value and c.start > claim.start}
            assert after.keys() == {(c.relation, c.start) for c in before}
            assert wrong == {(claim.relation, claim.start)} | dependent, world.detokenize(tokens)
            seen |= {claim.relation, "dependent" if dependent else claim.relation}
    assert seen == SAID_AGAIN | {"holder", "pronoun", "village", "price", "thing", "dependent"}


# ---- the sentences of facts


def test_is_true_agrees_on_every_sentence_of_a_fact():
    for sentence, true in _statements().items():
        checked = [claim.true for claim in world.claims(sentence)]
        assert len(checked) == (2 if "is there to" in sentence else 1) and all(checked) == true, sentence
    assert [world.claims(fact.question) for fact in world.facts() if world.claims(fact.question)] == []


# ---- by hand


def test_a_story_with_a_lie_of_each_kind_about_the_world():
    text = (
        "In Redhill, where they sell the best cheese, there lived a kind girl named Tess. Behind the mill lived a shy cow with "
        "her foal. Each evening Tess ran to the old fold with a bag of grass, because sheep eat oats. "
        '"Please, is that for the calf?" asked her aunt, a tall cook. And the lamb slept sadly. '
        "So Tess slept alone in Redhill, and the cow in the barn."
    )
    assert [claim[1:5] for claim in world.claims(text) if claim.about == "world"] == [
        ("ware", "Redhill", "cheese", False),
        ("young", "cow", "foal", False),
        ("home", "cow", "fold", False),
        ("food", "cow", "grass", True),
        ("food", "sheep", "oats", False),
        ("young", "cow", "calf", True),
        ("young", "cow", "lamb", False),
        ("home", "cow", "barn", True),
    ]
    claim = world.claims(text)[0]
    assert claim.about == "world" and world.tokenize(text)[claim.start] == "cheese" == claim.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tom was in Ashby, on the Lune.", [("river", "Ashby", "Lune", False)]),
        ("In Ashby Tom sat, and then left Redhill, by the Dove.", [("river", "Redhill", "Dove", True)]),
        ("One dry Monday, Tom was in Ashby, where the Tarn runs.", [("river", "Ashby", "Tarn", True)]),
        ("Tom was in Ashby, a sleepy place famous for its salt.", [("ware", "Ashby", "salt", False)]),
        ('"Try in the sty," said the man. Nearby sat the pig and her chick.', [("home", "pig", "sty", True),
                                                                               ("young", "pig", "chick", False)]),
        ("Tom wanted six tasty pears, all red.", [("colour", "pear", "red", False)]),
        ("Tom ran to the old sty with a bag of grass, because cows eat grass.", [("home", "cow", "sty", False),
         ("food", "cow", "grass", True), ("food", "cow", "grass", True)]),
        ("Tom needed an old axe to chop planks.", [("do", "axe", "chop", True), ("work", "axe", "planks", False)]),
    ],
)  # fmt: skip
def test_single_statements_about_the_world(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tom ran to the barn, because churches eat grass.", [("food", "churches", "grass", None)]),
        ("In Narnia, on the Lune, there lived a boy.", [("river", "Narnia", "Lune", None)]),
        ("Tom was in Ashby, on the Thames.", [("river", "Ashby", "Thames", False)]),
        ("Tom wanted six old keys, all red.", [("colour", "key", "red", None)]),
        ("Tom wanted a drum to chop wood.", [("do", "drum", "chop", None), ("work", "drum", "wood", None)]),
        ("There sat the church and her calf.", [("young", "church", "calf", None)]),
        ("There sat the queen and her brother.", []),  # not worded about an animal or its young
        ("Tom left Ashby. Soon Tom ran past the mill by the Lune.", []),  # of which village?
        ("Tom came to Ashby by the mill.", []),
        ("The sky was red. And the calf slept.", []),  # whose?
        ("", []),
    ],
)
def test_what_cannot_be_checked_is_none_and_what_is_no_statement_is_not_there(text, expected):
    assert found(text) == expected


FRIENDS = "Tom lived in Ashby. Rosa came to play. Tom had an old key and Rosa had a cup. His aunt came too, with a tiny ball. "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FRIENDS + "Tom still had the key, and Rosa still had the key.", [("holder", "Tom", "key", True),
                                                                          ("holder", "Rosa", "key", False)]),
        (FRIENDS + "Tom still had the ball, and his aunt still had the ball.", [("holder", "Tom", "ball", False),
                                                                                ("holder", "aunt", "ball", True)]),
        (FRIENDS + "Ben still had the key.", [("holder", "Ben", "key", None)]),
        (FRIENDS + "Tom had a map. Tom still had the key.", [("holder", "Tom", "key", False)]),  # the last that was said
        ("Tom lived in Ashby. By sunset Tom was back in Redhill.", [("village", "Tom", "Redhill", False)]),
        ("Tom lived in Ashby. By sunset Ben was back in Redhill.", [("village", "Ben", "Redhill", None)]),  # not the hero
        ("Every Monday, Tom ran from Ashby to the inn. That night Tom went home to Ashby, calm and glad.",
         [("village", "Tom", "Ashby", True)]),
        ("In Ashby there lived Tom. He had a cup in Redhill. In Redhill they still sing.",
         [("village", "Tom", "Redhill", False)]),
        ("Tom sat. So Tom slept badly in Redhill.", [("village", "Tom", "Redhill", None)]),
        ("So Tom slept badly in Redhill.", [("village", "Tom", "Redhill", None)]),
        ("She wanted two coins. Tom paid two coins.", [("price", "Tom", "two", True)]),
        ("She asked for two coins. Tom counted out six coins.", [("price", "Tom", "six", False)]),
        ("Tom paid six coins.", [("price", "Tom", "six", None)]),
        ("Tom lost a ball. And Tom never forgot the drum.", [("thing", "Tom", "drum", False)]),
        ("Tom wanted six ripe plums. And Tom never forgot the plum.", [("thing", "Tom", "plum", True)]),
        ("In Ashby, Tom lost a ball. In Ashby they still talk about Tom and the bell.",
         [("village", "Tom", "Ashby", True), ("thing", "Tom", "bell", False)]),
        ("And Tom never forgot the drum.", [("thing", "Tom", "drum", None)]),
    ],
)  # fmt: skip
def test_what_a_story_says_about_itself(text, expected):
    assert found(text, "holder", "village", "price", "thing") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anna lived in Ashby. His sister was a cook.", [("His", False)]),
        ("There was once a kind boy named Tom. He wore a hat.", [("He", True)]),
        ("Tom sat. Rosa sat. She sat.", []),  # Rosa
        ("Tom saw a nurse. He had a cup.", []),  # the nurse may be a man
        ("Tom saw a nurse. By noon Tom was back in Ashby, telling her aunt about the cup.", [("her", False)]),
        ("Tom saw a cow with her calf. The cow and her calf sat.", []),  # the cow's
        ("She sat.", []),  # who?
    ],
)
def test_a_pronoun_is_checked_where_it_can_only_be_the_heros(text, expected):
    assert [one[2:] for one in found(text, "pronoun")] == expected


def test_nothing_after_the_end_token_is_read():
    assert found("Tom sat.</s>Tom was in Ashby, on the Lune.") == []


# ---- anything else


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 100))
def test_shuffled_stories_are_read_too(seed, cut):
    tokens = world.tokenize(world.sample(1, seed)[0])
    random.Random(seed).shuffle(tokens)
    text = world.detokenize(tokens[cut:])
    for claim in world.claims(text):
        assert world.tokenize(text)[claim.start] == claim.value and claim.true in (True, False, None)


@given(
    st.text() | st.lists(st.sampled_from([*" \t\n.?!\"'s</s>", "Tom", "the", "had a", "still had the", "因为"])).map(" ".join)
)
def test_any_string_has_claims(text):
    assert isinstance(world.claims(text), list)


@pytest.mark.parametrize("given", [None, 3, b"Tom", ["Tom", "sat"]])
def test_only_a_text_can_be_read(given):
    with pytest.raises(ValueError, match="expected a text as a str"):
        world.claims(given)
