"""The real sets: presets that can be built, tiny runs that repeat, greedy translation by an oracle, and clear errors."""

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers import corpora, fetching
from helpers.applications import __main__ as command
from helpers.applications import real_sets
from helpers.applications.real_presets import MULTI30K, SST2, RealPreset
from helpers.applications.real_sets import run_multi30k, run_sst2, translate
from helpers.training import TrainConfig
from helpers.transformer import BERTConfig, EncoderDecoder, EncoderDecoderConfig, WeightsError

QUICK = TrainConfig(steps=3, batch_size=4, lr=1e-3, precision="float32", eval_every=0)
TINY = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 32, "norm_first": True}
SMALL = {"steps": 2, "n_train": 80, "n_test": 20, "device": "cpu"}
GOOD, BAD = "a warm and funny film .", "a dull mess !"
PAIRS = [("A dog runs.", "Ein Hund rennt."), ("Two men sit.", "Zwei Männer sitzen."), ("A dog sits.", "Ein Hund sitzt.")]


def needs(name):
    return pytest.mark.skipif(not corpora.available(name), reason=f"{name} is not here; `python -m helpers.corpora` fetches it")


def without_seconds(found):
    return replace(found, train_seconds=0.0, all_seconds=0.0)


@pytest.fixture
def made_up(monkeypatch):
    """Both sets in small, so that these tests need no corpus."""
    phrases = f"1\t{GOOD} \n0\t{BAD} \n" * 8
    reviews = {"train": f"label\tsentence\n{phrases}", "val": f"label\tcontent\n0\t{BAD}\n1\t{GOOD}\n"}
    pairs = "".join(f"{english}\t{german}\n" for english, german in PAIRS)
    texts = {"sst2": reviews, "multi30k": {"train": pairs * 4, "test": pairs}}
    monkeypatch.setattr(corpora, "load", lambda name, split: texts[name][split])


# --- presets ---------------------------------------------------------------------------------------------------------------


def test_both_sets_have_a_small_and_a_gpu_preset():
    for presets in (SST2, MULTI30K):
        assert isinstance(presets, Mapping) and set(presets) == {"small", "gpu"}
        assert presets["small"].train.precision == "float32"  # the same numbers wherever it runs
        assert presets["gpu"].train.compile and presets["gpu"].train.precision == "bfloat16"
        assert presets["gpu"].reference and presets["gpu"].n_test is None


@pytest.mark.parametrize("preset", [SST2["small"], *MULTI30K.values()])
def test_a_preset_is_a_config(preset):
    config = BERTConfig if preset is SST2["small"] else EncoderDecoderConfig
    assert config(vocab_size=preset.max_vocab or 100, **preset.model).n_embd == preset.model["n_embd"]


def test_what_others_report_is_called_so():
    for preset in (SST2["gpu"], MULTI30K["gpu"]):
        assert 0 < preset.reference.score < 100 and preset.reference.what and "20" in preset.reference.source


# --- the sets as they are --------------------------------------------------------------------------------------------------


@needs("sst2")
def test_sst2_gives_scores_that_repeat():
    found = run_sst2("small", **SMALL)
    assert (found.task, found.n_train, found.n_test, len(found.samples)) == ("sst2", 80, 20, 5)
    assert set(found.baselines) == {"majority", "bag of words", "bag of words and pairs"}
    for scores in (found.scores, *found.baselines.values()):
        assert min(scores.accuracy, scores.f1_macro, scores.f1_positive) >= 0 and scores.accuracy <= 1
    assert without_seconds(found) == without_seconds(run_sst2("small", **SMALL))
    assert found.reference is None and json.loads(json.dumps(found.told()))["scores"]["accuracy"] == found.scores.accuracy


@needs("multi30k")
def test_multi30k_gives_scores_that_repeat():
    found = run_multi30k("small", **SMALL)
    assert (found.task, found.n_train, found.n_test, len(found.samples)) == ("multi30k", 80, 20, 5)
    for scores in (found.scores, found.baselines["nearest sentence"]):
        assert 0 <= scores.bleu <= 100 and 0 <= scores.chrf <= 100
    assert without_seconds(found) == without_seconds(run_multi30k("small", **SMALL))


@needs("sst2")
@needs("multi30k")
def test_the_sets_are_read_whole_and_without_their_headers():
    assert [len(real_sets._phrases(split)[0]) for split in ("train", "val")] == [67_349, 872]
    assert [len(real_sets._pairs(split)[0]) for split in ("train", "val", "test")] == [29_000, 1_014, 1_000]
    assert set(real_sets._phrases("val")[1]) == {0, 1}


# --- made-up sets ----------------------------------------------------------------------------------------------------------


def test_a_classifier_learns_what_is_easy(made_up):
    preset = RealPreset(model=TINY, train=replace(QUICK, steps=40, lr=1e-2))
    found = run_sst2(preset, device="cpu")
    assert found.scores.accuracy == 1 and found.baselines["majority"].accuracy == 0.5
    assert found.samples == ((BAD, "negative", "negative"), (GOOD, "positive", "positive"))


@pytest.mark.parametrize("tokenizer", ["words", "bpe"])
def test_an_encoder_decoder_learns_what_is_easy(made_up, tokenizer):
    preset = RealPreset(
        model=TINY, train=replace(QUICK, steps=120, batch_size=6, lr=1e-2, matrix_lr=0.02), tokenizer=tokenizer,
        max_vocab=270 if tokenizer == "bpe" else None,
    )  # fmt: skip
    found = run_multi30k(preset, device="cpu")
    assert found.scores.chrf == pytest.approx(100) and found.baselines["nearest sentence"].exact_match == 1
    said = [said.replace(" .", ".") for _, said, _ in found.samples]
    assert said == [german for _, german in PAIRS]


def test_another_seed_is_another_model(made_up):
    first = {}  # the loss before the first update, by seed

    def keep(step, history):
        if history.loss:
            first[seed] = history.loss[0]

    for seed in (0, 1):
        run_multi30k(RealPreset(model=TINY, train=QUICK), device="cpu", seed=seed, callback=keep)
    assert len(first) == 2 and first[0] != first[1]


def test_the_unknown_word_is_never_written(made_up):
    found = run_multi30k(RealPreset(model=TINY, train=QUICK, max_vocab=4), device="cpu")
    assert found.vocab_size == 4 and not any("<unk>" in said for _, said, _ in found.samples)


def test_translate_is_one_source_at_a_time_without_cache():
    model = EncoderDecoder(EncoderDecoderConfig(vocab_size=13, **{**TINY, "block_size": 12}, end=12)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=torch.Generator().manual_seed(p.numel())))
    rng = np.random.default_rng(0)
    sources = [rng.integers(12, size=n).tolist() for n in (3, 12, 7, 1)]
    for source, found in zip(sources, translate(model, sources, max_new_tokens=9, never=[0]), strict=True):
        expected = []
        while len(expected) < 9:
            scores = model.given(source).next_log_probs(expected)
            scores[0] = -np.inf
            if scores.argmax() == 12:
                break
            expected.append(int(scores.argmax()))
        assert found == expected
    assert translate(model, [list(range(12)) * 2]) == translate(model, [list(range(12))])  # what does not fit is cut


# --- the GPU's way, on small random models ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A small random BERT in Hugging Face's layout, and its tokenizer, which knows the words of two reviews."""
    transformers = pytest.importorskip("transformers")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(f"{GOOD} {BAD}".split()))]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    tokenizer = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    tokenizer.save_pretrained(tmp_path)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16,
    )  # fmt: skip
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path)
    return tmp_path


def on_cpu(preset, **changes):
    """A preset for a GPU with nothing changed but what a CPU is slow at."""
    return replace(preset, train=replace(preset.train, compile=False, precision="float32", **changes))


def test_sst2_begins_from_weights_in_a_folder(made_up, folder):
    preset = on_cpu(SST2["gpu"], lr=1e-2, steps=30)
    found = run_sst2(preset, source=folder, device="cpu")
    assert found.vocab_size == len((folder / "vocab.txt").read_text(encoding="utf-8").split())
    assert found.scores.accuracy == 1 and found.reference.score == 92.7
    assert without_seconds(found) == without_seconds(run_sst2(preset, source=folder, device="cpu"))


def test_weights_come_with_their_tokens_and_get_dropout(folder):
    model, encode = real_sets._pretrained(replace(SST2["gpu"], pretrained=str(folder)))
    words = (folder / "vocab.txt").read_text(encoding="utf-8").split()
    assert [words[i] for i in encode([BAD])[0]] == ["[CLS]", *BAD.split(), "[SEP]"]
    assert len(encode([GOOD * 10])[0]) == model.block_size == 16
    assert model.blocks[0].attention.dropout == model.blocks[0].dropout.p == model.dropout.p == 0.1


def test_multi30k_gpu_on_a_small_model(made_up):
    preset = on_cpu(replace(MULTI30K["gpu"], model={**MULTI30K["gpu"].model, **TINY}, max_vocab=270), batch_size=8)
    found = run_multi30k(preset, steps=2, device="cpu")
    assert found.vocab_size == 270 and found.reference.score == 41.0


def test_weights_that_are_not_there(made_up, tmp_path):
    with pytest.raises(WeightsError, match="cannot be had"):
        run_sst2("gpu", source=tmp_path / "nothing", steps=1)


def test_weights_without_a_tokenizer(folder):
    for path in (*folder.glob("tokenizer*"), *folder.glob("vocab*")):
        path.unlink()
    with pytest.raises(WeightsError, match="tokenizer"):
        real_sets._pretrained(replace(SST2["gpu"], pretrained=str(folder)))


# --- bad input, and the command line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "arguments", "message"),
    [
        (run_sst2, {"preset": "large"}, "choose one of small, gpu"),
        (run_multi30k, {"preset": "large"}, "choose one of small, gpu"),
        (run_sst2, {"source": "bert-base-uncased"}, "trains from scratch"),
        (run_sst2, {"steps": 0}, "steps"),
        (run_multi30k, {"n_train": 0}, "at least 1"),
        (run_sst2, {"n_test": -1}, "at least 1"),
    ],
)
def test_bad_input(made_up, run, arguments, message):
    with pytest.raises(ValueError, match=message):
        run(**arguments)


@pytest.mark.parametrize(("sources", "most"), [([[]], 5), ([[1]], 0)])
def test_nothing_to_translate(sources, most):
    with pytest.raises(ValueError, match="at least"):
        translate(EncoderDecoder(EncoderDecoderConfig(vocab_size=5, **TINY)), sources, most)


@pytest.mark.parametrize("task", ["sst2", "multi30k"])
def test_the_last_line_of_the_command_is_json(made_up, capsys, task):
    assert command.main([task, "--preset", "small", "--steps", "1", "--device", "cpu", "--train", "12", "--seed", "3"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["task"], told["preset"], told["n_train"], told["device"]) == (task, "small", 12, "cpu")
    assert set(told["scores"]) >= ({"accuracy", "f1_macro"} if task == "sst2" else {"bleu", "chrf"})


@pytest.mark.parametrize("task", ["sst2", "multi30k"])
def test_a_missing_corpus_is_a_line_and_no_traceback(monkeypatch, capsys, tmp_path, task):
    monkeypatch.setenv("LM_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LM_COURSE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(fetching.pooch, "os_cache", lambda name: tmp_path / "own" / name)
    assert command.main([task, "--preset", "small"]) == 1
    error = capsys.readouterr().err
    assert "Error: " in error and "Traceback" not in error and "LM_COURSE_MIRROR" in error


def test_weights_for_a_model_from_scratch_are_a_line(made_up, capsys):
    assert command.main(["sst2", "--preset", "small", "--from", "bert-base-uncased"]) == 1
    assert "trains from scratch" in capsys.readouterr().err
