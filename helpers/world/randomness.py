"""A random generator that gives the same numbers on every platform and every Python version.

SplitMix64 (Steele, Lea & Flood, *Fast splittable pseudorandom number generators*, 2014) on Python integers. The standard
library promises the same sequence for `random.random` only, not for `choices` or `randrange`; the corpus must never change.
"""

_MASK = (1 << 64) - 1


class SplitMix64:
    """A stream of random integers from a seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def bits64(self) -> int:
        """The next 64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """A uniform integer in [0, n), 1 ≤ n ≤ 2**64, by rejection, so that no remainder is favoured."""
        limit = (1 << 64) - (1 << 64) % n
        while (bits := self.bits64()) >= limit:
            pass
        return bits % n
