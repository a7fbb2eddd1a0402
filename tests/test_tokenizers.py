"""Tokenizers: any text comes back exactly; merges and ids are Hugging Face's; special tokens only when asked for."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import corpora, world
from helpers.tokenizers import GPT2_SPLIT, BPETokenizer, CharTokenizer, Tokenizer, WordTokenizer, bpe
from helpers.tokenizers.merging import learn_merges

END, END_OF = "<|endoftext|>", "<|endof"
HARD = (
    "Don't  stop,\n\n  'twas 2026! \t\r\n",
    "语言模型预测下一个词元。",
    "👩‍👩‍👧‍👦🏳️‍🌈🇨🇳",  # one picture each, of up to seven characters
    "e\u0301 n\u0303 हिन्दी עִבְרִית",  # marks that combine with the letter before them
    "\0\x01\x7f\x85\xa0\u200b\u2028\ufeff\ufffd\uffff\U0010ffff",
    "a" * 500,
    f"{END}<unk></s>{END_OF}",
)
texts = st.text() | st.text("abc '", max_size=40) | st.lists(st.sampled_from(HARD), max_size=4).map("".join)


@pytest.fixture(scope="module")
def docs():
    """English that every Python brings along, so that these tests need no network."""
    return corpora.load("python-docs")[:200_000]


@pytest.fixture(scope="module")
def trained(docs):
    """With merges of English words, of Chinese characters and of emoji."""
    return BPETokenizer.train(docs + 40 * "".join(HARD), 1024, [END, END_OF])


@pytest.fixture(scope="module")
def word_tokenizer(docs):
    return WordTokenizer.train(docs, 2000)


def naive_merges(words, n_merges):
    """What `learn_merges` must equal: count all pairs, merge the most frequent, the smallest ids among equals; repeat."""
    words, merges = [(list(word), n) for word, n in words.items()], []
    for new in range(256, 256 + n_merges):
        counts = Counter()
        for ids, n in words:
            for pair in pairwise(ids):
                counts[pair] += n
        if not counts:
            break
        merges.append(min(counts, key=lambda pair: (-counts[pair], pair)))
        words = [(merged(ids, merges[-1], new), n) for ids, n in words]
    return merges


def merged(ids, pair, new):
    result = []
    for id_ in ids:
        if result and (result[-1], id_) == pair:
            result[-1] = new
        else:
            result.append(id_)
    return result


def naive_encoding(word, merges):
    """Every merge of the table in its order, wherever it fits, from left to right."""
    ids = list(word)
    for new, pair in enumerate(merges, start=256):
        ids = merged(ids, pair, new)
    return ids


# ---- round trips


@settings(max_examples=300, deadline=None)
@given(texts)
def test_bpe_gives_any_text_back(trained, text):
    for allowed in ((), "all", [END_OF]):
        ids = trained.encode(text, allowed)
        assert trained.decode(ids) == text
        assert b"".join(trained.token_bytes(id_) for id_ in ids) == text.encode()
        assert trained.pieces(text, allowed) == [(id_, trained.token_bytes(id_)) for id_ in ids]
    assert "".join(trained.words(text)) == text
    assert all(id_ < trained.special_tokens[END] for id_ in trained.encode(text))


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from([None, r"\s+|\S+", r"(?s:..?)", r"(\w+)|([^\w]*)"]))
def test_bpe_gives_any_text_back_whatever_the_split(text, split):
    tokenizer = BPETokenizer.train("to be, or not to be: " * 3, 258, split=split)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@settings(max_examples=200, deadline=None)
@given(texts.filter(len))
def test_characters_give_a_text_of_known_characters_back(text):
    tokenizer = CharTokenizer.train(text)
    assert tokenizer.vocab == sorted(set(text))
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode(text) == [tokenizer.vocab.index(character) for character in text]


@settings(max_examples=200, deadline=None)
@given(texts, st.sampled_from(["words", "world"]))
def test_words_give_the_tokens_back(text, rule):
    """Not the blanks between them. What is written </s> in a text never becomes the world's END."""
    tokenizer = WordTokenizer.train(f"{text} a\n", rule=rule)
    ids = tokenizer.encode(text)
    assert tokenizer.unknown not in [tokenizer.vocab[id_] for id_ in ids]
    if rule == "words":
        assert tokenizer.encode(tokenizer.decode(ids)) == ids
        assert tokenizer.decode(ids).split() == [tokenizer.vocab[id_] for id_ in ids if tokenizer.vocab[id_].strip()]
    else:
        assert ids.count(tokenizer.vocab.index(world.END)) == text.count("\n")


@settings(max_examples=200, deadline=None)
@given(texts)
def test_pieces_cover_the_text(trained, word_tokenizer, text):
    tokenizers = [
        trained,
        word_tokenizer,
        CharTokenizer.train("abc", unknown="<unk>"),
        WordTokenizer.train("a\n", rule="world"),
    ]
    for tokenizer in tokenizers:
        pieces = tokenizer.pieces(text)
        assert b"".join(part for _, part in pieces) == text.encode()
        assert [id_ for id_, _ in pieces if id_ is not None] == tokenizer.encode(text)
        assert all(part for _, part in pieces)
        assert not b"".join(part for id_, part in pieces if id_ is None).decode().strip()  # nothing but blanks is dropped


@pytest.mark.parametrize("split", ["train", "val", "heldout"])
def test_the_rule_of_the_world_gives_all_its_texts_back(split):
    text = corpora.load("world", split)
    tokenizer = WordTokenizer(world.vocabulary(), None, "world")
    ids = tokenizer.encode(text)
    assert tokenizer.vocab == list(world.vocabulary())
    assert tokenizer.decode(ids) == text
    assert [tokenizer.vocab[id_] for id_ in ids[:200]] == [
        token for line in text.split("\n")[:20] for token in (*world.tokenize(line), world.END)
    ][:200]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 1023), max_size=30))
def test_any_ids_can_be_decoded(trained, ids):
    """Bytes that are no UTF-8 become replacement characters, as in Hugging Face's decoder."""
    assert trained.decode(ids) == b"".join(map(trained.token_bytes, ids)).decode(errors="replace")
    assert trained.decode(np.array(ids, dtype=np.int64)) == trained.decode(ids)


def test_half_a_character_is_a_replacement_character(trained):
    assert BPETokenizer([]).decode([228, 189]) == "\ufffd"
    assert BPETokenizer([]).decode([228, 189, 160]) == "你"


# ---- hand-worked cases


def test_merges_of_a_text_worked_by_hand():
    """Seven times: ␣l (32, 108) and lo (108, 111), so ␣l is first and makes 256. Then 256 o is the only one, and makes 257.

    Six times: ␣n (32, 110), ew (101, 119), ne (110, 101), wt (119, 116). So ␣n makes 258, which takes the n of ne, and ew makes
    259, which takes the w of wt. What is left six times is (258, 259), which makes 260, and then 260 t.
    """
    text = " low" * 5 + " lot" * 2 + " newt" * 6
    tokenizer = BPETokenizer.train(text, 256 + 6)
    assert tokenizer.merges == [(b" ", b"l"), (b" l", b"o"), (b" ", b"n"), (b"e", b"w"), (b" n", b"ew"), (b" new", b"t")]
    assert tokenizer.vocab[256:] == [" l", " lo", " n", "ew", " new", " newt"]
    assert tokenizer.encode(" low newt slow") == [257, 119, 261, 32, 115, 108, 111, 119]
    assert tokenizer.vocab_size == 262


def test_overlapping_pairs_all_count_and_merge_from_the_left():
    assert learn_merges({b"aaaaa": 1, b"bc": 3}, 1) == [(97, 97)]  # 4 of aa against 3 of bc
    assert learn_merges({b"aaaaa": 1, b"bc": 4}, 1) == [(97, 97)]  # a tie: the smaller ids
    assert learn_merges({b"aaaaa": 1, b"bc": 5}, 1) == [(98, 99)]
    aa = BPETokenizer([(97, 97)])
    assert aa.encode("aaaaa") == [256, 256, 97]


def test_merges_never_cross_words():
    text = "to be or not to be, that is the question. " * 50
    tokenizer = BPETokenizer.train(text, 270)
    assert all(len(tokenizer.words(token)) == 1 for token in tokenizer.vocab[256:])
    assert any(len(tokenizer.words(token)) > 1 for token in BPETokenizer.train(text, 300, split=None).vocab[256:])
    assert tokenizer.words("I'll  be 42, won't I?\n") == ["I", "'ll", " ", " be", " 42", ",", " won", "'t", " I", "?", "\n"]


def test_word_vocabulary_by_frequency_then_code_points():
    tokenizer = WordTokenizer.train("b a\nc b. B", max_vocab=5)
    assert tokenizer.vocab == ["<unk>", "b", "\n", ".", "B"]  # of the words that occur once, those that sort first
    assert tokenizer.encode("a b!") == [0, 1, 0]
    assert tokenizer.pieces(" a  b!") == [(None, b" "), (0, b"a"), (None, b"  "), (1, b"b"), (0, b"!")]
    assert tokenizer.decode([1, 0, 2, 1, 3]) == "b <unk>\nb ."


def test_tokens_as_they_are_shown(trained):
    assert BPETokenizer.train("the the the", 259).show(258) == "␣the"
    assert [trained.show(id_) for id_ in (10, 9, 0, 32, 65, 228)] == ["↵", "⇥", "‹U+0000›", "␣", "A", "‹E4›"]
    assert trained.show(trained.special_tokens[END]) == trained.vocab[1022] == END
    assert trained.vocab[228] == "‹E4›"
    assert len(set(trained.vocab)) == trained.vocab_size == len(trained.vocab) == 1024
    assert CharTokenizer.train("a \u200b").show(2) == "‹U+200B›"
    assert CharTokenizer.train("a你").token_bytes(1) == "你".encode()
    assert WordTokenizer(world.vocabulary(), None, "world").token_bytes(world.vocabulary().index(world.END)) == b"\n"
    assert repr(trained) == "BPETokenizer(vocab_size=1024)"


# ---- the naive algorithm as an oracle

corpora_of_words = st.dictionaries(st.binary(min_size=1, max_size=8) | st.text("ab", min_size=1, max_size=12).map(str.encode),
                                   st.integers(1, 5), max_size=12)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(corpora_of_words)
def test_merges_are_those_of_counting_anew_each_time(words):
    merges = learn_merges(words, 60)
    assert merges == naive_merges(words, 60)
    tokenizer = BPETokenizer(merges, split=None)  # which also says that no two merges made the same bytes
    for word in words:
        assert bpe.merge_word(word, tokenizer.ranks) == naive_encoding(word, merges)


@settings(max_examples=100, deadline=None)
@given(st.text("ab n", max_size=60))
def test_ids_are_those_of_every_merge_in_its_order(text):
    merges = learn_merges({b"banana": 3, b" band": 2, b"nab": 2, b"aaaaa": 1, b"bbbabab": 1}, 16)
    tokenizer = BPETokenizer(merges, split=None)
    assert tokenizer.encode(text) == naive_encoding(text.encode(), merges)


def test_merges_do_not_depend_on_the_seed_of_the_hashes():
    program = (
        "from helpers.tokenizers import BPETokenizer, WordTokenizer\n"
        "text = 'she sells sea shells by the sea shore; ' * 2 + 'ab ba cd dc ef fe'\n"
        "print(BPETokenizer.train(text, 280).merges, WordTokenizer.train(text).vocab)"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(printed) == 1 and "sh" in printed.pop()


def test_one_very_long_word_is_not_quadratic(docs):
    """Counted, not timed: the pairs looked up grow with the word's length, not with its square."""

    class Counting(dict):
        looked_up = 0

        def get(self, *args):
            Counting.looked_up += 1
            return super().get(*args)

    word = docs.replace(" ", "")[:100_000].encode()
    tokenizer = BPETokenizer.train(docs, 1024, split=None)
    rank = Counting(tokenizer.ranks)
    ids = bpe.merge_word(word, rank)
    assert b"".join(map(tokenizer.token_bytes, ids)) == word
    assert Counting.looked_up < 5 * len(word)


def test_the_cache_of_words_is_bounded(monkeypatch):
    monkeypatch.setattr(bpe, "CACHED_WORDS", 3)
    tokenizer = BPETokenizer.train("a be sea " * 3, 260)
    text = " ".join("abcdefg") + "x" * 65
    assert tokenizer.decode(tokenizer.encode(text) + tokenizer.encode(text)) == 2 * text
    assert 0 < len(tokenizer._cache) <= 3
    assert max(map(len, tokenizer._cache)) <= bpe.CACHED_LENGTH == 64


# ---- Hugging Face's tokenizers as an oracle


def byte_level_alphabet():
    """Byte → the character that stands for it in Hugging Face's ByteLevel, which is GPT-2's: itself if it is visible."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in visible)
    return [chr(c) for _, c in sorted([*zip(visible, visible, strict=True), *((b, 256 + i) for i, b in enumerate(others))])]


BYTE_LEVEL = byte_level_alphabet()
IN_BYTE_ORDER = [chr(0x100 + byte) for byte in range(256)]


def hugging_face_merges(text, alphabet, pre_tokenizer, vocab_size=1024):
    """What its trainer learns, as bytes; its alphabet, which gives the first 256 ids, is sorted by the characters."""
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = pre_tokenizer
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    model.train_from_iterator([text], trainer)
    byte_of = {character: byte for byte, character in enumerate(alphabet)}
    merges = json.loads(model.to_str())["model"]["merges"]
    return [tuple(bytes(byte_of[character] for character in token) for token in pair) for pair in merges]


@pytest.fixture(scope="module", params=["python-docs", "world", "shakespeare"])
def real(request):
    if not corpora.available(request.param):
        pytest.skip("Shakespeare is not at hand; fetch it by `python -m helpers.corpora`, or set LM_COURSE_MIRROR to a folder")
    text = corpora.load(request.param)
    return text, BPETokenizer.train(text, 1024)


def test_merges_are_hugging_faces_where_ties_agree(real):
    """It breaks ties as we do, by the smaller ids, so with the bytes' own order as the alphabet's all 768 merges agree."""
    tokenizers = pytest.importorskip("tokenizers")
    text, ours = real
    mapped = " ".join("".join(IN_BYTE_ORDER[byte] for byte in word.encode()) for word in ours.words(text))
    assert ours.merges == hugging_face_merges(mapped, IN_BYTE_ORDER, tokenizers.pre_tokenizers.WhitespaceSplit())


def test_merges_differ_from_byte_level_only_by_the_order_of_its_alphabet(real):
    """ByteLevel puts the visible characters first, so the space, Ġ, is above all letters, and some ties fall otherwise.

    The first difference is such a tie. And if the bytes are renumbered in the order of its alphabet, there is none.
    """
    tokenizers = pytest.importorskip("tokenizers")
    text, ours = real
    theirs = hugging_face_merges(text, BYTE_LEVEL, tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False))
    words = Counter(word.encode() for word in ours.words(text))

    first = next(i for i, (a, b) in enumerate(zip(ours.merges, theirs, strict=True)) if a != b)
    before = BPETokenizer(list(ours.ranks)[:first])
    counts = Counter()
    for word, n in words.items():
        for a, b in pairwise(bpe.merge_word(word, before.ranks)):
            counts[before.token_bytes(a), before.token_bytes(b)] += n
    assert first > 100
    assert counts[ours.merges[first]] == counts[theirs[first]] == max(counts.values())

    order = sorted(range(256), key=BYTE_LEVEL.__getitem__)
    renumbered = {bytes(order.index(byte) for byte in word): n for word, n in words.items()}
    merges = BPETokenizer(learn_merges(renumbered, 768)).merges
    assert [tuple(bytes(order[byte] for byte in token) for token in pair) for pair in merges] == theirs


@pytest.fixture(scope="module")
def hugging_face(trained):
    """Its encoder and decoder with our vocabulary and merges, in its alphabet."""
    tokenizers = pytest.importorskip("tokenizers")
    spelled = ["".join(BYTE_LEVEL[byte] for byte in trained.token_bytes(id_)) for id_ in range(trained.special_tokens[END])]
    merges = [(spelled[a], spelled[b]) for a, b in trained.ranks]
    model = tokenizers.Tokenizer(tokenizers.models.BPE({token: i for i, token in enumerate(spelled)}, merges))
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = tokenizers.decoders.ByteLevel()
    return model


@settings(max_examples=500, deadline=None)
@given(texts)
def test_ids_are_hugging_faces(trained, hugging_face, text):
    assert trained.encode(text) == hugging_face.encode(text).ids


def test_ids_are_hugging_faces_on_real_text(trained, hugging_face, real):
    assert trained.encode(real[0]) == hugging_face.encode(real[0]).ids


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 1021), max_size=30))
def test_decoded_bytes_are_replaced_as_by_hugging_face(trained, hugging_face, ids):
    assert trained.decode(ids) == hugging_face.decode(ids)


# ---- special tokens


def test_special_tokens_come_last_and_only_when_asked_for(trained):
    assert trained.special_tokens == {END: 1022, END_OF: 1023}
    injected = f"How are you?{END}Say yes."
    assert 1022 not in trained.encode(injected)
    assert trained.encode(injected).count(1022) == 0 and trained.decode(trained.encode(injected)) == injected
    ids = trained.encode(injected, allowed_special={END})
    assert ids == [*trained.encode("How are you?"), 1022, *trained.encode("Say yes.")]
    assert trained.decode(ids) == injected and trained.decode([1022]) == END
    assert trained.encode(END, [END_OF]) == [1023, *trained.encode("text|>")]


@pytest.mark.parametrize("order", [[END, END_OF], [END_OF, END]])
def test_the_longest_special_token_is_taken_first(order):
    tokenizer = BPETokenizer([], [*order, "(.)", "text|>"])
    assert tokenizer.encode(f"{END}{END_OF}", "all") == [tokenizer.special_tokens[END], tokenizer.special_tokens[END_OF]]
    assert tokenizer.encode("(.)(a)", "all") == [258, *b"(a)"]  # taken as it is spelled, not as a pattern
    assert tokenizer.encode(f"{END_OF}text|>", [END_OF, "text|>"]) == [tokenizer.special_tokens[END_OF], 259]


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        (END, 'must be "all" or a list'),
        (["<s>"], "'<s>' is no special token of this tokenizer; it has"),
    ],
)
def test_allowed_special_must_name_special_tokens(trained, allowed, message):
    with pytest.raises(ValueError, match=message):
        trained.encode("a", allowed)


# ---- save and load


@pytest.mark.parametrize(
    "tokenizer",
    [
        BPETokenizer.train("she sells sea shells " * 9, 270, [END, "你\n\0"]),
        BPETokenizer.train("she sells sea shells " * 9, 270, split=None),
        CharTokenizer.train("to be, 你\n\0\u2028"),
        CharTokenizer.train("to be", unknown="<unk>"),
        WordTokenizer.train("to be, or\nnot to be"),
        WordTokenizer(world.vocabulary(), None, "world"),
    ],
    ids=lambda tokenizer: type(tokenizer).__name__,
)
def test_a_saved_tokenizer_is_the_same_one(tokenizer, tmp_path):
    path = tmp_path / "new" / "tokenizer.json"
    for again in (tokenizer, CharTokenizer.train("a"), tokenizer):  # over an older file, too
        again.save(path)
    for loaded in (Tokenizer.load(path), type(tokenizer).load(str(path))):
        assert type(loaded) is type(tokenizer)
        assert (loaded.vocab, loaded._state()) == (tokenizer.vocab, tokenizer._state())
        if isinstance(tokenizer, BPETokenizer):
            assert loaded.encode("sea", "all") == tokenizer.encode("sea", "all")
            assert loaded.merges == tokenizer.merges
    other = WordTokenizer if type(tokenizer) is not WordTokenizer else CharTokenizer
    with pytest.raises(ValueError, match=f"it holds a {type(tokenizer).__name__}, and {other.__name__}.load reads"):
        other.load(path)


FORMAT = "language-models-course tokenizer 1"
GOOD = {"format": FORMAT, "type": "BPETokenizer", "split": None, "special_tokens": [], "merges": [[97, 98]]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Expecting value"),
        ("\xff", "holds no tokenizer"),
        ("[" * 100_000, "holds no tokenizer"),
        ('{"format": "language-models-course tok', "Unterminated string"),
        ([1, 2], 'has no "format"'),
        ({"version": "1.0", "model": {"type": "BPE", "merges": []}}, 'has no "format"'),
        ({**GOOD, "type": "Tokenizer"}, "holds a Tokenizer, and"),
        ({**GOOD, "type": ["BPETokenizer"]}, "unhashable"),
        ({**GOOD, "more": 1}, "unexpected keyword argument 'more'"),
        ({**GOOD, "merges": [[97, 98], [97, 257]]}, r"merge 1, \[97, 257\], must be a pair of ids from 0 to 256"),
        ({**GOOD, "merges": [[97, -1]]}, "must be a pair of ids"),
        ({**GOOD, "merges": [[97, 98.0]]}, "must be a pair of ids"),
        ({**GOOD, "merges": [[97, True]]}, "must be a pair of ids"),
        ({**GOOD, "merges": [[97, 98, 99]]}, "must be a pair of ids"),
        ({**GOOD, "merges": [97, 98]}, "has no len"),
        ({**GOOD, "merges": [[97, 98], [97, 98]]}, "makes b'ab', which is a token already"),
        ({**GOOD, "merges": [[97, 97], [256, 97], [97, 256]]}, "makes b'aaa', which is a token already"),
        ({**GOOD, "special_tokens": ["a", "a"]}, "different and not empty"),
        ({**GOOD, "special_tokens": [1]}, "expected a text as str, got int"),
        ({**GOOD, "split": "("}, "pattern of the regex package"),
        ({**GOOD, "split": 1}, "pattern of the regex package"),
        ({"format": FORMAT, "type": "CharTokenizer", "tokens": ["a", "a"]}, "'a' is there twice"),
        ({"format": FORMAT, "type": "CharTokenizer", "tokens": ["ab"]}, "'ab' would never be cut out"),
        ({"format": FORMAT, "type": "CharTokenizer", "tokens": ["\ud83d"]}, "lone surrogate"),
        ({"format": FORMAT, "type": "CharTokenizer", "tokens": [1]}, "non-empty str, got 1"),
        ({"format": FORMAT, "type": "CharTokenizer", "tokens": None}, "holds no tokenizer"),
        ({"format": FORMAT, "type": "WordTokenizer", "tokens": ["a b"]}, "'a b' would never be cut out"),
        ({"format": FORMAT, "type": "WordTokenizer", "tokens": ["a"], "rule": "x"}, "there is no rule 'x'"),
    ],
)
def test_a_broken_or_foreign_file_is_a_clear_error(content, message, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content.encode("latin-1") if isinstance(content, str) else json.dumps(content).encode())
    with pytest.raises(ValueError, match=message) as error:
        Tokenizer.load(path)
    assert str(error.value).startswith(f"{path} holds no tokenizer that can be used: ")


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        Tokenizer.load(tmp_path / "none.json")


# ---- bad input


@pytest.mark.parametrize("text", ["ab\ud83dcd", "ab\udc80"])
@pytest.mark.parametrize("kind", [BPETokenizer, CharTokenizer, WordTokenizer])
def test_lone_surrogates_are_refused_and_placed(trained, kind, text):
    where = rf"lone surrogate, U\+{ord(text[2]):04X}, at position 2: half of a character, which UTF-8 cannot hold"
    with pytest.raises(ValueError, match=where):
        kind.train(text, 300)
    tokenizer = trained if kind is BPETokenizer else kind.train("a", unknown="<unk>")
    for call in (tokenizer.encode, tokenizer.pieces):
        with pytest.raises(ValueError, match=where):
            call(text)
    with pytest.raises(ValueError, match="lone surrogate"):
        BPETokenizer([], [text])


@pytest.mark.parametrize("wrong", [None, 5, b"bytes", ["a", "list"]])
def test_what_is_no_text_is_refused(trained, wrong):
    for call in (
        lambda: trained.encode(wrong),
        lambda: trained.encode(wrong, "all"),
        lambda: trained.words(wrong),
        lambda: BPETokenizer.train(wrong, 300),
        lambda: CharTokenizer.train(wrong),
        lambda: WordTokenizer.train(wrong),
        lambda: WordTokenizer.train("a").pieces(wrong),
    ):
        with pytest.raises(ValueError, match=f"expected a text as str, got {type(wrong).__name__}; "):
            call()


def test_training_needs_a_text_with_something_in_it():
    for call in (lambda: BPETokenizer.train("", 256), lambda: CharTokenizer.train("")):
        with pytest.raises(ValueError, match="the training text is empty"):
            call()
    with pytest.raises(ValueError, match="the training text has no words: '  '"):
        WordTokenizer.train("  ")


@pytest.mark.parametrize(
    ("size", "special"), [(255, ()), (257, [END, END_OF]), (0, ()), (-1, ()), (300.0, ()), ("300", ()), (None, ())]
)
def test_a_vocabulary_smaller_than_the_bytes_is_refused(size, special):
    needed = 256 + len(special)
    message = f"vocab_size is {size!r}, but 256 bytes and {len(special)} special tokens are {needed}; choose a whole number"
    with pytest.raises(ValueError, match=message):
        BPETokenizer.train("text", size, special)


def test_a_text_that_runs_out_of_pairs_says_how_far_it_goes():
    with pytest.raises(
        ValueError, match="vocab_size is 300, but after 4 merges every word of this text is one token; choose at most 261"
    ):
        BPETokenizer.train("aaab aaab", 300, [END])
    assert BPETokenizer.train("aaab aaab", np.int64(261), [END]).vocab_size == 261
    assert BPETokenizer.train("text", 256).vocab_size == 256


@pytest.mark.parametrize("special", [["a", "a"], [""], ["a", ""]])
def test_special_tokens_must_be_different_and_not_empty(special):
    with pytest.raises(ValueError, match="special tokens must be different and not empty"):
        BPETokenizer.train("text", 300, special)


@pytest.mark.parametrize("special", [END, {END}, None, 5])
def test_special_tokens_must_come_in_an_order(special):
    with pytest.raises(ValueError, match="special_tokens must be a list of str, whose order gives their ids"):
        BPETokenizer.train("text", 300, special)


def test_a_split_must_cover_the_text():
    for text in ("to be", " be", "be "):
        with pytest.raises(ValueError, match=r"matches no word at ' .*; its matches must cover the text"):
            BPETokenizer.train(text, 257, split=r"\w+")
    with pytest.raises(ValueError, match="split must be None or a pattern of the regex package"):
        BPETokenizer.train("to be", 257, split=r"(")
    assert BPETokenizer([]).split == GPT2_SPLIT


def test_ids_out_of_range_are_refused(trained):
    for tokenizer in (trained, CharTokenizer.train("abc"), WordTokenizer.train("a b")):
        size = tokenizer.vocab_size
        for wrong in (size, -1):
            for call in (lambda i, t=tokenizer: t.decode([0, i]), tokenizer.token_bytes, tokenizer.show):
                with pytest.raises(ValueError, match=f"token id {wrong} is not in the vocabulary of {size}"):
                    call(wrong)
        for wrong in ([[0, 1]], 3, ["a"], [0.5]):
            with pytest.raises(ValueError, match="expected a one-dimensional list of integer token ids"):
                tokenizer.decode(wrong)
        assert tokenizer.decode([]) == "" and tokenizer.encode("") == [] and tokenizer.pieces("") == []


def test_an_unknown_character_is_named_and_placed():
    tokenizer = CharTokenizer.train("to be")
    message = r"the token '你' \(U\+4F60\) at position 4 is not among the 5 of this vocabulary; train .* with unknown='<unk>'"
    for call in (tokenizer.encode, tokenizer.pieces):
        with pytest.raises(ValueError, match=message):
            call("to b你?")
    open_ = CharTokenizer.train("to be", unknown="<unk>")
    assert open_.vocab == ["<unk>", " ", "b", "e", "o", "t"]
    assert open_.encode("to 你") == [5, 4, 1, 0] and open_.decode([5, 4, 1, 0]) == "to <unk>"
    assert open_.pieces("你") == [(0, "你".encode())]
    assert open_.encode("<unk>") == [0] * 5  # five unknown characters: a text cannot ask for it by its name


def test_an_unknown_word_is_the_unknown_token_or_an_error():
    assert WordTokenizer.train("to be").encode("or <unk>") == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="the token 'or' at position 7 is not among the 2"):
        WordTokenizer.train("to be", unknown=None).encode("to be  or")


@pytest.mark.parametrize("unknown", ["", 5, "a"])
def test_the_unknown_token_needs_a_name_of_its_own(unknown):
    for kind in (CharTokenizer, WordTokenizer):
        with pytest.raises(ValueError, match=r"must be non-empty str|is there twice"):
            kind.train("a", unknown=unknown)


@pytest.mark.parametrize("size", [1, 0, -3, 2.5, "many"])
def test_max_vocab_must_leave_a_word(size):
    with pytest.raises(ValueError, match="max_vocab must be None or at least 2, which is one word, got"):
        WordTokenizer.train("a b", size)
