"""What the attention explorer measures on demand, against direct hooks and helpers.interpret; saved steps; the messages."""

import json
from contextlib import ExitStack

import numpy as np
import pytest
import torch

from helpers import interpret, world
from helpers.attention import AttentionLM, AttentionLMConfig
from helpers.training.checkpoints import CheckpointError, save_model
from helpers.transformer import BERT, GPT, BERTConfig, EncoderDecoder, EncoderDecoderConfig, GPTConfig
from helpers.widgets import AttentionExplorer
from helpers.widgets import _explorer_experiments as experiments
from helpers.widgets.attention_explorer import EXPERIMENTS

VOCAB = ["</s>", "the", "cat", "sat", "on", "mat", ".", "[MASK]"]
TEXT = "the cat sat on the mat."
SIZES = {"vocab_size": len(VOCAB), "n_layer": 2, "n_head": 4, "n_embd": 32, "block_size": 16, "init_std": 0.3}
HEAD = 8  # its width


def make_gpt(**options) -> GPT:
    return GPT(GPTConfig(**SIZES | options), VOCAB)


def make_pair(**options) -> EncoderDecoder:
    return EncoderDecoder(EncoderDecoderConfig(**SIZES | options), VOCAB)


def make_bert() -> BERT:
    return BERT(BERTConfig(**SIZES))


def ids(text: str) -> list[int]:
    return [VOCAB.index(token) for token in world.tokenize(text)]


def asked(explorer: AttentionExplorer, what: str, **rest) -> dict:
    """The answer as a page gets it: the JSON of a message, and its bytes."""
    sent = []
    explorer.send = lambda content, buffers=None: sent.append((content, buffers or []))
    explorer._receive({"type": "experiment", "what": what, "id": "7", "kind": 0, "instead": "zero", "position": None} | rest)
    ((content, buffers),) = sent
    answer = json.loads(json.dumps(content, allow_nan=False))
    assert (answer["id"], answer["revision"]) == ("7", explorer.frame["revision"])
    return answer | {"buffers": buffers}


def hooked(model: torch.nn.Module, module: torch.nn.Module, head: int, *batch: torch.Tensor, mean: bool = False) -> np.ndarray:
    """The model's logits with a head's slice of what goes into the output matrix replaced, by a hook written here."""

    def change(_, inputs):
        x = inputs[0].clone()
        mine = x[..., HEAD * head : HEAD * (head + 1)]
        x[..., HEAD * head : HEAD * (head + 1)] = mine.mean(dim=1, keepdim=True) if mean else 0
        return (x,)

    hook = module.register_forward_pre_hook(change)
    try:
        with torch.no_grad():
            return model.eval()(*batch)[0].double().numpy()
    finally:
        hook.remove()


def losses(logits: np.ndarray, targets: list[int]) -> np.ndarray:
    return -torch.tensor(logits).log_softmax(-1).numpy()[range(len(targets)), targets]


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.tensor(logits).softmax(-1).numpy()


# ---- heads switched off


@pytest.mark.parametrize("instead", ["zero", "mean"])
def test_a_head_off_is_what_a_direct_hook_makes_of_the_model(instead):
    gpt, text = make_gpt(), ids(TEXT)
    explorer = AttentionExplorer(gpt, None, TEXT)
    answer = asked(explorer, "ablate", off=[[0, 1, 2]], instead=instead)
    batch = torch.tensor([[0, *text]])
    whole = gpt(batch)[0].detach().double().numpy()
    after = hooked(gpt, gpt.blocks[1].attention.output, 2, batch, mean=instead == "mean")
    assert abs(whole - after).max() > 0.01
    old, new = (losses(logits[:-1], text) for logits in (whole, after))
    np.testing.assert_allclose(answer["loss"], [old.mean(), new.mean()], atol=1e-5)
    np.testing.assert_allclose(answer["at"][:-1], np.stack([old, new], axis=1), atol=1e-5)
    assert answer["at"][-1] is None and answer["asked"] == len(text)
    for t, rows in enumerate(answer["rows"]):
        assert [before for _, before, _ in rows] == sorted((before for _, before, _ in rows), reverse=True)
        for token, before, then in rows:
            np.testing.assert_allclose(before, softmax(whole)[t, VOCAB.index(token)], atol=1e-5)
            np.testing.assert_allclose(then, softmax(after)[t, VOCAB.index(token)], atol=1e-5)
        assert len(rows) == len(VOCAB)  # all of them


def test_tokens_that_become_likely_without_a_head_are_among_the_rows(monkeypatch):
    monkeypatch.setattr(experiments, "TOP", 2)
    explorer = AttentionExplorer(make_gpt(init_std=1.0), None, TEXT)
    answer = asked(explorer, "ablate", off=[[0, 0, head] for head in range(4)])
    before = explorer.reading.kinds[0].logits
    after = experiments.logits_without(explorer.model, explorer.reading, [(0, 0, head) for head in range(4)], "zero")
    best = np.maximum(softmax(before), softmax(after)).argsort(axis=1)[:, :-3:-1]
    assert [{token for token, *_ in rows} for rows in answer["rows"]] == [{VOCAB[i] for i in row} for row in best]


def test_each_attention_of_an_encoder_decoder_can_lose_a_head():
    pair = make_pair()
    explorer = AttentionExplorer(pair, None, ("the cat sat", "mat on"))
    batch = torch.tensor([[1, 2, 3]]), torch.tensor([[0, 5, 4]])
    modules = (pair.decoder[1].cross, pair.decoder[1].attention, pair.encoder[1].attention)
    for kind, module in enumerate(modules):
        expected = losses(hooked(pair, module.output, 3, *batch)[:-1], [5, 4])
        answer = asked(explorer, "ablate", off=[[kind, 1, 3]])
        np.testing.assert_allclose([after for _, after in answer["at"][:-1]], expected, atol=1e-5)
        alone = asked(explorer, "map", kind=kind)["map"][1][3]
        assert alone == pytest.approx(answer["loss"][1] - answer["loss"][0], abs=1e-5)
    off = [(0, 0, 0), (1, 1, 1), (2, 0, 2)]
    together = experiments.logits_without(pair, explorer.reading, off, "mean")
    with torch.no_grad(), ExitStack() as stack:
        means = [interpret.mean_heads(pair, ([1, 2, 3], [0, 5, 4]), part) for part in ("cross", "decoder", "encoder")]
        for part, mean, (_, layer, head) in zip(("cross", "decoder", "encoder"), means, off, strict=True):
            stack.enter_context(interpret.ablate(pair, [(layer, head)], "mean", mean=mean, part=part))
        expected = pair(*batch)[0].numpy()
    np.testing.assert_allclose(together, expected, atol=1e-6)


def test_the_map_holds_each_head_alone_over_the_text_and_at_a_position():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    whole, here = asked(explorer, "map"), asked(explorer, "map", position=3)
    for layer, head in np.ndindex(2, 4):
        alone = asked(explorer, "ablate", off=[[0, layer, head]])
        assert whole["map"][layer][head] == pytest.approx(alone["loss"][1] - alone["loss"][0], abs=1e-5)
        assert here["map"][layer][head] == pytest.approx(alone["at"][3][1] - alone["at"][3][0], abs=1e-5)
    assert "no target is asked" in asked(explorer, "map", position=7)["error"]
    assert "position must be" in asked(explorer, "map", position=8)["error"]


def test_berts_loss_is_of_the_tokens_that_are_not_masked():
    bert = make_bert()
    explorer = AttentionExplorer(bert, world.tokenize, "the [MASK] sat.", vocab=VOCAB, special=["[MASK]"])
    answer = asked(explorer, "ablate", off=[[0, 0, 1]])
    batch = torch.tensor([[1, 7, 3, 6]])
    after = losses(hooked(bert, bert.blocks[0].attention.output, 1, batch), [1, 7, 3, 6])
    assert answer["at"][1] is None and answer["asked"] == 3
    np.testing.assert_allclose(answer["loss"][1], after[[0, 2, 3]].mean(), atol=1e-5)
    assert explorer.frame["loss"] == pytest.approx(answer["loss"][0])


def test_without_the_causal_mask_the_loss_is_told_beside_that_with_it():
    explorer = AttentionExplorer(make_gpt(init_std=0.2), text=TEXT)  # does about as well as guessing
    with_mask = explorer.frame["loss"]
    assert explorer.frame["note"] == ""
    explorer.causal_mask = False
    without = explorer.frame["loss"]
    assert abs(without - with_mask) > 0.01
    told = f"Loss of the text, nats per token: {with_mask:.3f} with the mask, {without:.3f} without it."
    assert explorer.frame["note"] == told
    explorer.text = "the cat sat on the mat " * 4  # longer than the context: its window is told first
    assert explorer.frame["note"].startswith("The text has ") and " nats per token: " in explorer.frame["note"]
    explorer.text = ""  # the end token alone asks nothing
    assert explorer.frame["note"] == ""
    explorer.text, explorer.causal_mask = TEXT, True
    assert explorer.frame["note"] == ""


def test_a_loss_without_the_mask_is_not_told_of_a_model_that_does_worse_than_guessing():
    gpt = make_gpt()
    gpt.head.weight.data *= 30
    explorer = AttentionExplorer(gpt, text=TEXT)
    assert explorer.frame["loss"] > 1.5 * np.log(gpt.vocab_size)
    explorer.causal_mask = False
    assert explorer.frame["note"] == ""


def test_without_the_causal_mask_what_is_measured_is_without_it_too():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    masked = asked(explorer, "ablate", off=[[0, 1, 0]])
    explorer.causal_mask = False
    answer = asked(explorer, "ablate", off=[])
    assert all(before == pytest.approx(after, abs=1e-5) for before, after in answer["at"][:-1])
    assert answer["loss"][0] != pytest.approx(masked["loss"][0], abs=1e-3)
    before = explorer.reading.kinds[0].logits[3]
    assert asked(explorer, "lens")["answer"][3] == VOCAB[before.argmax()]


def test_one_layer_of_attention_and_a_text_that_asks_nothing():
    model = AttentionLM(VOCAB, AttentionLMConfig(block_size=16, n_embd=8, n_head=2))
    explorer = AttentionExplorer(model, None, "the cat")
    assert np.shape(asked(explorer, "map")["map"]) == (1, 2) and len(asked(explorer, "lens")["rows"][0]) == 2
    explorer.text = ""
    answer = asked(explorer, "ablate", off=[[0, 0, 1]])
    assert answer["loss"] is None and answer["at"] == [None] and explorer.frame["loss"] is None


# ---- logit lens, labels, mixes


def test_the_lens_ends_in_the_models_own_answer():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    answer, p = asked(explorer, "lens"), interpret.logit_lens(explorer.model, [0, *ids(TEXT)])
    for t, rows in enumerate(answer["rows"]):
        own = explorer.probabilities(t)
        assert rows[-1] == [VOCAB[own.argmax()], pytest.approx(own.max(), abs=1e-5), 1]
        assert answer["answer"][t] == VOCAB[own.argmax()]
        for row, (token, probability, rank) in enumerate(rows):
            assert token == VOCAB[p[row, t].argmax()] and probability == pytest.approx(np.exp(p[row, t].max()))
            assert rank == 1 + (p[row, t] > p[row, t, own.argmax()]).sum()
    assert answer["vocab_size"] == len(VOCAB)


def test_where_there_is_no_lens_it_says_why(monkeypatch):
    post_norm = AttentionExplorer(make_gpt(norm_first=False), None, TEXT)
    assert "post-norm" in asked(post_norm, "lens")["error"]
    pair = AttentionExplorer(make_pair(norm_first=True), None, ("the cat", "mat"))
    assert "reads the target's stream" in asked(pair, "lens", kind=2)["error"] and len(asked(pair, "lens", kind=1)["rows"]) == 2
    monkeypatch.setattr(experiments, "MOST_SCORES", 100)
    assert "8 tokens × 3 streams × 8 scores are too many" in asked(AttentionExplorer(make_gpt(), None, TEXT), "lens")["error"]


def test_labels_are_interprets_with_their_chance():
    vocab = ["</s>", *"abcdefghijklmnop"]
    gpt = GPT(GPTConfig(**SIZES | {"vocab_size": len(vocab), "block_size": 32, "init_std": 1.0}), vocab)
    explorer = AttentionExplorer(gpt, None, "abcab")
    answer, expected = asked(explorer, "labels"), interpret.head_scores(gpt, [0, 1, 2, 3, 1, 2])
    assert list(answer["scores"]) == list(expected)
    for name, (values, chance) in expected.items():
        np.testing.assert_allclose(answer["scores"][name]["values"], values)
        assert answer["scores"][name]["chance"] == pytest.approx(chance)
    assert [tuple(label.values()) for label in answer["labels"]] == [tuple(x) for x in interpret.head_labels(expected)]
    explorer.text = "abc"  # none comes twice
    assert asked(explorer, "labels")["scores"]["duplicate token"]["chance"] is None


def test_where_heads_have_no_kind_it_says_why():
    small = GPT(GPTConfig(**SIZES | {"vocab_size": 3, "block_size": 32}), ["</s>", "a", "b"])
    assert "has from 3 to 2 different tokens" in asked(AttentionExplorer(small, None, "ab"), "labels")["error"]
    pair = AttentionExplorer(make_pair(), None, ("the cat", "mat"))
    assert "look at their own text" in asked(pair, "labels", kind=0)["error"]
    assert "induction" in asked(pair, "labels", kind=1)["scores"]


def test_mixes_are_interprets():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    weights = explorer.reading.kinds[0].weights
    for how, expected in (("mean", interpret.head_mean(weights)), ("rollout", interpret.rollout(weights))):
        sent = asked(explorer, "mix", how=how, layer=1)["buffers"][0]
        np.testing.assert_allclose(np.frombuffer(sent, "<f4").reshape(8, 8), expected[1], atol=1e-6)
    pair = AttentionExplorer(make_pair(), None, ("the cat", "mat"))
    assert "one text looks at another" in asked(pair, "mix", how="rollout", layer=0)["error"]
    assert len(asked(pair, "mix", how="mean", layer=0)["buffers"][0]) == 4 * 2 * 2


# ---- messages


@pytest.mark.parametrize(
    "content",
    [
        {"what": "ablate", "off": [[0, 7, 0]]},
        {"what": "ablate", "off": 3},
        {"what": "ablate", "off": [], "instead": "one"},
        {"what": "map", "kind": 4},
        {"what": "mix", "how": "mean", "layer": 9},
        {"what": "everything"},
        {"what": None},
    ],
)
def test_a_question_that_makes_no_sense_is_answered_all_the_same(content):
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    assert asked(explorer, **content)["error"]
    assert not any(module._forward_pre_hooks for module in explorer.model.modules())


def test_the_model_is_as_it_was_after_everything():
    gpt = make_gpt(dropout=0.5)
    explorer = AttentionExplorer(gpt, None, TEXT)
    before = {name: tensor.clone() for name, tensor in gpt.state_dict().items()}
    first = asked(explorer, "ablate", off=[[0, 0, 0]])
    for what in ("map", "lens", "labels"):
        asked(explorer, what)
    assert gpt.training and asked(explorer, "ablate", off=[[0, 0, 0]])["loss"] == first["loss"]  # dropout is off meanwhile
    assert all(torch.equal(before[name], tensor) for name, tensor in gpt.state_dict().items())
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in gpt.modules())


def test_the_second_module_is_sent_when_it_is_asked_for():
    explorer, sent = AttentionExplorer(make_gpt(), None, TEXT), []
    explorer.send = sent.append
    explorer._receive({"type": "source"})
    assert sent == [{"source": EXPERIMENTS}]
    assert 'const EXPERIMENTS = "' in str(explorer._esm) and "ablationPanel" not in str(explorer._esm)


# ---- steps of training


def three_steps() -> tuple[GPT, dict[int, GPT]]:
    return make_gpt(seed=0), {step: make_gpt(seed=1 + step) for step in (100, 0, 20)}


def test_each_step_is_shown_with_its_own_weights(tmp_path):
    model, saved = three_steps()
    save_model(saved[100], tmp_path / "late.safetensors", step=100)
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    steps = {20: saved[20].state_dict(), 0: saved[0].state_dict()}
    explorer = AttentionExplorer(model, None, TEXT, steps=steps, checkpoints=[tmp_path / "late.safetensors"])
    assert (explorer.frame["steps"], explorer.frame["step"], explorer.view["open"]) == ([0, 20, 100], None, ["steps"])
    batch = torch.tensor([[0, *ids(TEXT)]])
    for step in (0, 100, 20, None):
        explorer._receive({"type": "step", "step": step})
        shown = model if step is None else saved[step]
        expected = shown.trace(batch)
        tolerance = 5e-3 if step == 100 else 1e-6  # a model alone is stored in half precision
        np.testing.assert_allclose(explorer.weights(1, 2), expected.attention[1, 0, 2].detach().numpy(), atol=tolerance)
        whole = losses(expected.logits[0].detach().double().numpy()[:-1], ids(TEXT)).mean()
        assert explorer.frame["step"] == step and explorer.frame["loss"] == pytest.approx(whole, abs=2 * tolerance)
        assert asked(explorer, "ablate", off=[])["loss"][0] == pytest.approx(explorer.frame["loss"], abs=1e-5)
        assert asked(explorer, "ablate", off=[])["loss"][1] == pytest.approx(explorer.frame["loss"], abs=1e-5)
    assert all(torch.equal(own[name], tensor) for name, tensor in model.state_dict().items())
    revision = explorer.frame["revision"]
    explorer._receive({"type": "step", "step": None})  # no change, and yet an answer
    assert explorer.frame["revision"] == revision + 1
    explorer.state = {"step": 20}
    assert json.loads(explorer.state)["step"] == 20 and "at step 20" in repr(explorer)


def test_a_step_that_was_not_saved_is_refused_and_stays_out():
    model, saved = three_steps()
    explorer = AttentionExplorer(model, None, TEXT, steps={0: saved[0].state_dict()})
    with pytest.raises(ValueError, match="step 5 was not saved, only 0"):
        explorer.step = 5
    explorer._receive({"type": "step", "step": 5})
    explorer._receive({"type": "state", "state": '{"step": 5, "text": "the"}'})
    assert explorer.step is None and explorer.text == TEXT and "step 5 was not saved" in explorer.view["error"]
    with pytest.raises(ValueError, match="step 3 was not saved, only none"):
        AttentionExplorer(model, None, TEXT, state={"step": 3})


def test_weights_that_do_not_fit_are_said_and_files_that_do_not_say_their_step_refused(tmp_path):
    model, _ = three_steps()
    other = make_gpt(n_embd=16)
    explorer = AttentionExplorer(model, None, TEXT, steps={1: other.state_dict(), 2: {}})
    for step in (1, 2):
        explorer.step = step
        assert "are of another model" in explorer.frame["error"] and explorer.frame["step"] is None
    assert CheckpointError.__name__ in explorer.frame["error"]
    explorer.step = None
    assert explorer.frame["error"] == ""
    save_model(model, tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="does not say its step; pass steps="):
        AttentionExplorer(model, None, TEXT, checkpoints=[tmp_path / "a.safetensors"])
    explorer = AttentionExplorer(model, None, TEXT, steps={5: tmp_path / "a.safetensors"})
    explorer.step = 5
    assert explorer.frame["step"] == 5
    with pytest.raises(ValueError, match="no checkpoint"):
        AttentionExplorer(model, None, TEXT, checkpoints=[tmp_path / "none.safetensors"])
    save_model(model, tmp_path / "b.safetensors", step=5)
    with pytest.raises(ValueError, match="two checkpoints are of step 5"):
        AttentionExplorer(model, None, TEXT, steps={5: {}}, checkpoints=[tmp_path / "b.safetensors"])
    with pytest.raises(ValueError, match="steps must be whole numbers"):
        AttentionExplorer(model, None, TEXT, steps={"5": {}})


# ---- the view as a text


def test_experiments_belong_to_the_view_that_is_shared():
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    explorer.state = {"open": ["ablation"], "off": [(0, 1, 2)], "instead": "mean", "mix": "rollout"}
    view = json.loads(explorer.state)
    assert (view["open"], view["off"], view["instead"], view["mix"]) == (["ablation"], [[0, 1, 2]], "mean", "rollout")
    wrong = ({"open": ["all"]}, {"off": [[0, 1]]}, {"off": [[0, -1, 0]]}, {"instead": 0}, {"mix": "max"}, {"step": 0.5})
    for view in wrong:
        with pytest.raises(ValueError, match=f"{next(iter(view))} of a view must be"):
            explorer.state = view


# ---- what would take long


def test_a_map_that_would_take_long_says_how_long_and_goes_on_when_asked_again(monkeypatch):
    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    quick = asked(explorer, "map")["map"]
    monkeypatch.setattr(experiments, "MOST_SECONDS", 0.0)
    refused = asked(explorer, "map")
    assert refused["seconds"] > 0 and "map" not in refused and "error" not in refused
    np.testing.assert_allclose(asked(explorer, "map", long=True)["map"], quick)


def test_the_estimate_is_a_reading_for_each_head(monkeypatch):
    explorer, clock = AttentionExplorer(make_gpt(), None, TEXT), iter([10.0, 12.5])
    monkeypatch.setattr(experiments.time, "perf_counter", lambda: next(clock))
    assert asked(explorer, "map")["seconds"] == 2.5 * 2 * 4


@pytest.mark.parametrize("instead", ["zero", "mean"])
@pytest.mark.parametrize("position", [None, 3])
def test_a_map_of_many_scores_is_made_head_by_head_and_is_the_same(monkeypatch, instead, position):
    gpt, pair = (
        AttentionExplorer(make_gpt(), None, TEXT),
        AttentionExplorer(make_pair(), None, ("the cat sat", "mat on the cat")),
    )
    for explorer, kind in ((gpt, 0), (pair, 2)):
        question = {"kind": kind, "instead": instead, "position": position}
        together = asked(explorer, "map", **question)["map"]
        with monkeypatch.context() as few:
            few.setattr(experiments, "MOST_SCORES", 1)
            few.setattr(experiments.interpret, "ablation_map", None)  # not called
            np.testing.assert_allclose(asked(explorer, "map", **question)["map"], together, atol=1e-5)


def test_an_interrupted_measurement_is_answered(monkeypatch):
    def stopped(*args, **options):
        raise KeyboardInterrupt

    explorer = AttentionExplorer(make_gpt(), None, TEXT)
    monkeypatch.setattr(experiments.interpret, "ablation_map", stopped)
    assert asked(explorer, "map")["error"] == "it was interrupted"
    assert not any(module._forward_pre_hooks for module in explorer.model.modules())
