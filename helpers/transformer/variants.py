"""What changed since GPT-2, each as the fields of a config that it sets. Measured in `06_transformer.ipynb`.

config = dataclasses.replace(base, **SINCE_GPT2["rotary positions"])
"""

from typing import Any

SINCE_GPT2: dict[str, dict[str, Any]] = {
    "as GPT-2": {},
    "RMSNorm": {"norm": "rms"},
    "no biases": {"bias": False},
    "rotary positions": {"position": "rotary"},
    "query–key norm": {"qk_norm": True},
    "ReLU²": {"activation": "relu2"},
    "SwiGLU": {"activation": "swiglu"},
    "grouped queries": {"n_kv_head": 2},
}
SINCE_GPT2["all of them"] = {
    "norm": "rms", "bias": False, "position": "rotary", "qk_norm": True, "activation": "swiglu", "n_kv_head": 2
}  # fmt: skip
