"""The key–value cache: what earlier tokens offer, kept, so that a new token costs one row of attention and not the whole text.

Derived in `07_mini_gpt.ipynb`; the equality of cached and uncached attention is shown in `05_attention.ipynb`.
"""

from torch import Tensor


class KVCache:
    """Keys and values of one layer, up to `capacity` tokens; `len(cache)` says how many it holds. Not for training.

    `append` writes in place: a cache belongs to one continuation, and only the latest result of `append` is to be used.
    """

    def __init__(self, capacity: int):
        self.capacity, self.length = capacity, 0
        self.keys: Tensor | None = None  # (B, H, capacity, D), made when the first keys come
        self.values: Tensor | None = None

    def __len__(self) -> int:
        return self.length

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add new tokens' keys and values, (B, H, T, D) each → those of all tokens so far, (B, H, length, D) each.

        Raises ValueError where they do not fit, by number or by shape; the cache is then as before.
        """
        end = self.length + k.shape[-2]
        held = k if self.keys is None else self.keys
        if k.shape[:-1] != v.shape[:-1] or k.shape[:-2] != held.shape[:-2]:
            raise ValueError(
                f"keys {tuple(k.shape)} and values {tuple(v.shape)} must be of the same tokens, (B, H, T, D), and of "
                f"the batch and heads {tuple(held.shape[:-2])} that the cache holds"
            )
        if end > self.capacity:
            raise ValueError(f"the cache holds {self.length} of {self.capacity} tokens and cannot take {k.shape[-2]} more")
        if self.keys is None:
            self.keys = k.new_empty(*k.shape[:-2], self.capacity, k.shape[-1])
            self.values = v.new_empty(*v.shape[:-2], self.capacity, v.shape[-1])
        self.keys[..., self.length : end, :] = k.detach()
        self.values[..., self.length : end, :] = v.detach()
        self.length = end
        return self.read()

    def keep(self, rows: Tensor) -> None:
        """Drop all texts but these, (B,) indices."""
        if self.keys is not None:
            self.keys, self.values = self.keys[rows], self.values[rows]

    def read(self) -> tuple[Tensor, Tensor]:
        """The keys and values so far, (B, H, length, D) each; ValueError for an empty cache."""
        if self.keys is None:
            raise ValueError("the cache is empty; append keys and values first")
        return self.keys[..., : self.length, :], self.values[..., : self.length, :]
