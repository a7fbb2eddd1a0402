"""The attention explorer without a browser: shapes, bytes, probabilities, causality, what is read, errors, the picture."""

import base64
import gzip
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import world
from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.tokenizers import BPETokenizer, CharTokenizer, WordTokenizer
from helpers.transformer import BERT, GPT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig
from helpers.widgets import AttentionExplorer
from helpers.widgets._base import to_png
from helpers.widgets._explorer_frame import MOST_BYTES, THUMB, ranked, reading_frame, thumbnails
from helpers.widgets._explorer_reading import LONGEST, Attention, Reading, looking_ahead
from helpers.widgets._explorer_scripts import tight
from helpers.widgets._explorer_state import checked
from helpers.widgets._explorer_tokens import TokenReader

VOCAB = ["</s>", "the", "cat", "sat", "on", "mat", ".", "[MASK]"]
SVG = "http://www.w3.org/2000/svg"
SIZES = {"vocab_size": len(VOCAB), "n_layer": 2, "n_head": 4, "n_embd": 32, "init_std": 0.3}
TEXT = "the cat sat on the mat."


def make_gpt(**options) -> GPT:
    return GPT(GPTConfig(**SIZES | {"block_size": 16} | options), VOCAB)


def make_pair() -> EncoderDecoder:
    return EncoderDecoder(EncoderDecoderConfig(**SIZES, block_size=8), VOCAB)


def ids(text: str) -> list[int]:
    return [VOCAB.index(token) for token in world.tokenize(text)]


def unpack(data: bytes, kind: str, *shape: int) -> np.ndarray:
    return np.frombuffer(data, kind).reshape(shape)


# ---- the numbers


def test_weights_are_the_traces_and_travel_in_row_order():
    gpt = make_gpt()
    explorer = AttentionExplorer(gpt, None, TEXT, layer=1, head=2)
    trace = gpt.trace(torch.tensor([[0, *ids(TEXT)]]))
    expected = trace.attention[:, 0].detach().numpy()  # (L, H, T, T)
    assert expected.shape == (2, 4, 8, 8)
    np.testing.assert_array_equal(explorer.weights(), expected[1, 2])
    np.testing.assert_array_equal(explorer.weights(0, 3), expected[0, 3])
    kind = explorer.frame["kinds"][0]
    assert (kind["layers"], kind["heads"], kind["shape"], kind["whole"]) == (2, 4, [8, 8], True)
    sent = unpack(kind["weights"], "<f2", 2, 4, 8, 8)
    np.testing.assert_array_equal(sent, expected.astype(np.float16))
    np.testing.assert_allclose(sent.sum(-1, dtype=float), 1, atol=8 * 2**-12)  # half precision rounds each by at most 2⁻¹²
    assert kind["queries"] == kind["keys"] == ["</s>", *world.tokenize(TEXT)]


def test_the_head_that_is_looked_at_comes_in_single_precision():
    gpt = make_gpt()
    explorer = AttentionExplorer(gpt, None, TEXT)
    explorer._receive({"type": "head", "kind": 0, "layer": 1, "head": 3})
    head, trace = explorer.head, gpt.trace(torch.tensor([[0, *ids(TEXT)]]))
    assert (head["layer"], head["head"], head["width"], head["revision"]) == (1, 3, 8, explorer.frame["revision"])
    q, k, v = (unpack(head[name], "<f4", 8, 8) for name in "qkv")
    for ours, theirs in ((q, trace.q), (k, trace.k), (v, trace.v)):
        np.testing.assert_array_equal(ours, theirs[1, 0, 3].detach().numpy())
    scores = np.where(np.tri(8, dtype=bool), q @ k.T / np.sqrt(8), -np.inf)
    powers = np.exp(scores)
    weights = unpack(head["weights"], "<f4", 8, 8)
    np.testing.assert_allclose(powers / powers.sum(-1, keepdims=True), weights, atol=1e-6)


@pytest.mark.parametrize("options", [{"n_kv_head": 2, "position": "rotary"}, {"qk_norm": True}])
def test_the_arithmetic_holds_for_grouped_heads_rotary_positions_and_query_key_norm(options):
    explorer = AttentionExplorer(make_gpt(**options), None, TEXT, layer=1, head=3)
    head = explorer.frame["head"]
    q, k = (unpack(head[name], "<f4", 8, 8) for name in "qk")
    powers = np.exp(np.where(np.tri(8, dtype=bool), q @ k.T / np.sqrt(8), -np.inf))
    np.testing.assert_allclose(powers / powers.sum(-1, keepdims=True), explorer.weights(), atol=1e-6)


def test_next_tokens_are_exact_over_the_full_vocabulary():
    gpt = make_gpt()
    explorer = AttentionExplorer(gpt, None, TEXT)
    for position in range(8):
        p = explorer.probabilities(position)
        assert p.shape == (len(VOCAB),) and p.sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(np.log(p), gpt.next_log_probs(ids(TEXT)[:position]), atol=1e-5)
        rows = explorer.frame["predictions"][position]["rows"]
        assert [row[2] for row in rows] == pytest.approx(sorted(p, reverse=True))
        assert sum(row[2] for row in rows) == pytest.approx(1)  # eight tokens: all of them are shown
    p = explorer.probabilities(1)
    said = explorer.frame["predictions"][1]["actual"]
    assert said.startswith(f"“cat”, with {100 * p[2]:.1f} %:") and said.endswith(f"number {1 + (p > p[2]).sum()} of 8")
    assert explorer.frame["predictions"][-1]["actual"] == ""


def test_next_tokens_travel_as_one_text():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    sent = explorer.get_state()["frame"]["predictions"]
    assert isinstance(sent, str) and json.loads(sent) == explorer.frame["predictions"]


def test_sampling_settings_work_on_all_scores_the_largest_first():
    gpt = make_gpt()
    explorer = AttentionExplorer(gpt, None, TEXT)
    frame, logits = explorer.frame, gpt.trace(torch.tensor([[0, *ids(TEXT)]])).logits[0].detach().numpy()
    sent = unpack(frame["logits"], "<f4", 8, frame["vocab_size"])
    np.testing.assert_array_equal(sent, np.sort(logits, axis=1)[:, ::-1])
    for position, prediction in enumerate(frame["predictions"][:-1]):
        assert sent[position, prediction["place"]] == logits[position, ids(TEXT)[position]]
    assert ranked(np.float32([[1, 3, 2]])).tolist() == [[3, 2, 1]] and frame["predictions"][-1]["place"] is None


def test_of_a_large_vocabulary_the_scores_of_a_position_come_when_they_are_asked_for(monkeypatch):
    monkeypatch.setattr("helpers.widgets._explorer_frame.MOST_LOGITS", 100)
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    assert explorer.frame["logits"] == b"" and explorer.position == {}
    for position in (8, -9, "0", None, True, 0.5):
        explorer._receive({"type": "position", "position": position})
        assert explorer.position == {}
    explorer._receive({"type": "position", "position": 3})
    assert (explorer.position["position"], explorer.position["revision"]) == (3, explorer.frame["revision"])
    p = np.exp(unpack(explorer.position["logits"], "<f4", len(VOCAB)).astype(float))
    np.testing.assert_allclose(p / p.sum(), sorted(explorer.probabilities(3), reverse=True), rtol=1e-6)


def test_no_token_sees_those_after_it():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    before, p = explorer.weights(1, 0).copy(), explorer.probabilities(3)
    assert (np.triu(before, 1) == 0).all()
    explorer.text = TEXT.replace("on the mat", "mat mat on")
    np.testing.assert_allclose(explorer.weights(1, 0)[:4, :4], before[:4, :4], atol=1e-6)
    np.testing.assert_allclose(explorer.probabilities(3), p, atol=1e-6)
    assert not np.allclose(explorer.weights(1, 0)[4:], before[4:], atol=1e-3)


def test_dropout_is_off_while_it_reads_and_as_it_was_afterwards():
    gpt = make_gpt(dropout=0.5)
    assert gpt.training
    first, second = (AttentionExplorer(gpt, None, TEXT).weights() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert gpt.training


# ---- the models


def test_one_layer_of_attention():
    model = AttentionLM(VOCAB, AttentionLMConfig(block_size=16, n_embd=8, n_head=2, window=2))
    explorer = AttentionExplorer(model, None, TEXT, head=1)
    np.testing.assert_array_equal(explorer.weights(), model.trace(torch.tensor([[0, *ids(TEXT)]])).weights[0, 1].numpy())
    np.testing.assert_allclose(np.log(explorer.probabilities()), model.next_log_probs(ids(TEXT)), atol=1e-5)


@pytest.mark.parametrize("make", [make_gpt, lambda: AttentionLM(VOCAB, AttentionLMConfig(16, 8, 2, window=2, qk_norm=True))])
def test_without_the_causal_mask_each_token_looks_at_all(make):
    explorer = AttentionExplorer(make(), None, TEXT)
    kind = explorer.reading.kinds[0]
    before, q, k, p = kind.weights.copy(), kind.q[0].copy(), kind.k[0].copy(), explorer.probabilities()
    assert explorer.frame["mask"] == "on" and kind.causal
    explorer._receive({"type": "mask", "on": False})
    assert explorer.frame["mask"] == "off" and not explorer.reading.kinds[0].causal
    powers = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]))  # the first layer's inputs do not depend on the mask
    without = explorer.reading.kinds[0].weights
    np.testing.assert_allclose(without[0], powers / powers.sum(-1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(without[0, :, -1], before[0, :, -1], atol=1e-6)  # the last token saw all of them anyway
    assert "without its causal mask" in repr(explorer) and to_png(explorer.picture())
    if kind.n_layer > 1:
        assert not np.allclose(explorer.probabilities(), p, atol=1e-3)
    explorer.causal_mask = True
    np.testing.assert_array_equal(explorer.weights(0, 0), before[0, 0])
    np.testing.assert_array_equal(explorer.probabilities(), p)


def test_only_a_causal_mask_can_be_taken_away():
    for explorer in (
        AttentionExplorer(BERT(BERTConfig(**SIZES)), world.tokenize, TEXT, vocab=VOCAB),
        AttentionExplorer(make_pair(), None, "the cat\nmat"),
    ):
        before = explorer.weights().copy()
        explorer.causal_mask = False
        assert explorer.frame["mask"] == ""
        np.testing.assert_array_equal(explorer.weights(), before)


def test_the_mask_is_back_after_an_error():
    gpt = make_gpt()
    with pytest.raises(RuntimeError), looking_ahead(gpt):
        raise RuntimeError
    tokens = torch.tensor([[1, 2, 3]])
    assert (gpt.trace(tokens).attention.triu(1) == 0).all()


def test_bert_looks_both_ways_and_says_what_belongs_where_it_looks():
    bert = BERT(BERTConfig(**SIZES, block_size=16))
    explorer = AttentionExplorer(bert, world.tokenize, "the [MASK] sat.", vocab=VOCAB, special=["[MASK]"])
    tokens = torch.tensor([[1, 7, 3, 6]])
    np.testing.assert_array_equal(explorer.weights(1, 1), bert.trace(tokens).attention[1, 0, 1].detach().numpy())
    assert (explorer.weights() > 0).all() and not explorer.frame["kinds"][0]["causal"] and explorer.frame["masked"]
    np.testing.assert_allclose(explorer.probabilities(1), bert(tokens)[0, 1].softmax(-1).detach().numpy(), atol=1e-6)
    assert explorer.frame["predictions"][0]["actual"].startswith("“the”")
    assert not any(row[3] for row in explorer.frame["predictions"][-1]["rows"])  # nothing to append


def test_an_encoder_decoder_has_three_attentions():
    pair = make_pair()
    explorer = AttentionExplorer(pair, None, ("the cat sat on", "mat on"))
    source, target = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[0, 5, 4]])
    encoder, decoder = pair.trace(source, target)
    names = [kind["name"] for kind in explorer.frame["kinds"]]
    assert names == ["target looks at source", "target looks at itself", "source looks at itself"]
    for number, expected in enumerate((decoder.cross_attention, decoder.attention, encoder.attention)):
        explorer.select(1, 2, number)
        np.testing.assert_array_equal(explorer.weights(), expected[1, 0, 2].detach().numpy())
    np.testing.assert_allclose(explorer.probabilities(), decoder.logits[0, -1].softmax(-1).detach().numpy(), atol=1e-6)
    assert [kind["predicts"] for kind in explorer.frame["kinds"]] == [True, True, False]
    assert explorer.frame["kinds"][0]["shape"] == [3, 4] and not explorer.frame["kinds"][0]["own"]
    explorer.text = "\nmat"
    assert "no source yet" in explorer.frame["error"]


# ---- what is read


def test_of_a_long_text_the_last_window_is_read_as_for_the_next_token():
    gpt = make_gpt(block_size=6)
    explorer = AttentionExplorer(gpt, None, TEXT * 2)  # 1 + 14 tokens
    assert "15 tokens, and the context length is 6: this is its last window, 6 tokens" in explorer.frame["note"]
    assert explorer.frame["kinds"][0]["queries"] == ["cat", "sat", "on", "the", "mat", "."]
    np.testing.assert_allclose(np.log(explorer.probabilities()), gpt.next_log_probs(ids(TEXT * 2)), atol=1e-5)
    bert = AttentionExplorer(BERT(BERTConfig(**SIZES, block_size=4)), world.tokenize, TEXT, vocab=VOCAB)
    assert bert.frame["kinds"][0]["queries"] == ["on", "the", "mat", "."]


def test_at_most_256_tokens_are_shown():
    explorer = AttentionExplorer(make_gpt(block_size=600), None, "the cat " * 250)
    assert explorer.weights().shape[0] <= LONGEST and "most shown is 256" in explorer.frame["note"]


def test_an_empty_text_has_its_end_token_and_one_without_tokens_says_so():
    assert AttentionExplorer(make_gpt(), None, "").weights().tolist() == [[1.0]]
    bert = AttentionExplorer(BERT(BERTConfig(**SIZES)), world.tokenize, "", vocab=VOCAB)
    assert "type some text" in bert.frame["error"] and bert.frame["kinds"] == []
    with pytest.raises(ValueError, match="no text has been read: there is nothing to read yet"):
        bert.weights()
    bert.text = "the"
    assert bert.frame["error"] == "" and bert.weights().shape == (1, 1)


def test_what_cannot_be_read_is_said_and_the_last_reading_stays():
    explorer = AttentionExplorer(make_gpt(), None, "the cat")
    revision = explorer.frame["revision"]
    explorer.text = "the zebra"
    assert explorer.frame["error"] == "the token 'zebra' is not among the 8 of the model's vocabulary"
    assert explorer.frame["kinds"][0]["queries"] == ["</s>", "the", "cat"]
    assert explorer.frame["revision"] == explorer.frame["head"]["revision"] == revision + 1
    explorer.text = "\ud800"
    json.dumps(explorer.frame["error"]).encode("utf-8")
    assert explorer.frame["text"].isascii() and repr(explorer).isprintable() and to_png(explorer.picture())


def test_an_unknown_token_is_read_where_the_vocabulary_has_one():
    vocab = ["</s>", "<unk>", "the"]
    gpt = GPT(GPTConfig(vocab_size=3, n_layer=1, n_head=1, n_embd=8), vocab)
    assert AttentionExplorer(gpt, str.split, "the zebra").frame["kinds"][0]["queries"] == ["</s>", "the", "<unk>"]


def test_what_the_browser_asks_for_and_nonsense():
    explorer = AttentionExplorer(make_gpt(), None, "the cat")
    explorer._receive({"type": "text", "text": "the mat"})
    assert explorer.text == "the mat" and json.loads(explorer.frame["text"]) == "the mat"
    for layer, head, kind in ((2, 0, 0), (0, 9, 0), (0, 0, 3), ("0", 0, 0), (None, None, None), (True, 0, 0)):
        explorer._receive({"type": "head", "layer": layer, "head": head, "kind": kind})
        assert explorer.chosen == (0, 0, 0)
    for content in (None, [], {"type": "head"}, {"type": "text", "text": 3}, {}):
        explorer._receive(content)
    assert explorer.text == "the mat" and explorer.chosen == (0, 0, 0)


# ---- tokens


def queries(model: GPT, tokenizer: object, text: str) -> list[str]:
    return AttentionExplorer(model, tokenizer, text).frame["kinds"][0]["queries"]


def of_size(n: int, end: int = 0) -> GPT:
    return GPT(GPTConfig(vocab_size=n, block_size=64, n_layer=1, n_head=1, n_embd=8, end=end))


def test_tokenizers_of_every_kind():
    text = "the cat\nsat é👍"
    chars = CharTokenizer.train(text)
    newline = chars.encode("\n")[0]
    model = of_size(chars.vocab_size, newline)
    assert queries(model, chars, "a\né👍") == ["↵", "a", "↵", "é", "👍"]
    assert queries(GPT(model.config, chars.vocab), None, "a t") == ["↵", "a", "␣", "t"]
    assert AttentionExplorer(model, chars, "a").frame["join"] == ""
    words = WordTokenizer.train(TEXT)
    assert queries(of_size(words.vocab_size), words, "the zebra") == ["<unk>", "the", "<unk>"]
    assert AttentionExplorer(of_size(words.vocab_size), words, "a").frame["join"] == " "
    bpe = BPETokenizer.train(text, 260)
    shown = queries(of_size(bpe.vocab_size), bpe, "词")
    assert shown[1:] == ["‹E8›", "‹AF›", "‹8D›"]
    rows = AttentionExplorer(of_size(bpe.vocab_size), bpe, "a").frame["predictions"][-1]["rows"]
    assert len(rows) == 10 and all(piece == "" or not shown.startswith("‹") for shown, _, _, piece in rows)


def test_a_function_may_give_tokens_or_ids_and_a_foreign_tokenizer_is_understood():
    class Foreign:
        def encode(self, text):
            return [VOCAB.index(word) for word in text.split()]

        def decode(self, ids):
            return " " + VOCAB[ids[0]]

    gpt = make_gpt()
    assert queries(gpt, ids, "the cat") == queries(gpt, str.split, "the cat") == ["</s>", "the", "cat"]
    assert queries(gpt, Foreign(), "the cat") == ["␣</s>", "␣the", "␣cat"]
    oracle = pytest.importorskip("tokenizers")
    theirs = oracle.Tokenizer(oracle.models.WordLevel({token: i for i, token in enumerate(VOCAB)}, unk_token="</s>"))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Whitespace()
    assert queries(gpt, theirs, "the cat") == ["</s>", "the", "cat"]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused_in_words(text):
    explorer = AttentionExplorer(make_gpt(n_layer=1), None, "the")
    explorer.text = text
    error = explorer.frame["error"]
    assert (error == "") == all(token in VOCAB for token in world.tokenize(text))
    assert error == "" or "is not among the 8" in error


@pytest.mark.parametrize(
    "options, message",
    [
        ({"model": object()}, "expected a GPT, BERT, AttentionLM or EncoderDecoder, got object"),
        ({"tokenizer": 3}, "has encode"),
        ({"layer": 2}, "layer must be a whole number from 0 to 1"),
        ({"head": 4}, "head must be a whole number from 0 to 3"),
        ({"query": 3}, "query must be a whole number from 0 to 2"),
        ({"query": 0.5}, "query must be"),
        ({"special": ["<mask>"]}, "'<mask>' is not in the vocabulary"),
        ({"model": BERT(BERTConfig(**SIZES))}, "the model has no vocab"),
    ],
)
def test_impossible_ones_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AttentionExplorer(**{"model": make_gpt(), "text": "the cat"} | options)


def test_ids_that_the_model_lacks_are_said():
    assert "not in the vocabulary of 8" in AttentionExplorer(make_gpt(), lambda text: [99], "x").frame["error"]


# ---- what travels, and the picture


def big(L: int, H: int, T: int) -> Reading:
    weights = np.random.default_rng(0).random((L, H, T, T), dtype=np.float32)
    q = np.zeros((L, H, T, 2), np.float32)
    own = tuple([1] * T)
    return Reading((Attention("self-attention", True, own, own, weights, q, q, q, logits=np.zeros((T, 8), np.float32)),))


def test_a_large_reading_sends_small_pictures_of_each_head():
    tokens = TokenReader(None, VOCAB, len(VOCAB))
    assert reading_frame(big(12, 12, 64), tokens)["kinds"][0]["whole"]  # 1.2 MB
    reading = big(12, 12, 160)
    kind = reading_frame(reading, tokens)["kinds"][0]
    assert not kind["whole"] and kind["shape"] == [THUMB, THUMB] and len(kind["weights"]) == 2 * 144 * THUMB**2 < MOST_BYTES
    small = unpack(kind["weights"], "<f2", 12, 12, THUMB, THUMB)
    assert small[3, 4].max() == reading.kinds[0].weights[3, 4].max().astype(np.float16)


def test_thumbnails_keep_the_largest_weights_of_a_hand_worked_case():
    weights = np.arange(24.0).reshape(1, 1, 4, 6)
    np.testing.assert_array_equal(thumbnails(weights, 2)[0, 0], [[8, 11], [20, 23]])
    np.testing.assert_array_equal(thumbnails(weights, 3)[0, 0], [[1, 3, 5], [7, 9, 11], [19, 21, 23]])
    np.testing.assert_array_equal(thumbnails(weights, 9), weights)


@pytest.mark.parametrize(
    "make",
    [
        lambda: AttentionExplorer(make_gpt(), None, TEXT, layer=1, head=2, query=3),
        lambda: AttentionExplorer(make_gpt(), None, ""),
        lambda: AttentionExplorer(make_gpt(), None, "zebra $x$ 词"),
        lambda: AttentionExplorer(make_gpt(block_size=300), None, TEXT * 12, query=60),
        lambda: AttentionExplorer(make_pair(), None, "the cat\nmat"),
        lambda: AttentionExplorer(AttentionLM(VOCAB, AttentionLMConfig(n_embd=8)), None, TEXT),
        lambda: AttentionExplorer(
            GPT(GPTConfig(vocab_size=2, n_layer=8, n_head=8), ["</s>", "$词$" * 9]), str.split, "$词$" * 9
        ),
    ],
)
def test_it_carries_a_picture_text_and_the_live_view(make):
    data, _ = make()._repr_mimebundle_()
    again, _ = make()._repr_mimebundle_()
    assert set(data) == {"text/plain", "image/png", "application/vnd.jupyter.widget-view+json"}
    assert (again["text/plain"], again["image/png"]) == (data["text/plain"], data["image/png"])
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG") and len(data["image/png"]) < 150_000
    assert "\n" not in data["text/plain"] and "0x" not in data["text/plain"]


# ---- a view as a text


def test_a_view_given_back_is_the_same_view():
    explorer = AttentionExplorer(make_gpt(), None, TEXT, layer=1, head=2, query=3)
    view = json.loads(explorer.state)
    assert (view["text"], view["layer"], view["head"], view["query"], view["pinned"]) == (TEXT, 1, 2, 3, True)
    view |= {
        "causal_mask": False,
        "hide": ["weights"],
        "large": True,
        "filter": {"by": "mass", "value": 0.5},
        "text": "the \ud800",
    }
    view["sampling"] |= {"top_k": 3}
    other = AttentionExplorer(make_gpt(), None, "the cat", state=json.dumps(view))
    assert json.loads(other.state) == view and other.chosen == (0, 1, 2) and other.frame["error"]
    other.state = {"text": "the mat", "layer": 7}
    assert other.chosen == (0, 1, 0) and json.loads(other.state)["hide"] == [] and other.causal_mask is False
    assert other.view["by"] == "python" and json.loads(other.state)["layer"] == 1


def test_the_picture_is_of_the_view_that_a_page_has_told():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    before = to_png(explorer.picture())
    explorer.view = json.loads(explorer.state) | {"query": 2, "by": "a page"}
    assert to_png(explorer.picture()) != before and json.loads(explorer.state)["query"] == 2
    explorer.view = {"query": "nonsense", "layer": [], "by": "a page"}
    assert to_png(explorer.picture()) == before


def test_presets_are_named_views():
    explorer = AttentionExplorer(make_gpt(), None, TEXT, presets={"a": {"layer": 1}, "b": '{"text": "the cat"}'})
    assert [name for name, _ in explorer.presets] == ["a", "b"]
    explorer._receive({"type": "state", "state": explorer.presets[0][1]})
    assert explorer.chosen == (0, 1, 0) and explorer.text == TEXT
    explorer._receive({"type": "state", "state": explorer.presets[1][1]})
    assert explorer.chosen == (0, 0, 0) and explorer.text == "the cat" and "error" not in explorer.view
    for nonsense in ("{", None, 3, '{"layer": -1}'):
        explorer._receive({"type": "state", "state": nonsense})
        assert "view" in explorer.view["error"] and explorer.text == "the cat"


@pytest.mark.parametrize(
    "view, message",
    [
        ("no JSON", "a view is a JSON object or a dict"),
        ("[1]", "a view is a JSON object or a dict"),
        (3, "a view is a JSON object or a dict"),
        ({"lair": 1}, "a view has no 'lair', only"),
        ({"layer": -1}, "layer of a view must be a whole number from 0, got -1"),
        ({"query": 0.5}, "query of a view must be a whole number from 0, or null"),
        ({"pinned": 1}, "pinned of a view must be true or false"),
        ({"hide": ["all"]}, 'a list of "weights" and "next"'),
        ({"filter": {"by": "size", "value": 1}}, "one of none, threshold, top_k, mass"),
        ({"sampling": {"top_q": 1}}, "sampling of a view must be temperature, top_k, top_p, min_p"),
        ({"sampling": {"top_p": 0}}, "top_p of a view cannot be 0"),
        ({"text": 3}, "text of a view must be a text"),
    ],
)
def test_what_is_no_view_is_refused(view, message):
    for make in (lambda: AttentionExplorer(make_gpt(), None, TEXT, state=view), lambda: checked(view)):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(ValueError, match=message):
        AttentionExplorer(make_gpt(), None, TEXT, presets={"x": view})


def saved(explorer: AttentionExplorer, path: Path, **options) -> tuple[str, dict, bytes]:
    """A saved page: its text, the JSON in it, and the bytes that this points to."""
    explorer.save_html(path, **options)
    page = path.read_text(encoding="utf-8")
    raw = gzip.decompress(base64.b64decode(re.search(r'id="data">([A-Za-z0-9+/=]*)</script>', page)[1]))
    end = 4 + int.from_bytes(raw[:4], "little")
    return page, json.loads(raw[4:end]), raw[end:]


@pytest.mark.parametrize("n_layer, n_head, whole", [(1, 1, True), (4, 4, True), (12, 12, False)])
def test_a_saved_page_of_64_tokens_is_small_and_holds_the_chosen_head(tmp_path, n_layer, n_head, whole):
    sizes = {"n_layer": n_layer, "n_head": n_head, "n_embd": 32 * n_head, "block_size": 64, "init_std": 0.05}
    text = " ".join(np.random.default_rng(0).choice(VOCAB[1:6], 63))
    explorer = AttentionExplorer(make_gpt(**sizes), None, text, layer=n_layer - 1, head=n_head - 1)
    assert explorer.weights().shape == (64, 64)
    page, data, raw = saved(explorer, tmp_path / "page.html")
    assert len(page.encode()) <= 300_000
    assert not [word for word in ("http:", "https:", "src=", "href=", "@import", "url(") if word in page.replace(SVG, "")]
    begin, length = data["frame"]["head"]["weights"]["$bytes"]
    np.testing.assert_array_equal(unpack(raw[begin : begin + length], "<f4", 64, 64), explorer.weights())
    assert data["frame"]["kinds"][0]["whole"] == whole  # all heads' weights, or small pictures of them
    assert page == saved(explorer, tmp_path / "again.html")[0]
    smaller = saved(explorer, tmp_path / "smaller.html", most_bytes=len(page.encode()) - 10_000)[0]
    assert len(smaller.encode()) <= len(page.encode()) - 10_000 or n_head == 1
    larger = saved(explorer, tmp_path / "larger.html", most_bytes=50_000_000)[1]
    assert len(larger["snapshot"]["heads"]) == n_layer * n_head - 1


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_a_model_of_hugging_faces_with_its_tokenizer(kind):
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(VOCAB)}, unk_token="."))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=plain, mask_token="[MASK]")
    torch.manual_seed(0)
    if kind == "gpt2":
        sizes = {"vocab_size": len(VOCAB), "n_positions": 16, "n_embd": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3}
        theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)).eval()
    else:
        sizes = {"vocab_size": len(VOCAB), "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        sizes |= {"intermediate_size": 64, "max_position_embeddings": 16, "initializer_range": 0.3}
        theirs = transformers.BertForMaskedLM(transformers.BertConfig(**sizes)).eval()
    explorer = AttentionExplorer(theirs, tokenizer, TEXT, layer=1, head=2)
    theirs.set_attn_implementation("eager")
    read = torch.tensor([[0, *ids(TEXT)] if kind == "gpt2" else ids(TEXT)])  # before a GPT's text stands its end token
    expected = theirs(read, output_attentions=True).attentions[1][0, 2].detach().numpy()
    np.testing.assert_allclose(explorer.weights(), expected, atol=1e-5)
    assert explorer.frame["kinds"][0]["queries"][-2:] == ["mat", "."]


def words_of(figure) -> str:
    return " | ".join(text.get_text() for ax in figure.axes for text in ax.texts)


def test_the_picture_does_not_show_what_the_view_hides():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    shown = words_of(explorer.picture())
    assert "looks most at" in shown and "after “" in shown and "hidden" not in shown
    explorer.state = {"hide": ["next"]}
    partly = words_of(explorer.picture())
    assert "What comes next is hidden" in partly and "after “" not in partly and "looks most at" in partly
    explorer.state = {"hide": ["weights", "next"]}
    covered = explorer.picture()
    assert "looks most at" not in words_of(covered) and "Where the head looks is hidden" in words_of(covered)
    assert [image.get_array().max() for ax in covered.axes for image in ax.images] == [0]  # no head, not even in small


def test_the_saved_picture_leaves_out_what_a_question_asks_and_the_view_does_not():
    explorer = AttentionExplorer(make_gpt(), None, TEXT, cover=["weights", "next"])
    assert explorer.static()["image/png"] != AttentionExplorer(make_gpt(), None, TEXT).static()["image/png"]
    other = AttentionExplorer(make_gpt(seed=1), None, TEXT, cover=["weights", "next"])  # another model, the same picture
    assert other.static() == explorer.static() and to_png(other.picture()) != to_png(explorer.picture())
    assert json.loads(explorer.state)["hide"] == [] and "looks most at" in words_of(explorer.picture())
    with pytest.raises(ValueError, match="hide of a view must be"):
        AttentionExplorer(make_gpt(), None, TEXT, cover=["heads"])


def test_the_picture_names_each_token_with_its_position():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    labels = [text.get_text() for text in explorer.picture().axes[0].texts]
    for place, name in enumerate(["</s>", "the", "cat", "sat", "on", "the", "mat", "."]):
        assert f"{name} {place}" in labels and f"{place} {name}" in labels


@pytest.mark.parametrize(
    "off, told",
    [
        ([], None),
        ([[0, layer, head] for layer in range(2) for head in range(4)], "All heads are switched off in the panel"),
        ([[0, 1, head] for head in range(4)], "All heads of layer 1 are switched off"),
        ([[0, 0, 2]], "Head 2 of layer 0 is switched off"),
        ([[0, 1, 3], [0, 0, 2], [0, 1, 0]], "Head 2 of layer 0 and heads 0, 3 of layer 1 are switched off"),
        ([[3, 7, 2]], None),  # there is no such head
    ],
)
def test_the_picture_says_which_heads_are_off(off, told):
    explorer = AttentionExplorer(make_gpt(), None, TEXT, state={"off": off})
    words = words_of(explorer.picture())
    assert told in words if told else "switched off" not in words


def test_of_a_pair_the_picture_says_of_which_attention_heads_are_off():
    explorer = AttentionExplorer(make_pair(), text=("the cat", "sat"), state={"off": [[2, 1, 0]]})
    assert "Head 0 of layer 1 (source looks at itself) is switched off" in words_of(explorer.picture()).replace(" | ", " ")


def test_pictures_in_files(tmp_path):
    explorer = AttentionExplorer(make_gpt(), None, TEXT, layer=1)
    explorer.to_png(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == base64.b64decode(explorer.static()["image/png"])
    explorer.to_svg(tmp_path / "a.svg")
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(drawn)
    assert root.tag == f"{{{SVG}}}svg" and explorer.summary() in "".join(root.itertext())
    assert "<text" not in drawn and "<image" in drawn and 'href="http' not in drawn  # outlines: no font is needed
    explorer.to_svg(tmp_path / "b.svg")
    assert (tmp_path / "b.svg").read_text(encoding="utf-8") == drawn


def test_a_page_of_nothing_is_refused(tmp_path):
    bert = AttentionExplorer(BERT(BERTConfig(**SIZES)), world.tokenize, "", vocab=VOCAB)
    with pytest.raises(ValueError, match="no text has been read"):
        bert.save_html(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_its_line_of_text():
    assert repr(AttentionExplorer(make_gpt(), None, "the cat", layer=1)) == (
        "AttentionExplorer(GPT, 2 layers of 4 heads, layer 1 head 0, 'the cat')"
    )


@pytest.mark.parametrize(
    "written, travels",
    [
        ("const a = { b: c ? d : e };", "const a={b:c?d:e};"),
        ('f("a = { b }", x => y)', 'f("a = { b }",x=>y)'),
        ("`a : ${ b ? `c , ${ d }` : {} } = e` === f", "`a : ${ b ? `c , ${ d }` : {} } = e`===f"),
        ("a.replace(/ = [{,] /g, b)", "a.replace(/ = [{,] /g,b)"),
        (r'"say \" = \" here" + - a', r'"say \" = \" here" + - a'),
    ],
)
def test_a_script_travels_tight_and_its_texts_whole(written, travels):
    assert tight(written) == tight(travels) == travels
