"""Adapting a trained model to a task: a head, LoRA, instruction data.

Derived in `08_adapting_and_applications.ipynb`.
"""

from .classifier import Classifier, LabelledData, freeze
from .instructions import AnswerData
from .lora import LoRALinear, add_lora, lora_tensors, merge_lora, n_trainable

__all__ = [
    "AnswerData", "Classifier", "LabelledData", "LoRALinear", "add_lora", "freeze", "lora_tensors", "merge_lora", "n_trainable",
]  # fmt: skip
