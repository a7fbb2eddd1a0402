"""Weights from Hugging Face: the same logits, hidden states and attentions; and what is said where they cannot be had."""

import sys

import pytest
import torch
import transformers

from helpers.transformer import BERT, GPT, EncoderDecoder, WeightsError

V, T = 31, 12
CLOSE = {"atol": 1e-4, "rtol": 1e-4}  # float32, several layers, residual streams of a few tens


def spread(model):
    """The same model with matrices, biases and norms that all matter, and without dropout; fixed tables stay."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return model.eval()


def gpt2(**options):
    sizes = {"vocab_size": V, "n_positions": 16, "n_embd": 24, "n_layer": 3, "n_head": 4, "eos_token_id": 7, "bos_token_id": 7}
    return spread(transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes | options, attn_implementation="eager")))


LLAMA = {
    "vocab_size": V, "max_position_embeddings": 16, "hidden_size": 24, "intermediate_size": 50, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": [5, 6], "bos_token_id": 1, "pad_token_id": 0,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}, "rms_norm_eps": 1e-3, "attn_implementation": "eager",
}  # fmt: skip


def llama(**options):
    return spread(transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA | options)))


def qwen3(**options):
    return spread(transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**LLAMA | {"head_dim": 6} | options)))


def bert_config(**options):
    sizes = {
        "vocab_size": V, "max_position_embeddings": 16, "hidden_size": 24, "intermediate_size": 50, "num_hidden_layers": 3,
        "num_attention_heads": 4, "pad_token_id": 3, "layer_norm_eps": 1e-3, "attn_implementation": "eager",
    }  # fmt: skip
    return transformers.BertConfig(**sizes | options)


def bert(**options):
    return spread(transformers.BertForMaskedLM(bert_config(**options)))


def marian(**options):
    sizes = {
        "vocab_size": V, "max_position_embeddings": 16, "d_model": 24, "encoder_layers": 2, "decoder_layers": 3,
        "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 50, "decoder_ffn_dim": 50,
        "activation_function": "swish", "scale_embedding": True, "pad_token_id": 30, "decoder_start_token_id": 30,
        "eos_token_id": 0, "attn_implementation": "eager",
    }  # fmt: skip
    model = spread(transformers.MarianMTModel(transformers.MarianConfig(**sizes | options)))
    model.final_logits_bias.copy_(torch.randn(model.final_logits_bias.shape, generator=torch.Generator().manual_seed(1)))
    return model


def random_ids(n=T, seed=0):
    return torch.randint(V, (2, n), generator=torch.Generator().manual_seed(seed))


def close(a, b):
    torch.testing.assert_close(a, b, **CLOSE)


DECODERS = {
    "GPT-2": lambda: gpt2(),
    "GPT-2, other width and activation": lambda: gpt2(n_inner=50, activation_function="relu", layer_norm_epsilon=1e-3),
    "GPT-2, untied": lambda: gpt2(tie_word_embeddings=False),
    "Llama, grouped": lambda: llama(),
    "Llama, tied": lambda: llama(tie_word_embeddings=True),
    "Llama, one key head": lambda: llama(num_key_value_heads=1),
    "Llama, all key heads": lambda: llama(num_key_value_heads=4),
    "Qwen3": lambda: qwen3(),
    "Qwen3, tied": lambda: qwen3(tie_word_embeddings=True),
}


@torch.no_grad()
@pytest.mark.parametrize("kind", DECODERS)
def test_gpt_is_hugging_faces(kind):
    theirs, ids = DECODERS[kind](), random_ids()
    ours = GPT.from_huggingface(theirs)
    out, trace = theirs(ids, output_hidden_states=True, output_attentions=True), ours.trace(ids)
    assert out.logits.std() > 0.5  # so that the tolerance means something
    close(ours(ids), out.logits)
    close(trace.logits, out.logits)
    close(trace.residual[:-1], torch.stack(out.hidden_states[:-1]))
    close(ours.norm(trace.residual[-1]), out.hidden_states[-1])  # theirs is taken after the last norm
    close(trace.attention, torch.stack(out.attentions))
    assert ours.n_parameters == theirs.num_parameters() and not ours.training


@torch.no_grad()
@pytest.mark.parametrize(("segmented", "padded"), [(False, False), (True, False), (False, True), (True, True)])
def test_bert_is_hugging_faces(segmented, padded):
    theirs, ids = bert(), random_ids()
    ours = BERT.from_huggingface(theirs)
    segments = (torch.arange(T) > 4).long().expand(2, T) if segmented else None
    mask = torch.arange(T) < torch.tensor([[T], [5]]) if padded else None
    asked = {"token_type_ids": segments, "attention_mask": None if mask is None else mask.long()}
    out = theirs(ids, **asked, output_hidden_states=True, output_attentions=True)
    trace = ours.trace(ids, mask, segments)
    assert out.logits.std() > 0.5
    close(ours(ids, mask, segments), out.logits)
    close(trace.residual, torch.stack(out.hidden_states))
    close(trace.attention, torch.stack(out.attentions))
    assert sum(p.numel() for p in ours.parameters()) == theirs.num_parameters()


@torch.no_grad()
@pytest.mark.parametrize("padded", [False, True])
def test_the_encoder_decoder_is_marian(padded):
    theirs, source, target = marian(), random_ids(), random_ids(9, seed=1)
    ours = EncoderDecoder.from_huggingface(theirs)
    mask = torch.arange(T) < torch.tensor([[T], [5]]) if padded else None
    out = theirs(
        source, None if mask is None else mask.long(), target, output_hidden_states=True, output_attentions=True
    )  # fmt: skip
    encoder, decoder = ours.trace(source, target, mask)
    assert out.logits.std() > 0.5
    close(ours(source, target, mask), out.logits)
    close(encoder.logits, out.encoder_last_hidden_state)
    close(encoder.residual, torch.stack(out.encoder_hidden_states))
    close(encoder.attention, torch.stack(out.encoder_attentions))
    close(decoder.residual, torch.stack(out.decoder_hidden_states))
    close(decoder.attention, torch.stack(out.decoder_attentions))
    close(decoder.cross_attention, torch.stack(out.cross_attentions))
    assert encoder.cross_attention is None


def test_the_special_tokens_come_along():
    assert GPT.from_huggingface(gpt2()).end == 7
    assert GPT.from_huggingface(llama()).end == 5  # the first of several
    config = EncoderDecoder.from_huggingface(marian()).config
    assert (config.end, config.start) == (0, 30)
    assert BERT.from_huggingface(bert()).config.end == 3


def test_the_weights_are_copies_in_single_precision():
    theirs = gpt2().bfloat16()
    ours, before = GPT.from_huggingface(theirs), theirs.transformer.wte.weight.clone()
    assert {p.dtype for p in ours.parameters()} == {torch.float32}
    with torch.no_grad():
        ours.embedding.weight.zero_()
    assert torch.equal(theirs.transformer.wte.weight, before)


@torch.no_grad()
@pytest.mark.parametrize(("family", "build"), [(GPT, gpt2), (GPT, llama), (BERT, bert), (EncoderDecoder, marian)])
def test_from_a_folder(family, build, tmp_path):
    theirs = build()
    theirs.save_pretrained(tmp_path)
    expected = family.from_huggingface(theirs).state_dict()
    for source in (tmp_path, str(tmp_path)):
        found = family.from_huggingface(source).state_dict()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


# ---- what is said where it does not work


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # read when the library is imported, which may be earlier: so here, too
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("source", ["no-such-owner/no-such-model", "no-such-model"])
def test_a_name_without_a_network(offline, source):
    with pytest.raises(WeightsError, match=f"'{source}' cannot be had. A name needs a network .* pass a folder"):
        GPT.from_huggingface(source)


def test_a_folder_that_is_missing_empty_or_broken(offline, tmp_path):
    for folder in (tmp_path / "missing", tmp_path):
        with pytest.raises(WeightsError, match=r"cannot be had.*a folder that holds config.json and model.safetensors"):
            GPT.from_huggingface(folder)
    gpt2().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(WeightsError, match="cannot be had"):
        GPT.from_huggingface(tmp_path)


def test_without_transformers_a_name_is_refused(monkeypatch):
    theirs = gpt2()
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(WeightsError, match="pip install transformers"):
        GPT.from_huggingface("gpt2")
    GPT.from_huggingface(theirs)  # a loaded model needs nothing


@pytest.mark.parametrize(
    ("family", "build", "message"),
    [
        (GPT, bert, "GPT can take the weights of gpt2 or llama or qwen3, not of bert"),
        (BERT, gpt2, "BERT can take the weights of bert, not of gpt2"),
        (EncoderDecoder, llama, "EncoderDecoder can take the weights of marian, not of llama"),
        (GPT, object, "not of object"),
    ],
)
def test_another_family_is_refused(family, build, message):
    with pytest.raises(WeightsError, match=message):
        family.from_huggingface(build())


@pytest.mark.parametrize(
    ("family", "build", "options", "message"),
    [
        (GPT, gpt2, {"scale_attn_by_inverse_layer_idx": True}, "scores scaled"),
        (GPT, gpt2, {"scale_attn_weights": False}, "scores scaled"),
        (GPT, gpt2, {"activation_function": "tanh"}, "tanh"),
        (GPT, llama, {"attention_bias": True}, "biases"),
        (GPT, llama, {"mlp_bias": True}, "biases"),
        (GPT, llama, {"hidden_act": "gelu"}, "another activation"),
        (GPT, llama, {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}}, "rescaled rotary"),
        (GPT, llama, {"head_dim": 8}, "width"),
        (BERT, bert, {"is_decoder": True}, "is_decoder"),
        (BERT, bert, {"hidden_act": "tanh"}, "tanh"),
        (EncoderDecoder, marian, {"scale_embedding": False}, "not scaled"),
        (EncoderDecoder, marian, {"decoder_ffn_dim": 60}, "other sizes"),
    ],
)
def test_a_feature_that_we_lack_is_refused(family, build, options, message):
    theirs = build(**options)
    with pytest.raises(WeightsError, match=f"has a feature that the course's {family.__name__} lacks: .*{message}"):
        family.from_huggingface(theirs)


@pytest.mark.parametrize(
    ("family", "build", "needed"),
    [
        (GPT, lambda: gpt2().transformer, "AutoModelForCausalLM"),
        (GPT, lambda: llama().model, "AutoModelForCausalLM"),
        (BERT, lambda: bert().bert, "AutoModelForMaskedLM"),
        (BERT, lambda: transformers.BertForSequenceClassification(bert_config()), "AutoModelForMaskedLM"),
        (EncoderDecoder, lambda: marian().model, "AutoModelForSeq2SeqLM"),
    ],
)
def test_a_model_without_its_head_is_refused(family, build, needed):
    with pytest.raises(WeightsError, match=f"pass the model with its head, as {needed} loads it"):
        family.from_huggingface(build())
