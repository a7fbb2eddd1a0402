"""The world against closed forms, against counting, and against itself."""

import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest

from helpers import world
from helpers.paths import WORLD
from helpers.world import instructions, lexicon, lists, mixture
from helpers.world.engine import Grammar
from helpers.world.exact import expectations, reachable
from helpers.world.grammars import grammar
from helpers.world.randomness import SplitMix64
from helpers.world.template import compile_template
from helpers.world.tokens import END, detokenize, n_bytes, tokenize

ALL = [(split, "story") for split in ("full", "train", "heldout")] + [("full", kind) for kind in world.KINDS if kind != "story"]


@pytest.fixture(scope="module")
def stories() -> list[str]:
    return world.sample(3000, seed=11)


@pytest.fixture(scope="module")
def read(stories) -> list[world.Story]:
    return [world.parse(text) for text in stories]


@pytest.fixture(scope="module")
def lines() -> dict[str, list[str]]:
    return {split: (WORLD / f"{split}.txt").read_text(encoding="utf-8").splitlines() for split in world.SEEDS}


def within_three_errors(values: list[float], truth: float) -> bool:
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return abs(mean - truth) <= 3 * math.sqrt(variance / len(values)) + 1e-9


def tiny() -> Grammar:
    dists = {
        "coin": lambda: [(1, "heads"), (3, "tails")],
        "next": lambda coin: [(1, "a"), (1, "b")] if coin == "heads" else [(1, "c")],
    }
    return Grammar("{x:coin} {y:next(x)}", dists, {}, {})


# Hand-worked


def test_entropy_of_a_tiny_grammar_by_hand():
    # H(x) = 1/4 log 4 + 3/4 log 4/3; y has one bit, in a quarter of the cases.
    expected = expectations(tiny())
    assert expected.entropy == pytest.approx(0.25 * math.log(4) + 0.75 * math.log(4 / 3) + 0.25 * math.log(2), abs=1e-15)
    assert expected.tokens == 3
    assert expected.bytes == len("heads a\n")


def test_probabilities_of_a_tiny_grammar_by_hand():
    source = tiny()
    assert source.next_token_probs([]) == {"heads": 0.25, "tails": 0.75}
    assert source.next_token_probs(["tails"]) == {"c": 1.0}
    assert source.derive(["heads", "b", END]).log_prob == pytest.approx(math.log(1 / 8), abs=1e-15)


def test_next_token_probs_sum_over_options_with_the_same_first_words():
    source = Grammar("[the old man|the old woman|2%the cat]", {}, {}, {})
    assert source.next_token_probs(["the"]) == {"old": 0.5, "cat": 0.5}
    assert source.next_token_probs(["the", "old"]) == {"man": 0.5, "woman": 0.5}


def test_splitmix64_gives_the_published_numbers():
    rng = SplitMix64(1234567)  # from the reference implementation in C
    assert [rng.bits64() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


# Exactness


@pytest.mark.parametrize("kind", [kind for kind in world.KINDS if kind != "summary"])
def test_no_phrase_begins_another_so_every_text_has_one_derivation(kind):
    # The other splits only drop options, and a summary adds nothing random to its story: what holds here holds for them.
    source = grammar("full", kind)
    for i, env in reachable(source, source.reads):
        phrases = sorted(option.phrase for option in source.options(i, env).options)
        for first, second in pairwise(phrases):
            assert second[: len(first)] != first, f"{kind}: {first} begins {second} at node {i} with {env}"


def test_a_summary_adds_nothing_random_to_its_story():
    assert world.entropy(kind="summary") == pytest.approx(world.entropy(), abs=1e-9)


def test_the_check_for_one_derivation_can_fail():
    source = Grammar("[a b|a [b|c]]", {}, {}, {})
    phrases = sorted(option.phrase for i, env in reachable(source, source.reads) for option in source.options(i, env).options)
    assert ("a",) in phrases and ("a", "b") in phrases
    with pytest.raises(ValueError, match="2 derivations"):
        source.derive(["a", "b", END])


@pytest.mark.parametrize(("split", "kind"), ALL)
def test_chain_rule_and_sums_to_one(split, kind):
    for text in world.sample(6, seed=3, split=split, kind=kind):
        tokens, total = [*tokenize(text), END], 0.0
        for t, token in enumerate(tokens):
            probs = world.next_token_probs(tokens[:t], split, kind)
            assert math.fsum(probs.values()) == pytest.approx(1, abs=1e-12)
            total += math.log(probs[token])
        assert total == pytest.approx(world.log_prob(text, split, kind), abs=1e-9)
        assert math.fsum(world.token_log_probs(text, split, kind)) == pytest.approx(total, abs=1e-9)
        assert world.next_token_probs(tokens, split, kind) == {}


@pytest.mark.parametrize(("split", "kind"), ALL)
def test_entropy_and_lengths_agree_with_samples(split, kind):
    texts = world.sample(800 if kind not in ("story", "summary") else 400, seed=4, split=split, kind=kind)
    assert within_three_errors([-world.log_prob(text, split, kind) for text in texts], world.entropy(split, kind))
    assert within_three_errors([len(tokenize(text)) + 1 for text in texts], world.expected_tokens(split, kind))
    assert within_three_errors([len(text.encode()) + 1 for text in texts], world.expected_bytes(split, kind))


def test_floor_is_entropy_in_bits_over_bytes():
    assert world.floor("train") == pytest.approx(world.entropy("train") / math.log(2) / world.expected_bytes("train"))
    assert world.floor("val") == world.floor("train") != world.floor("heldout")
    assert 0.2 < world.floor() < 1.2


@pytest.mark.parametrize("kind", world.KINDS)
def test_tokens_round_trip_and_count_bytes(kind):
    for text in world.sample(300, seed=5, kind=kind):
        tokens = tokenize(text)
        assert detokenize(tokens) == text
        assert n_bytes([*tokens, END]) == len((text + "\n").encode())
        assert "\n" not in text
        assert kind == "pair" or text.isascii()


@pytest.mark.parametrize("kind", world.KINDS)
def test_vocabulary_holds_every_token(kind):
    found = {token for text in world.sample(300, seed=6, kind=kind) for token in tokenize(text)}
    assert found <= set(world.vocabulary(kind))
    assert END in world.vocabulary(kind) and list(world.vocabulary(kind)) == sorted(world.vocabulary(kind))


def test_every_word_of_the_vocabulary_occurs(lines):
    assert set(world.vocabulary()) - {END} == {token for line in lines["train"] for token in tokenize(line)}


# The corpus


def test_same_text_from_the_same_seed():
    digest = hashlib.sha256("\n".join(world.sample(20, seed=7)).encode()).hexdigest()
    assert digest == "0ac2ef2fd1183a9f39d781debe010c4a30ff915c743f9d553b41b6aeece49275"
    assert world.sample(5, seed=7) != world.sample(5, seed=8)


@pytest.mark.parametrize("split", world.SEEDS)
def test_committed_files_are_the_generators(split):
    assert (WORLD / f"{split}.txt").read_bytes() == world.corpus(split).encode(), "run `python -m helpers.world`"


def test_size_of_stories_and_vocabulary(stories):
    lengths = [len(tokenize(text)) for text in stories]
    assert min(lengths) >= 40 and max(lengths) <= 120
    assert 60 <= sum(lengths) / len(lengths) <= 100
    assert 300 <= len(world.vocabulary()) <= 800


def test_articles_fit(stories):
    text = " ".join(stories).lower()
    assert not re.search(r"\ba [aeio]\w*|\ban [^aeioh]\w*|\ba honest\b", text)


def shown(line: str) -> set[tuple[str, str]]:
    tokens = tokenize(line)
    singular = {lexicon.plural(noun): noun for nouns in lexicon.NOUNS.values() for noun in nouns}
    found = {(a, singular.get(b, b)) for a, b in pairwise(tokens)}
    return found & set(lexicon.all_pairs())


def test_held_out_pairs(lines):
    held, train = world.held_out(), [shown(line) for line in lines["train"]]
    assert 0.1 <= len(held) / len(lexicon.all_pairs()) <= 0.15
    assert not held & set().union(*train) and not any(held & shown(line) for line in lines["val"])
    assert len(set().union(*map(shown, lines["heldout"]))) >= 0.95 * len(held)
    assert all(shown(line) <= held and shown(line) for line in lines["heldout"]), "a story without a held-out pair"
    assert all(train), "a training story without a choice of a pair"
    counts = Counter(word for pairs in train for pair in pairs for word in pair)
    assert min(counts[word] for pair in held for word in pair) >= 20


def test_splits_give_probability_only_to_what_they_show(lines):
    for text in lines["train"][:50]:
        assert world.log_prob(text, "train") == world.log_prob(text, "val") > world.log_prob(text) > -math.inf
        assert world.log_prob(text, "heldout") == -math.inf
    for text in lines["heldout"][:50]:
        assert world.log_prob(text, "train") == -math.inf < world.log_prob(text, "heldout")


# What stories say


def test_dependencies_are_right_and_far(read):
    distances = {d.distance for story in read for d in story.dependencies}
    assert set(range(2, 61)) <= distances
    for story in read:
        for d in story.dependencies:
            assert 0 <= d.source < d.target < len(story.tokens)
            if (d.name, d.form) == ("hero", ""):
                assert story.tokens[d.source] == story.tokens[d.target] == story.hero
            elif (d.name, d.form) == ("hero", "he"):
                assert story.tokens[d.target] == ("she" if story.female else "he")
            elif (d.name, d.form) == ("village", "river"):
                assert story.tokens[d.target] == lexicon.VILLAGE_RIVER[story.village]


def test_look_ups_name_the_holder_and_the_thing(read):
    found = [(story, lookup) for story in read for lookup in story.lookups]
    assert len(found) > 50
    for story, lookup in found:
        tokens = story.tokens
        assert tokens[lookup.answer] == tokens[lookup.source] and tokens[lookup.answer] not in lookup.wrong
        assert tokens[lookup.query] == tokens[lookup.holder]
        assert tokens[lookup.holder + 1] in ("had", "came")
    assert len({tokens_between for story, lookup in found if (tokens_between := lookup.answer - lookup.source)}) > 20


def test_agreement_at_many_distances(read):
    found = [(story, agreement) for story in read for agreement in story.agreements]
    assert {a.verb - a.subject for _, a in found} >= set(range(4, 12))
    assert any(a.distractors for _, a in found)
    for story, a in found:
        assert story.tokens[a.verb] == ("were" if a.plural else "was")


def test_choices_are_right_and_their_wrong_forms_impossible(read):
    """The oracle is the world itself: the right form can come there, the wrong one has probability zero."""
    for story in read[:200]:
        for choice in world.choices(story):
            due = world.next_token_probs(story.tokens[: choice.target])
            assert story.tokens[choice.target] == choice.right and due[choice.right] > 0 == due.get(choice.wrong, 0)
    found = [choice for story in read for choice in world.choices(story)]
    assert {(c.right, c.wrong) for c in found} >= {("she", "he"), ("He", "She"), ("her", "his"), ("was", "were")}
    assert min(c.distance for c in found) >= 1 and len({c.distance for c in found}) > 25


def test_choices_on_paper():
    story = world.parse(
        "Lucy lived in Redhill, a quiet village by the Dove. Early the next day she danced towards the white bakery with a "
        'tiny lamp for her father. On the road a brave man asked: "Dear friend, what is that?" "Only a tiny lamp for my '
        'father," said Lucy warmly. Before noon her father had the lamp in Hazelton, on the Brent. So Lucy slept bravely in '
        "Redhill, with the lamp by the door."
    )
    assert world.choices(story) == [(16, 16, "she", "he"), (11, 27, "her", "his"), (5, 63, "her", "his")]


def test_a_text_has_no_choices_before_it_is_read():
    with pytest.raises(AttributeError, match="agreements"):
        world.choices("Lucy lived in Redhill.")


def test_facts_are_true_and_never_contradicted(stories):
    assert all(world.is_true(fact.sentence) for fact in world.facts())
    assert world.is_true("The cat lives in the barn.") is False and world.is_true("Tom sat.") is None
    text = "\n".join(stories)
    patterns = [
        (r"(\w+), (?:a \w+ (?:village|town)|an \w+ (?:village|town)) (?:on|by|beside) the (\w+)", lexicon.VILLAGE_RIVER),
        (r"(\w+), (?:on|by) the (\w+)\.", lexicon.VILLAGE_RIVER),
        (r"(?:In|was in) (\w+), where the (\w+) (?:runs|flows)", lexicon.VILLAGE_RIVER),
        (r"In (\w+), where they (?:make|sell) the best (\w+)", lexicon.VILLAGE_WARE),
        (r"(\w+) and her (\w+)\.", {animal: words[0] for animal, words in lexicon.ANIMALS.items()}),
        (r"and the (\w+) in the (\w+)\.", {animal: words[1] for animal, words in lexicon.ANIMALS.items()}),
        (r"because (\w+) eat (\w+)", {lexicon.plural(animal): words[2] for animal, words in lexicon.ANIMALS.items()}),
        (r"(\w+), all (\w+)\.", {lexicon.plural(fruit): colour for fruit, colour in lexicon.FRUIT_COLOUR.items()}),
    ]
    for pattern, table in patterns:
        found = re.findall(pattern, text)
        assert len(found) > 30, pattern
        assert all(table[subject] == value for subject, value in found), pattern


def test_stereotype_at_its_rate(read):
    roles = (("kin", "kin_job"), ("who", "who_job"), ("helper", "job"), ("seller", "job"))
    values = [story.values for story in read]
    jobs = [(found[person], found[job]) for found in values for person, job in roles if {person, job} <= set(found)]
    typed = [world.is_female(person) == (job in world.WOMENS_JOBS) for person, job in jobs if job not in world.NEUTRAL_JOBS]
    neutral = [world.is_female(person) for person, job in jobs if job in world.NEUTRAL_JOBS]
    assert within_three_errors([float(hit) for hit in typed], world.STEREOTYPE_RATE)
    assert within_three_errors([float(hit) for hit in neutral], 0.5)


def test_rude_register_at_its_rate_and_only_where_it_shows(read, lines):
    words = [world.RUDE_WORDS & {token.lower() for token in tokenize(line)} for line in lines["train"]]
    assert within_three_errors([float(bool(found)) for found in words], world.RUDE_RATE)
    assert within_three_errors([float(story.rude) for story in read], world.RUDE_RATE)
    for story in read:
        assert story.rude == bool(world.RUDE_WORDS & {token.lower() for token in story.tokens})


def test_families_hold():
    quads = world.analogies()
    assert ("man", "woman", "king", "queen") in quads and ("cat", "kitten", "dog", "puppy") in quads
    assert ("Oakford", "Lune", "Ashby", "Tarn") in quads and ("plum", "plums", "box", "boxes") in quads
    assert len(quads) == len(set(quads))
    assert {word for quad in quads for word in quad} <= set(world.vocabulary())


# The other kinds


def test_labels_follow_the_last_opinion():
    texts = world.sample(500, seed=8, kind="review")
    labels = Counter(map(world.label, texts))
    assert min(labels.values()) > 200
    positive = [text for text in texts if world.label(text) == "positive"]
    assert any("not bad" in text or "never bad" in text for text in positive) and any(", but" in text for text in positive)
    for text in texts:
        if "would not buy" in text or "was not worth" in text or "sent it back" in text:
            assert world.label(text) == "negative"


def test_translation_is_one_for_one():
    for text in world.sample(100, seed=8, kind="pair"):
        english, chinese = text.split("\t")
        assert world.translate(english) == chinese
    assert world.translate("There are two red cats in the garden.") == "花园里有两只红色的猫。"
    with pytest.raises(ValueError, match="cannot stand there"):
        world.translate("The sun shines.")


def test_answers_are_in_the_passage_or_are_facts():
    facts = {fact.value for fact in world.facts()}
    for text in world.sample(200, seed=8, kind="question"):
        passage, question, answer = world.split_question(text)
        assert question.endswith("?")
        assert answer in facts or all(word in tokenize(passage) for word in tokenize(answer) if word not in ("as", "a", "an"))
        if found := re.match(r"Who had the (\w+)\?", question):
            assert re.search(rf"{answer} had an? (\w+ )?{found[1]}\b", passage)
        if found := re.match(r"Where did (\w+) go\?", question):
            assert re.search(rf"{found[1]} \w+ to {answer}\b", passage)
        if found := re.match(r"What did (\w+) have\?", question):
            assert f"{found[1]} had {answer}" in passage
    with pytest.raises(ValueError, match="three fields"):
        world.split_question("no tabs")


def test_programs_print_what_python_prints():
    programs = [text.split("\t") for text in world.sample(300, seed=8, kind="program")]
    script = "\n".join(source for source, _ in programs)
    printed = subprocess.run(
        [sys.executable, "-"], input=script, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [value for _, value in programs] == printed
    assert [world.run_program(source) for source, _ in programs] == printed
    assert world.run_program("x = 3\ny = x + 4\nprint(y)") == "7"
    assert world.run_program("print(2 + 3 * 4)") == "14" and world.run_program("print(-(2 - 5))") == "3"


@pytest.mark.parametrize("source", ["import os", "print(open)", "print((", "x = 3 / 0", 'print("a" - 1)', "print(9 ** 9)",
                                    'print("a" * 99999999)', "print(x)", "print.x(1)", "f()", 'print("a" + 1)'])  # fmt: skip
def test_programs_refuse_everything_else(source):
    with pytest.raises(ValueError):
        world.run_program(source)


def test_summaries_end_with_the_story_in_one_sentence():
    story, summary = world.sample(1, seed=9, kind="summary")[0].split("\t")
    assert summary.startswith(f"{world.parse(story).hero} of {world.parse(story).village}") and summary.count(".") == 1


# Bad input


def test_bad_input_says_what_was_expected():
    with pytest.raises(ValueError, match=r"token 1, 'xylophone', cannot stand there; possible there: '"):
        world.next_token_probs(["One", "xylophone"])
    with pytest.raises(ValueError, match="pass tokenize"):
        world.next_token_probs("One fine day")
    with pytest.raises(ValueError, match="choose one of full, train"):
        world.entropy("test")
    with pytest.raises(ValueError, match="choose one of story, question"):
        world.sample(1, seed=0, kind="poem")
    with pytest.raises(ValueError, match="n must be 0 or more"):
        world.sample(-1, seed=0)
    with pytest.raises(ValueError, match="as a str, got list"):
        world.log_prob(["One"])
    with pytest.raises(ValueError, match="stops early"):
        grammar().derive(["One"])
    with pytest.raises(ValueError, match="token 0, '</s>', cannot stand there"):
        world.parse("")
    with pytest.raises(ValueError, match="no file"):
        world.corpus("full")
    with pytest.raises(ValueError, match="not a name"):
        world.is_female("Lune")


def test_impossible_texts_have_no_probability(stories):
    text = stories[0]
    for wrong in ("", "Hello.", text[:-1], text + " " + text, text + END, text.replace(" ", "  ", 1)):
        assert world.log_prob(wrong) == -math.inf
    assert world.sample(0, seed=1) == []


@pytest.mark.parametrize("wrong", ["[a|b", "{x y}", "<x?a|b>", "[a}", "<x=1?a|b|c>"])
def test_wrong_notation_is_refused(wrong):
    with pytest.raises(ValueError):
        compile_template(wrong, {})


def test_a_program_cannot_fill_the_memory_by_adding():
    doubled = "s = 'cat'; " + "s = s + s; " * 30 + "print(len(s))"
    with pytest.raises(ValueError, match="value of a sum is too large"):
        world.run_program(doubled)
    with pytest.raises(ValueError, match="value of a sum is too large"):
        world.run_program("a = 600000; b = a + a; print(b)")


# --- tasks, lists, and the pile of all kinds --------------------------------------------------------------------------------


def test_every_program_of_a_task_does_what_the_task_says():
    said = {"plus": "+", "minus": "-", "times": "*", "add": "+", "subtract": "-", "multiply by": "*"}
    for document in world.sample(300, seed=3, kind="task"):
        task, program = document.split("\t")
        printed = world.run_program(program)
        if numbers := re.findall(r"(plus|minus|times|add|subtract|multiply by) (\d)", task):
            value = int(re.search(r"\d", task)[0])
            for verb, digit in numbers:
                value = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[said[verb]](value, int(digit))
            assert printed == str(value), document
        else:
            words = re.findall(r'"(\w+)"', task)
            times = re.search(r"(\d) times", task)
            expected = str(len(words[0])) if "length" in task else words[0] * int(times[1]) if times else "".join(words)
            assert printed == expected, document


def test_lists_keep_every_fifth_word_back():
    shown, asked = set(), set()
    for text in world.sample_lists(2000, seed=1):
        shown |= {item.split(": ")[0] for item in text.split("; ")}
    for text in world.sample_lists(500, seed=1, split="heldout"):
        asked.add(text.split("; ")[-1].split(": ")[0])
    groups = [*lists.CLASSES.values(), *lists.RELATIONS.values()]
    kept = {word for group in groups for word in group if lists.is_kept_back(word, group)}
    shown_somewhere = {word for group in groups for word in group if not lists.is_kept_back(word, group)}
    assert asked <= kept and kept <= asked | shown_somewhere
    assert shown == shown_somewhere and len(kept) > 15


def test_a_list_is_decided_by_its_examples():
    for text in world.sample_lists(200, seed=2):
        pairs = [item.split(": ") for item in text.split("; ")]
        labels = {answer for _, answer in pairs}
        if labels <= set(lists.LABELS):
            meaning = {}
            for word, answer in pairs:
                (name,) = [name for name, words in lists.CLASSES.items() if word in words]
                assert meaning.setdefault(name, answer) == answer
            assert len(set(meaning.values())) == len(meaning) <= 2
        else:
            assert any(all(table.get(word) == answer for word, answer in pairs) for table in lists.RELATIONS.values()), text


def test_a_list_is_shown_by_hand():
    pairs = [("cow", "calf"), ("fox", "cub")]
    assert world.show_list(pairs) == "cow: calf; fox: cub"
    assert world.show_list(pairs, asked="hen") == "cow: calf; fox: cub; hen:"
    assert world.show_list([], asked="hen") == "hen:"
    with pytest.raises(ValueError, match="choose one of train, val, heldout"):
        world.sample_lists(1, 0, "test")


def test_the_pile_holds_all_kinds_in_their_shares_and_no_word_that_the_vocabulary_lacks():
    pile = world.documents(1, seed=4)
    assert len(pile) == sum(mixture.SHARES.values()) == 1000
    assert pile == world.documents(1, seed=4) != world.documents(1, seed=5)
    vocabulary = set(world.document_vocabulary())
    assert {token for text in pile for token in world.tokenize(text)} <= vocabulary
    by_kind = [text for kind in mixture.SHARES for text in world.documents_of(kind, 1, seed=4)]
    assert sorted(by_kind) == sorted(pile) and by_kind != pile
    with pytest.raises(ValueError, match="the kind one of story, summary"):
        world.documents_of("poem", 1, seed=0)
    programs = [text for text in pile if "print(" in text.split("\t")[0]]
    assert len(programs) == mixture.SHARES["program"]
    with pytest.raises(ValueError, match="at least 1"):
        world.documents(0, seed=0)


def test_instructions_keep_wordings_and_a_combination_back_and_are_answered_by_the_truth():
    learned, tested = world.sample_instructions(3000, seed=1), world.sample_instructions(1000, seed=2, split="val")
    renamed = world.sample_instructions(1000, seed=3, split="val", new_wording=True)
    wordings = {
        name: [each.prompt.split(":")[0] for each in some] for name, some in zip("ltr", (learned, tested, renamed), strict=True)
    }
    third = {each[2] for each in instructions.WORDINGS.values()}
    assert set(wordings["l"]) == set(wordings["t"]) == {w for each in instructions.WORDINGS.values() for w in each[:2]}
    assert set(wordings["r"]) == third and not third & set(wordings["l"])
    combinations = {(each.job, each.kind) for each in learned}
    assert {(each.job, each.kind) for each in tested} - combinations == {instructions.NEVER_TOGETHER}
    assert all(sum(each.kind == kind for each in learned) > 500 for kind in instructions.ANSWERS)
    vocabulary = set(world.document_vocabulary())
    for each in learned + tested + renamed:
        text = each.prompt.partition(": ")[2].removesuffix("\t")
        assert set(world.tokenize(each.prompt + each.answer)) <= vocabulary and each.prompt.endswith("\t")
        if each.job == "translate":
            assert world.translate(text) == each.answer
        elif each.job == "judge":
            assert {"good": "positive", "bad": "negative"}[each.answer] == world.label(text)
        elif each.job == "repeat":
            assert each.answer == text
        elif each.job in ("thing", "hero"):
            assert each.answer in text
    programs = {each.prompt.partition(": ")[2]: each.answer for each in learned if each.job == "program"}
    results = {each.prompt.partition(": ")[2]: each.answer for each in learned if each.job == "compute"}
    both = programs.keys() & results.keys()
    assert len(both) > 30 and all(world.run_program(programs[text]) == results[text] for text in both)


def test_an_instruction_by_hand_and_what_is_refused():
    assert world.instruct("Say it in Chinese", "Tom sat.") == "Say it in Chinese: Tom sat.\t"
    assert world.sample_instructions(5, seed=1) == world.sample_instructions(5, seed=1) != world.sample_instructions(5, seed=2)
    assert {each.kind for each in world.sample_instructions(50, seed=1, kinds=["pair", "task"])} == {"pair", "task"}
    for kinds in ([], ["story"]):
        with pytest.raises(ValueError, match="kinds must be some of pair, summary, review, task"):
            world.sample_instructions(1, seed=1, kinds=kinds)
    for arguments in ((-1, 0), (1, 0, "heldout"), (1, 0, "train", True)):
        with pytest.raises(ValueError, match="n of 0 or more, split 'train' or 'val'"):
            world.sample_instructions(*arguments)
