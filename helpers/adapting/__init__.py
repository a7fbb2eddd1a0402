"""Adapting a trained model to a task: a head, LoRA, answers to learn from, prompts, and decoding that must match a pattern.

Derived in `08_adapting_and_applications.ipynb`.
"""

from .classifier import Classifier, LabelledData, freeze
from .constrained import Constraint, constrain, generate_matching, json_shape, restricted, token_texts
from .instructions import AnswerData
from .lora import LoRALinear, add_lora, lora_tensors, merge_lora, n_trainable
from .prompts import Template, accuracy_by_order, calibrated, label_log_probs
from .regular import Pattern

__all__ = [
    "AnswerData", "Classifier", "Constraint", "LabelledData", "LoRALinear", "Pattern", "Template", "accuracy_by_order",
    "add_lora", "calibrated", "constrain", "freeze", "generate_matching", "json_shape", "label_log_probs", "lora_tensors",
    "merge_lora", "n_trainable", "restricted", "token_texts",
]  # fmt: skip
