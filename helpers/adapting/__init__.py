"""Adapting a trained model to a task: a head, LoRA, answers to learn from, prompts, and decoding that must match a pattern.

Derived in `08_adapting_and_applications.ipynb`; learning from preferences in `09_limits_and_outlook.ipynb`.
"""

from .classifier import Classifier, LabelledData, freeze
from .constrained import Constraint, constrain, generate_matching, json_shape, restricted, token_texts
from .instructions import AnswerData
from .lora import LoRALinear, add_lora, lora_tensors, merge_lora, n_trainable
from .preferences import PreferenceData, answer_log_probs, dpo_loss
from .prompts import Template, accuracy_by_order, calibrated, label_log_probs
from .regular import Pattern

__all__ = [
    "AnswerData", "Classifier", "Constraint", "LabelledData", "LoRALinear", "Pattern", "PreferenceData", "Template",
    "accuracy_by_order", "add_lora", "answer_log_probs", "calibrated", "constrain", "dpo_loss", "freeze", "generate_matching",
    "json_shape", "label_log_probs", "lora_tensors", "merge_lora", "n_trainable", "restricted", "token_texts",
]  # fmt: skip
