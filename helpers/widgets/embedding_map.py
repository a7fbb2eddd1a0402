"""Embedding map: word vectors on a plane to look around in, with neighbours from the full space.

Used in `04_tokens_and_embeddings.ipynb`. Any V words with vectors of any width will do.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from helpers.widgets._base import PicturedWidget, script, visible
from helpers.widgets._map_picture import map_picture

GROUPS = 12  # at most: that many pairs of colour and shape can be told apart
SPAN = 10_000  # the map's coordinates are whole numbers from −SPAN to SPAN
WARNING = "A map of two axes cannot keep the distances of {C}: "
PROJECTED = (
    "what is close here may be far apart in the space; what is far apart here is so there too, since a projection only "
    "shortens. "
)
PLACED = "what is close here may be far apart in the space, and the other way round. "
NEIGHBOURS = "The neighbours are those of the full space."


class EmbeddingMap(PicturedWidget):
    """Words as points on their first two principal components: search, zoom, and choose one to see its nearest neighbours.

    vectors: (V, C), a row for each of `words` (V,). groups: name → words, drawn in a colour and a shape of their own. xy:
    (V, 2) coordinates to use in place of the principal components. Neighbours are the `n_neighbours` words with the largest
    cosine in all C dimensions. `selected` is the word chosen at first. Up to 5,000 words the map stays smooth.
    Raises ValueError for shapes that do not fit, numbers that are not finite, words that repeat, unknown or too many groups.
    """

    _esm = script("canvas.js", "map_drawing.js", "embedding_map.js")
    data = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        vectors: ArrayLike,
        words: Sequence[str],
        groups: Mapping[str, Iterable[str]] | None = None,
        *,
        title: str = "",
        xy: ArrayLike | None = None,
        selected: str | None = None,
        n_neighbours: int = 10,
    ):
        from helpers.embeddings import Embeddings, pca  # here: it loads torch, which the other widgets do without

        self._embeddings = Embeddings(words, vectors)
        self.words, vectors = self._embeddings.vocab, self._embeddings.vectors
        self.n_neighbours, self.title = n_neighbours, title
        self.groups = {name: [self._embeddings.row(word) for word in members] for name, members in (groups or {}).items()}
        if len(self.groups) > GROUPS:
            raise ValueError(f"got {len(self.groups)} groups; more than {GROUPS} cannot be told apart, so pass fewer")
        self.xy = pca(vectors) if xy is None else np.asarray(xy, dtype=float)
        if self.xy.shape != (len(self.words), 2) or not np.isfinite(self.xy).all():
            raise ValueError(f"xy must be ({len(self.words)}, 2), two finite numbers for each word, got shape {self.xy.shape}")
        total = np.var(vectors, axis=0, dtype=float).sum()
        self.variance_share = self.xy.var(axis=0) / max(total, 1e-300) if xy is None else None
        super().__init__()
        self.on_msg(lambda widget, content, buffers: self._receive(content))
        self.data = self._data()
        self.select(selected)

    @property
    def n_dimensions(self) -> int:
        """C, the number of dimensions of the full space."""
        return self._embeddings.vectors.shape[1]

    @property
    def selected(self) -> str | None:
        """The word whose neighbours are shown."""
        chosen = self.state["selected"]
        return None if chosen is None else self.words[chosen]

    def select(self, word: str | None) -> None:
        """Choose a word, or None; raises ValueError for one that is not on the map."""
        self._show(None if word is None else self._embeddings.row(word))

    def neighbours(self, word: str, k: int | None = None) -> list[tuple[str, float]]:
        """The k words with the largest cosine to this one in all C dimensions, and these cosines; `n_neighbours` without k."""
        return self._embeddings.neighbours(word, self.n_neighbours if k is None else k)

    def summary(self) -> str:
        """What is on the map and which word is chosen."""
        groups = f", {len(self.groups)} group{'s' if len(self.groups) > 1 else ''}" if self.groups else ""
        chosen = "" if self.selected is None else f", neighbours of {self.selected!r}"
        return f"{len(self.words):,} words in {self.n_dimensions} dimensions{groups}{chosen}"

    def picture(self) -> Figure:
        """The whole map, with the names of the groups' words and of the neighbours where there is room."""
        return map_picture(self.data, self.state)

    def _data(self) -> dict:
        """All that never changes."""
        low, high = self.xy.min(0), self.xy.max(0)
        points = (self.xy - (low + high) / 2) * (2 * SPAN / max((high - low).max(), 1e-300))  # one scale for both axes
        share = self.variance_share
        names = [] if share is None else [f"component {i + 1} ({100 * share[i]:.1f} % of the variance)" for i in (0, 1)]
        held = "" if share is None else f"The two axes hold {100 * sum(share):.1f} % of the variance. "
        return {
            "words": [visible(word) for word in self.words],
            "x": points[:, 0].round().astype(int).tolist(),
            "y": points[:, 1].round().astype(int).tolist(),
            "groups": [{"name": name, "members": members} for name, members in self.groups.items()],
            "title": self.title or f"{len(self.words):,} words in {self.n_dimensions} dimensions, seen in two",
            "axes": names,
            "warning": held + WARNING.format(C=self.n_dimensions) + (PLACED if share is None else PROJECTED) + NEIGHBOURS,
        }

    def _show(self, chosen: int | None) -> None:
        """Publish the word chosen and its neighbours: [row, cosine, which nearest it is on the map] for each."""
        rows, message = [], "Choose a word to see its nearest neighbours."
        if chosen is not None:
            shown = self.data["words"][chosen]
            rows, message = self._rows(chosen), f"Nearest to {shown} by cosine in all {self.n_dimensions} dimensions"
            if not self._embeddings.vectors[chosen].any():
                rows, message = [], f"The vector of {shown} is zero: it points nowhere and has no cosine."
        self.state = {"revision": self.state.get("revision", 0) + 1, "selected": chosen, "rows": rows, "message": message}

    def _rows(self, chosen: int) -> list[tuple[int, str, int]]:
        away = np.linalg.norm(self.xy - self.xy[chosen], axis=1)
        away[chosen] = np.inf
        found = [(self._embeddings.row(word), cosine) for word, cosine in self.neighbours(self.words[chosen])]
        return [(i, f"{cosine:.3f}", 1 + int((away < away[i]).sum())) for i, cosine in found]

    def _receive(self, content: object) -> None:
        """A word chosen in the browser."""
        if not isinstance(content, dict) or content.get("type") != "select":
            return
        chosen = content.get("id")
        if type(chosen) is int and 0 <= chosen < len(self.words):
            self._show(chosen)
