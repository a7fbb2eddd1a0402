"""The token view without a browser: what it shows of each piece, its counts, its errors and its picture."""

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import findfont, get_font

from helpers.tokenizers import BPETokenizer, CharTokenizer, Tokenizer, WordTokenizer
from helpers.widgets import TokenCounts, TokenView
from helpers.widgets._base import to_png, visible, visible_bytes
from helpers.widgets._pictures import drawable
from helpers.widgets.token_view import SHOWN

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


class Words(Tokenizer):
    """Knows some words; spaces have no token of their own."""

    vocab = ("<unk>", "the", "cat", "词元", "<b>", ".")

    def pieces(self, text):
        if "\ud800" in text:
            raise ValueError("the text has a lone surrogate at position 0")
        id_of = {word: i for i, word in enumerate(self.vocab)}
        cut = re.findall(r"\s+|<b>|\w+|[^\w\s]", text)
        return [(None if word.isspace() else id_of.get(word, 0), word.encode()) for word in cut]


class Bytes(Tokenizer):
    """Every byte is a token, and " the" is one more."""

    vocab = (*(f"<{i:02X}>" for i in range(256)), "␣the")

    def token_bytes(self, id_):
        return b" the" if id_ == 256 else bytes([id_])

    def pieces(self, text):
        found = re.findall(b" the|.", text.encode(), re.DOTALL)
        return [(256 if piece == b" the" else piece[0], piece) for piece in found]


class Broken(Tokenizer):
    vocab = ("a",)

    def pieces(self, text):
        raise KeyError(text)


def view(text: str, **options) -> TokenView:
    return TokenView({"words": Words(), "bytes": Bytes()}, text, **options)


def shown(panel: dict) -> list[str]:
    return [panel["kinds"][number]["shown"] for number in panel["pieces"]]


def kinds(panel: dict) -> list[str]:
    return [panel["kinds"][number]["kind"] for number in panel["pieces"]]


# ---- what stands for a token


@pytest.mark.parametrize(
    "token, expected",
    [
        ("the", "the"),
        (" the\n", "␣the↵"),
        ("\t", "⇥"),
        ("", "∅"),
        ("词元", "词元"),
        ("👩\u200d👧", "👩‹U+200D›👧"),
        ("❤\ufe0f", "❤‹U+FE0F›"),
        ("\u0301", "◌\u0301"),
        ("e\u0301", "e\u0301"),
        ("\x00\u202e\ud800", "‹U+0000›‹U+202E›‹U+D800›"),
    ],
)
def test_visible_leaves_nothing_unseen(token, expected):
    assert visible(token) == expected


@pytest.mark.parametrize(
    "data, expected",
    [
        (b" the", "␣the"),
        ("词".encode(), "词"),
        ("词".encode()[:2], "‹E8 AF›"),
        (b" \xe8", "␣‹E8›"),
        (b"\x8d,\xff\xfe", "‹8D›,‹FF FE›"),
        (b"\xed\xa0\x80", "‹ED A0 80›"),  # half of a surrogate pair is no UTF-8
        (b"", "∅"),
    ],
)
def test_bytes_that_are_no_character_are_hexadecimal(data, expected):
    assert visible_bytes(data) == expected


@given(st.binary(max_size=12))
def test_any_bytes_can_be_shown(data):
    assert visible_bytes(data).isprintable() and "\ufffd" not in visible_bytes(data).replace(
        "\ufffd" * (b"\xef\xbf\xbd" in data), ""
    )


# ---- panels


def test_a_hand_worked_text():
    words, pieces = view("the cat\nate 词元.").frame["panels"]
    assert shown(words) == ["the", "␣", "cat", "↵", "ate", "␣", "词元", "."]
    assert kinds(words) == ["token", "none", "token", "none", "unknown", "none", "token", "token"]
    said = [words["kinds"][number]["said"] for number in words["pieces"]]
    assert said[:3] == ["id 1", "no token stands for it", "id 2"]
    assert said[4] == "not in the vocabulary, read as <unk>, id 0"
    assert [words["kinds"][number]["breaks"] for number in words["pieces"]].index(True) == 3
    assert shown(pieces)[-7:] == ["‹E8›", "‹AF›", "‹8D›", "‹E5›", "‹85›", "‹83›", "."]
    assert kinds(pieces)[-7:] == ["part"] * 6 + ["token"]
    assert pieces["kinds"][pieces["pieces"][-2]]["hex"] == "83"


def test_counts_of_a_hand_worked_text():
    counts = view("see the 词元").counts()
    assert counts == {"words": TokenCounts(3, 10, 14), "bytes": TokenCounts(11, 10, 14)}
    assert counts["words"].characters_per_token == pytest.approx(10 / 3)
    assert counts["bytes"].tokens_per_character == 1.1
    said = [panel["said"] for panel in view("see the 词元").frame["panels"]]
    assert said[0] == "3 tokens · 3.33 characters per token · 0.30 tokens per character"
    assert view("see the 词元").frame["length"] == "10 characters (code points), 14 bytes in UTF-8"


@given(TEXTS)
def test_the_pieces_are_the_text_and_the_counts_are_those_of_encode(text):
    training = "the cat sat on the mat: 词元, café"
    real = CharTokenizer.train(training, "<unk>"), WordTokenizer.train(training), BPETokenizer.train(training, 270)
    widget = TokenView(dict(zip("cwb", real, strict=True)), text)
    for panel, tokenizer in zip(widget.frame["panels"], real, strict=True):
        assert bytes.fromhex("".join(panel["kinds"][number]["hex"] for number in panel["pieces"])) == text.encode()
        assert panel["counts"]["tokens"] == len(tokenizer.encode(text))
        assert panel["counts"]["characters"] == len(text) and panel["counts"]["bytes"] == len(text.encode())


def test_an_empty_text_has_no_ratios():
    counts = view("").counts()["words"]
    assert math.isnan(counts.characters_per_token) and math.isnan(counts.tokens_per_character)
    assert [panel["said"] for panel in view("").frame["panels"]] == ["0 tokens"] * 2


def test_a_long_text_is_counted_whole_and_shown_in_part():
    panel = view("a" * (SHOWN + 7)).frame["panels"][1]
    assert len(panel["pieces"]) == SHOWN and panel["more"] == "… and 7 more"
    assert panel["counts"]["tokens"] == SHOWN + 7


def test_what_one_tokenizer_cannot_read_does_not_stop_the_others():
    widget = TokenView({"broken": Broken(), "words": Words()}, "the cat")
    broken, words = widget.frame["panels"]
    assert broken["error"] == "broken cannot read this text: KeyError: 'the cat'" and words["error"] == ""
    assert widget.counts() == {"broken": None, "words": TokenCounts(2, 7, 7)}
    assert repr(widget) == "TokenView('the cat' in tokens: broken cannot read it, words 2)"
    assert to_png(widget.picture())


def test_half_a_surrogate_pair_is_said_and_mends_itself():
    widget = view("the \ud800")
    assert [bool(panel["error"]) for panel in widget.frame["panels"]] == [True, True]
    assert "lone surrogate" in widget.frame["panels"][0]["error"] and to_png(widget.picture())
    assert widget.frame["text"].isascii() and repr(widget).isprintable()
    json.dumps(widget.frame, ensure_ascii=False).encode("utf-8")  # as the kernel sends it
    widget.text = "the"
    assert not any(panel["error"] for panel in widget.frame["panels"])


def test_messages_from_the_browser_are_answered_and_nonsense_is_ignored():
    widget = view("the")
    for content in ({"type": "text", "text": "the cat"}, {"type": "text", "text": "the cat"}):
        before = widget.frame["revision"]
        widget._receive(content)
        assert widget.frame["revision"] == before + 1 and json.loads(widget.frame["text"]) == widget.text == "the cat"
    for content in ({"type": "text", "text": 3}, {"type": "x", "text": "a"}, {"type": "text"}, "x", None):
        widget._receive(content)
        assert widget.text == "the cat"


def test_examples_are_offered_and_can_be_replaced():
    names = [name for name, _ in view("a").frame["examples"]]
    assert names == ["English", "Chinese", "Code", "Emoji"]
    assert view("a", examples={"mine": "the cat"}).frame["examples"] == [("mine", "the cat")]
    assert view("a", examples={}).frame["examples"] == []


def test_no_tokenizers_are_refused():
    with pytest.raises(ValueError, match="there is no tokenizer"):
        TokenView({}, "text")


def test_two_views_do_not_touch_each_other():
    first, second = view("the"), view("the")
    first.text = "the cat"
    assert second.text == "the" and second.counts()["words"].tokens == 1


# ---- pictures


@given(TEXTS)
def test_pictures_hold_no_empty_boxes(text):
    font = get_font(findfont("monospace"))
    assert all(font.get_char_index(ord(character)) for character in drawable(visible(text)))


@pytest.mark.parametrize(
    "text", ["", "the cat ate 词元 👍🏽\n", "$x$ <b>", "the cat. " * 200, "x" * 500], ids=lambda text: text[:9]
)
def test_it_carries_a_picture_text_and_the_live_view(text):
    data, _ = view(text)._repr_mimebundle_()
    again, _ = view(text)._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert "\n" not in data["text/plain"] and len(data["text/plain"]) < 130 and len(data["image/png"]) < 150_000
