"""Where a token stands: sinusoidal positions, which are added to the input, and rotary ones, which turn queries and keys.

Learned positions are a `torch.nn.Embedding` of their own. Derived in `05_attention.ipynb`. Sinusoidal: Vaswani et al.,
*Attention Is All You Need* (2017), section 3.5. Rotary: Su et al., *RoFormer* (2021).
"""

import torch
from torch import Tensor, nn


def angles(n_positions: int, width: int, base: float = 10_000.0) -> Tensor:
    """Position times frequency: (n_positions, width / 2), in radians; the frequencies fall from 1 to nearly 1 / base.

    Raises ValueError for an odd width: each frequency has two coordinates.
    """
    if width % 2 or width < 2:
        raise ValueError(f"each frequency turns two coordinates, so the width must be even, got {width}")
    frequencies = base ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.arange(n_positions, dtype=torch.float64)[:, None] * frequencies


def sinusoidal_positions(n_positions: int, width: int, layout: str = "interleaved", base: float = 10_000.0) -> Tensor:
    """A vector for each position: (n_positions, width) float32, sines and cosines of falling frequency.

    layout: "interleaved", sin and cos in turn, as in the paper; or "halves", all sines and then all cosines, as in Marian.
    """
    if layout not in ("interleaved", "halves"):
        raise ValueError(f"layout must be 'interleaved' or 'halves', got {layout!r}")
    angle = angles(n_positions, width, base)
    pair = (angle.sin(), angle.cos())
    table = torch.stack(pair, dim=-1).flatten(1) if layout == "interleaved" else torch.cat(pair, dim=-1)
    return table.float()


class Rotary(nn.Module):
    """Turns each pair of coordinates (i, i + D/2) by position × frequency, so that q · k depends on the distance only.

    head_width: D; block_size: how many positions there are. It has nothing to learn.
    """

    def __init__(self, head_width: int, block_size: int, base: float = 10_000.0):
        super().__init__()
        angle = angles(block_size, head_width, base)
        self.register_buffer("cos", torch.cat([angle.cos()] * 2, dim=-1).float(), persistent=False)  # (block_size, D)
        self.register_buffer("sin", torch.cat([-angle.sin(), angle.sin()], dim=-1).float(), persistent=False)

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """Queries or keys (…, T, D) of the positions start … start + T − 1 → the same, turned; ValueError past block_size."""
        n = x.shape[-2]
        if start + n > len(self.cos):
            raise ValueError(f"position {start + n - 1} is beyond the {len(self.cos)} of this model; take a larger block_size")
        cos, sin = self.cos[start : start + n], self.sin[start : start + n]
        partner = x.roll(x.shape[-1] // 2, dims=-1)  # the other coordinate of each one's pair
        return (x * cos + partner * sin).type_as(x)
