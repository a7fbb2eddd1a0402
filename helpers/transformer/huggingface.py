"""Weights from Hugging Face's models: the same numbers under the course's names.

GPT reads GPT-2, Llama and Qwen3, BERT reads BertForMaskedLM, EncoderDecoder reads Marian, whose architecture is that of 2017.
Used in `06_transformer.ipynb`; the library `transformers` is needed only here.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

Weights = Mapping[str, Tensor]
ACTIVATIONS = {
    "gelu": "gelu", "gelu_new": "gelu-tanh", "gelu_pytorch_tanh": "gelu-tanh", "relu": "relu", "silu": "silu", "swish": "silu",
}  # fmt: skip
CLASSES = {"GPT": "AutoModelForCausalLM", "BERT": "AutoModelForMaskedLM", "EncoderDecoder": "AutoModelForSeq2SeqLM"}


class WeightsError(Exception):
    """Weights that cannot be had or do not fit: why, and what to do."""


def load(family: type, config_class: type, source: Any) -> Any:
    """A model of this family (GPT, BERT or EncoderDecoder) with the weights of `source`; see `from_huggingface`."""
    theirs = _fetch(family.__name__, source) if isinstance(source, str) or hasattr(source, "__fspath__") else source
    kind = getattr(getattr(theirs, "config", None), "model_type", type(theirs).__name__)
    if (family.__name__, kind) not in READERS:
        known = [theirs for ours, theirs in READERS if ours == family.__name__]
        raise WeightsError(f"{family.__name__} can take the weights of {' or '.join(known)}, not of {kind}")
    fields, rename = READERS[family.__name__, kind]
    try:
        config = config_class(**fields(theirs.config))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"this {kind} has a feature that the course's {family.__name__} lacks: {error}") from error
    model = family(config)
    needed = CLASSES[family.__name__]
    try:
        weights = dict(rename(theirs.state_dict(), config))
        weights = {name: weights[name] for name in model.state_dict()}
    except KeyError as error:
        raise WeightsError(f"this {kind} lacks {error}; pass the model with its head, as {needed} loads it") from error
    model.load_state_dict(weights)
    return model.eval()


def _fetch(family: str, source: Any) -> Any:
    try:
        import transformers
        from safetensors import SafetensorError
    except ImportError as error:
        raise WeightsError("`transformers` is not installed: run `pip install transformers`, or pass a loaded model") from error
    try:
        return getattr(transformers, CLASSES[family]).from_pretrained(source)
    except (OSError, ValueError, SafetensorError) as error:
        raise WeightsError(
            f"the weights of {str(source)!r} cannot be had. A name needs a network (once; then they are kept in Hugging Face's "
            f"cache); without one, pass a folder that holds config.json and model.safetensors. transformers says: {error}"
        ) from error


# --- what the fields are called ---------------------------------------------------------------------------------------------


def _gpt2_fields(c: Any) -> dict[str, Any]:
    if c.scale_attn_by_inverse_layer_idx or not c.scale_attn_weights:
        raise ValueError("scores scaled in another way")
    return {
        "vocab_size": c.vocab_size,
        "block_size": c.n_positions,
        "n_layer": c.n_layer,
        "n_head": c.n_head,
        "n_embd": c.n_embd,
        "n_hidden": c.n_inner,
        "norm_eps": c.layer_norm_epsilon,
        "activation": ACTIVATIONS[c.activation_function],
        "tied": c.tie_word_embeddings,
        "end": _one(c.eos_token_id),
    }


def _llama_fields(c: Any) -> dict[str, Any]:
    rope = dict(getattr(c, "rope_parameters", None) or {})
    if (c.head_dim or 0) * c.num_attention_heads != c.hidden_size or getattr(c, "use_sliding_window", False):
        raise ValueError("heads of another width than hidden_size / heads, or a sliding window")
    if (
        rope.get("rope_type", "default") != "default"
        or c.attention_bias
        or getattr(c, "mlp_bias", False)
        or c.hidden_act != "silu"
    ):
        raise ValueError("rescaled rotary positions, biases or another activation")
    return {
        "vocab_size": c.vocab_size,
        "block_size": c.max_position_embeddings,
        "n_layer": c.num_hidden_layers,
        "n_embd": c.hidden_size,
        "n_head": c.num_attention_heads,
        "n_kv_head": c.num_key_value_heads,
        "n_hidden": c.intermediate_size,
        "norm": "rms",
        "norm_eps": c.rms_norm_eps,
        "position": "rotary",
        "rotary_base": rope.get("rope_theta", 10_000.0),
        "activation": "swiglu",
        "bias": False,
        "qk_norm": c.model_type == "qwen3",
        "tied": c.tie_word_embeddings,
        "end": _one(c.eos_token_id),
    }


def _bert_fields(c: Any) -> dict[str, Any]:
    if c.is_decoder:
        raise ValueError("it looks to the left only (is_decoder)")
    return {
        "vocab_size": c.vocab_size,
        "block_size": c.max_position_embeddings,
        "n_layer": c.num_hidden_layers,
        "n_embd": c.hidden_size,
        "n_head": c.num_attention_heads,
        "n_hidden": c.intermediate_size,
        "norm_eps": c.layer_norm_eps,
        "activation": ACTIVATIONS[c.hidden_act],
        "n_segment": c.type_vocab_size,
        "end": _one(c.pad_token_id),
    }


def _marian_fields(c: Any) -> dict[str, Any]:
    heads, widths = (c.encoder_attention_heads, c.decoder_attention_heads), (c.encoder_ffn_dim, c.decoder_ffn_dim)
    if len(set(heads)) > 1 or len(set(widths)) > 1 or not c.scale_embedding or not c.share_encoder_decoder_embeddings:
        raise ValueError("encoder and decoder of other sizes, or embeddings that are not scaled or not shared")
    return {
        "vocab_size": c.vocab_size,
        "block_size": c.max_position_embeddings,
        "n_layer": c.encoder_layers,
        "n_embd": c.d_model,
        "n_decoder_layer": c.decoder_layers,
        "n_head": heads[0],
        "n_hidden": widths[0],
        "activation": ACTIVATIONS[c.activation_function],
        "layout": "halves",
        "end": _one(c.eos_token_id),
        "start": _one(c.decoder_start_token_id),
    }


def _one(token: int | list[int] | None) -> int:
    return (token[0] if isinstance(token, list) else token) or 0


# --- what the weights are called --------------------------------------------------------------------------------------------


def _pair(ours: str, theirs: str, weights: Weights) -> Iterator[tuple[str, Tensor]]:
    """A layer's weight, and its bias where it has one."""
    for part in ("weight", "bias"):
        if f"{theirs}.{part}" in weights:
            yield f"{ours}.{part}", weights[f"{theirs}.{part}"]


def _renamed(weights: Weights, names: Mapping[str, str]) -> Iterator[tuple[str, Tensor]]:
    for ours, theirs in names.items():
        yield from _pair(ours, theirs, weights)


GPT2_LAYER = {"attention.output": "attn.c_proj", "feed_forward.up": "mlp.c_fc", "feed_forward.down": "mlp.c_proj"}


def _gpt2_weights(w: Weights, config: Any) -> Iterator[tuple[str, Tensor]]:
    yield from _renamed(w, {"embedding": "transformer.wte", "positions.table": "transformer.wpe", "norm": "transformer.ln_f"})
    yield from _pair("head", "lm_head", w)
    for i in range(config.n_layer):
        ours, theirs = f"blocks.{i}", f"transformer.h.{i}"
        yield from _renamed(w, {f"{ours}.norm_1": f"{theirs}.ln_1", f"{ours}.norm_2": f"{theirs}.ln_2"})
        # GPT-2 keeps its matrices (inputs, outputs), and queries, keys and values side by side in one
        linear = {name: w[f"{theirs}.{name}.weight"].T for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")}
        bias = {name: w[f"{theirs}.{name}.bias"] for name in linear}
        thirds = zip(linear["attn.c_attn"].chunk(3), bias["attn.c_attn"].chunk(3), strict=True)
        found = dict(zip(("attention.query", "attention.key", "attention.value"), thirds, strict=True))
        for name, called in GPT2_LAYER.items():
            found[name] = linear[called], bias[called]
        for name, (weight, b) in found.items():
            yield f"{ours}.{name}.weight", weight
            yield f"{ours}.{name}.bias", b


def _llama_weights(w: Weights, config: Any) -> Iterator[tuple[str, Tensor]]:
    yield from _renamed(w, {"embedding": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"})
    layer = {
        "norm_1": "input_layernorm", "norm_2": "post_attention_layernorm", "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj", "attention.value": "self_attn.v_proj", "attention.output": "self_attn.o_proj",
        "attention.query_norm": "self_attn.q_norm", "attention.key_norm": "self_attn.k_norm",
        "feed_forward.gate": "mlp.gate_proj", "feed_forward.up": "mlp.up_proj", "feed_forward.down": "mlp.down_proj",
    }  # fmt: skip
    for i in range(config.n_layer):
        yield from _renamed(w, {f"blocks.{i}.{ours}": f"model.layers.{i}.{theirs}" for ours, theirs in layer.items()})


def _bert_weights(w: Weights, config: Any) -> Iterator[tuple[str, Tensor]]:
    top = {
        "embedding": "embeddings.word_embeddings", "positions.table": "embeddings.position_embeddings",
        "segments": "embeddings.token_type_embeddings", "embedding_norm": "embeddings.LayerNorm",
    }  # fmt: skip
    yield from _renamed(w, {ours: f"bert.{theirs}" for ours, theirs in top.items()})
    head = {"transform": "transform.dense", "transform_norm": "transform.LayerNorm", "head": "decoder"}
    yield from _renamed(w, {ours: f"cls.predictions.{theirs}" for ours, theirs in head.items()})
    layer = {
        "attention.query": "attention.self.query", "attention.key": "attention.self.key",
        "attention.value": "attention.self.value", "attention.output": "attention.output.dense",
        "norm_1": "attention.output.LayerNorm", "feed_forward.up": "intermediate.dense", "feed_forward.down": "output.dense",
        "norm_2": "output.LayerNorm",
    }  # fmt: skip
    for i in range(config.n_layer):
        yield from _renamed(w, {f"blocks.{i}.{ours}": f"bert.encoder.layer.{i}.{theirs}" for ours, theirs in layer.items()})


def _marian_weights(w: Weights, config: Any) -> Iterator[tuple[str, Tensor]]:
    yield "embedding.weight", w["model.shared.weight"]
    yield "head.weight", w["model.shared.weight"]
    yield "head.bias", w["final_logits_bias"][0]
    heads = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
    layer = {f"attention.{ours}": f"self_attn.{theirs}" for ours, theirs in heads.items()}
    layer |= {
        "norm_1": "self_attn_layer_norm", "feed_forward.up": "fc1", "feed_forward.down": "fc2", "norm_2": "final_layer_norm",
    }  # fmt: skip
    cross = {f"cross.{ours}": f"encoder_attn.{theirs}" for ours, theirs in heads.items()}
    cross |= {"norm_cross": "encoder_attn_layer_norm"}
    for side, n, names in (("encoder", config.n_layer, layer), ("decoder", config.decoder_layers, layer | cross)):
        for i in range(n):
            there = f"model.{side}.layers.{i}"
            yield from _renamed(w, {f"{side}.{i}.{ours}": f"{there}.{theirs}" for ours, theirs in names.items()})


Reader = tuple[Callable[[Any], dict[str, Any]], Callable[[Weights, Any], Iterator[tuple[str, Tensor]]]]
READERS: dict[tuple[str, str], Reader] = {
    ("GPT", "gpt2"): (_gpt2_fields, _gpt2_weights),
    ("GPT", "llama"): (_llama_fields, _llama_weights),
    ("GPT", "qwen3"): (_llama_fields, _llama_weights),
    ("BERT", "bert"): (_bert_fields, _bert_weights),
    ("EncoderDecoder", "marian"): (_marian_fields, _marian_weights),
}
