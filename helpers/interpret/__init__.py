"""What happens inside a trained model, measured: ablation, logit lens, scores of heads, patching, probes.

A picture of attention weights is a guess; what is here tests one, by operating on the model or by a number beside its chance
level. Derived in `09_limits_and_outlook.ipynb`; the attention explorer shows it. All of it takes the ids that the model reads,
with the end token in front where it belongs, so that positions are those of `trace`; an EncoderDecoder reads a pair (source,
target). Layers, heads and positions are counted from 0. What measures puts the model in eval mode meanwhile.
"""

from .ablation import ablate, ablation_map, mean_heads
from .head_scores import (
    HeadLabel,
    HeadScore,
    duplicate_token,
    first_token,
    head_labels,
    head_scores,
    induction,
    mass_on,
    previous_token,
    repeated_ids,
    self_attention,
)
from .mixing import head_mean, rollout
from .probing import Probe, linear_probe
from .stream import logit_lens, patch

__all__ = [
    "HeadLabel", "HeadScore", "Probe", "ablate", "ablation_map", "duplicate_token", "first_token", "head_labels", "head_mean",
    "head_scores", "induction", "linear_probe", "logit_lens", "mass_on", "mean_heads", "patch", "previous_token",
    "repeated_ids", "rollout", "self_attention",
]  # fmt: skip
