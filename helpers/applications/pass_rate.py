"""Code generation: pass@k, the chance that at least one of k programs that a model writes does what was asked.

Chen et al., *Evaluating Large Language Models Trained on Code* (2021), §2.1. Whether a program does it, `evaluator` says.
Introduced in `08_adapting_and_applications.ipynb`.
"""

from collections.abc import Sequence

import numpy as np


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of pass@k for one task from n programs of which c are right: 1 − C(n − c, k) / C(n, k).

    That is the share of all sets of k of the n programs that hold a right one. Computed as a product of c factors between 0
    and 1, not from binomials, which grow beyond any float. (1 − (1 − c/n)^k, the tempting estimate, is too low on average.)
    Raises ValueError unless 0 ≤ c ≤ n and 1 ≤ k ≤ n.
    """
    if not 0 <= c <= n:
        raise ValueError(f"of {n} programs {c} cannot be right; c must lie between 0 and n")
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} cannot be told from {n} programs; draw at least k, and k must be at least 1")
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def mean_pass_at_k(right: Sequence[Sequence[bool]], k: int) -> float:
    """pass@k averaged over tasks: for each task, whether each of its programs was right → a share from 0 to 1.

    Raises ValueError for no tasks, and as `pass_at_k` does.
    """
    if not len(right):
        raise ValueError("there are no tasks to average over")
    return sum(pass_at_k(len(task), int(sum(task)), k) for task in right) / len(right)
