"""Weight-only quantisation: a matrix as small whole numbers and a scale for each row, or for each group of inputs.

Symmetric and rounded to nearest: w ≈ code · scale, the scale being the largest |w| of its group over the largest code. It saves
memory, not time: a layer makes its matrix anew from the codes whenever it is used. Only a kernel that does both at once could
save time as well. Derived in `09_limits_and_outlook.ipynb`. Dettmers et al., *LLM.int8(): 8-bit Matrix Multiplication for
Transformers at Scale* (2022); Dettmers and Zettlemoyer, *The case for 4-bit precision: k-bit Inference Scaling Laws* (2023).
"""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BITS = (8, 4)


class Quantised(nn.Module):
    """A matrix (out, in) as codes and scales; a module, so that two layers can share it, and it moves with their model.

    stored: (out, in) int8, or with 4 bits (out, ⌈in / 2⌉) uint8, two codes a byte; scales: (out, groups) float16.
    """

    def __init__(self, codes: Tensor, scales: Tensor, bits: int):
        super().__init__()
        self.bits, self.shape = bits, tuple(codes.shape)
        self.register_buffer("stored", pack(codes) if bits == 4 else codes)
        self.register_buffer("scales", scales)

    @property
    def codes(self) -> Tensor:
        """The whole numbers: (out, in) int8, from −(2^(bits − 1) − 1) to 2^(bits − 1) − 1."""
        return unpack(self.stored, self.shape[1]) if self.bits == 4 else self.stored

    @property
    def nbytes(self) -> int:
        """Bytes that codes and scales take."""
        return self.stored.nbytes + self.scales.nbytes

    def dequantised(self, rows: Tensor | None = None) -> Tensor:
        """The matrix that the codes stand for: (out, in) float32; rows: (…,) only these rows of it, (…, in)."""
        stored, scales = (self.stored, self.scales) if rows is None else (self.stored[rows], self.scales[rows])
        codes = unpack(stored, self.shape[1]) if self.bits == 4 else stored
        groups = codes.float().unflatten(-1, (scales.shape[-1], -1))  # (…, groups, inputs of a group)
        return (groups * scales.float()[..., None]).flatten(-2)


@torch.no_grad()
def quantise(weight: Tensor, bits: int, group: int | None = None) -> Quantised:
    """Round a matrix (out, in) to codes of 8 or 4 bits; group: how many neighbouring inputs share a scale (None: the row).

    No weight is off by more than half its scale, float16's own rounding apart. Raises ValueError for other bits, a group that
    does not divide the inputs, what is no matrix, weights that are not finite, or so large that float16 cannot hold a scale.
    """
    check_choice(bits, group)
    if weight.ndim != 2 or not weight.numel():
        raise ValueError(f"expected a matrix (out, in), got shape {tuple(weight.shape)}; only matrices are quantised")
    if weight.shape[1] % (group or 1):
        raise ValueError(f"group is {group} but a row has {weight.shape[1]} inputs; take a divisor of that, or None")
    groups = weight.detach().float().unflatten(1, (-1, group or weight.shape[1]))  # (out, groups, inputs of a group)
    largest = 2 ** (bits - 1) - 1
    scales = (groups.abs().amax(dim=-1) / largest).half()  # (out, groups)
    if not scales.isfinite().all():
        raise ValueError(
            f"weights must be finite, and at most {largest} · 65504 in size, so that float16 can hold their scale; the largest "
            f"|weight| is {weight.abs().max().item()}"
        )
    divisors = torch.where(scales == 0, 1.0, scales.float())[..., None]  # a group of zeros has scale 0, and codes 0
    codes = (groups / divisors).round().clamp(-largest, largest).to(torch.int8).flatten(1)
    return Quantised(codes, scales, bits)


def check_choice(bits: int, group: int | None) -> None:
    """ValueError for bits other than 8 and 4, and for a group that is no whole number of at least 1."""
    if bits not in BITS:
        raise ValueError(f"bits must be 8 or 4, got {bits!r}")
    if group is not None and not (isinstance(group, int) and group >= 1):
        raise ValueError(f"group must be a whole number of at least 1, or None for one scale a row, got {group!r}")


def pack(codes: Tensor) -> Tensor:
    """Two codes from −8 to 7 a byte, the first in the lower half: (…, n) int8 → (…, ⌈n / 2⌉) uint8."""
    nibbles = F.pad(codes, (0, codes.shape[-1] % 2)).to(torch.uint8) & 15  # two's complement: −1 is 15
    return nibbles[..., 0::2] | (nibbles[..., 1::2] << 4)


def unpack(packed: Tensor, n: int) -> Tensor:
    """The first n codes of each row again: (…, ⌈n / 2⌉) uint8 → (…, n) int8."""
    nibbles = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2)[..., :n].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles)


class QuantisedLinear(nn.Module):
    """x W⊤ + b with W from its codes: x (…, in) → (…, out). The bias stays as it was. In use W exists whole, for a moment."""

    def __init__(self, quantised: Quantised, bias: nn.Parameter | None = None):
        super().__init__()
        self.quantised, self.bias = quantised, bias
        self.out_features, self.in_features = quantised.shape

    @classmethod
    def from_linear(cls, linear: nn.Linear, bits: int, group: int | None = None) -> "QuantisedLinear":
        """A linear layer with its matrix quantised; ValueError as for `quantise`."""
        return cls(quantise(linear.weight, bits, group), linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    @property
    def weight(self) -> Tensor:
        """The matrix that the codes stand for: (out, in) float32, made anew."""
        return self.quantised.dequantised()


class QuantisedEmbedding(nn.Module):
    """A table with its rows quantised: ids (…,) → vectors (…, C); only the rows that are asked for are made."""

    def __init__(self, quantised: Quantised):
        super().__init__()
        self.quantised = quantised
        self.num_embeddings, self.embedding_dim = quantised.shape

    def forward(self, ids: Tensor) -> Tensor:
        return self.quantised.dequantised(ids)

    @property
    def weight(self) -> Tensor:
        """The whole table that the codes stand for: (V, C) float32, made anew."""
        return self.quantised.dequantised()


def quantise_model(model: nn.Module, bits: int, group: int | None = 32, skip: Iterable[str] = ()) -> nn.Module:
    """A copy of the model in which every linear layer and every embedding is quantised; all else stays as it is.

    A matrix that is used twice (a tied head) is quantised once and shared. skip: layers to leave as they are, by any whole part
    of their names, such as "head", "blocks.0" or "query"; with one of two tied layers the other is left too. The copy can do
    all that the model can, except learn these matrices, or be written by `save_model`: save the model, and quantise it again.
    Raises ValueError as `quantise` does, naming the layer, for a name in skip that no layer has, and where no layer is left.
    """
    check_choice(bits, group)
    skip = (skip,) if isinstance(skip, str) else tuple(skip)
    found = copy.deepcopy(model)
    layers = {
        name: layer for name, layer in found.named_modules(remove_duplicate=False)
        if name and isinstance(layer, nn.Linear | nn.Embedding)
    }  # fmt: skip
    for part in skip:
        if not any(_has(name, part) for name in layers):
            raise ValueError(f"no linear layer or embedding has {part!r} in its name; there are {', '.join(layers)}")
    left = {layer.weight for name, layer in layers.items() if any(_has(name, part) for part in skip)}
    layers = {name: layer for name, layer in layers.items() if layer.weight not in left}
    if not layers:
        raise ValueError(f"{type(model).__name__} has no linear layer or embedding inside, or all are in skip")
    shared: dict[Tensor, Quantised] = {}  # by the matrix itself: tensors are compared by identity as keys
    for name, layer in layers.items():
        try:
            quantised = shared.get(layer.weight) or shared.setdefault(layer.weight, quantise(layer.weight, bits, group))
        except ValueError as error:
            raise ValueError(f"{name} cannot be quantised: {error}; or leave the layer out: skip=[{name!r}]") from error
        parent, _, last = name.rpartition(".")
        new = QuantisedEmbedding(quantised) if isinstance(layer, nn.Embedding) else QuantisedLinear(quantised, layer.bias)
        setattr(found.get_submodule(parent), last, new)
    return found


def model_bytes(model: nn.Module) -> int:
    """Bytes of all parameters and buffers, each once: 4 for a float32, 2 for a float16, 1 for a byte of codes."""
    return sum(tensor.nbytes for tensors in (model.parameters(), model.buffers()) for tensor in tensors)


def _has(name: str, part: str) -> bool:
    return f".{part}." in f".{name}."
