"""What stands just before a token, told to it at the input: one embedding table for each place back, as in the NNLM.

Attention can find a neighbour too, but has to learn where to look first. Derived in `05_attention.ipynb`.
"""

import torch
from torch import Tensor, nn


class RecentTokens(nn.Module):
    """ids (B, T) → Σ E_i[w_(t−i)] over the n tokens before each, (B, T, C); before a text stands its end token.

    A text that is read in parts goes on from `before`, the n ids that precede a part (B, n).
    """

    def __init__(self, vocab_size: int, n_embd: int, n: int, end: int):
        super().__init__()
        self.end = end
        self.tables = nn.ModuleList(nn.Embedding(vocab_size, n_embd) for _ in range(n))

    def forward(self, ids: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """→ the sums (B, T, C), and the last n ids (B, n), with which the next part goes on."""
        n, T = len(self.tables), ids.shape[1]
        if before is None:
            before = ids.new_full((len(ids), n), self.end)
        padded = torch.cat([before, ids], dim=1)  # (B, n + T)
        sums = sum(table(padded[:, n - i : n - i + T]) for i, table in enumerate(self.tables, start=1))
        return sums, padded[:, T:]
