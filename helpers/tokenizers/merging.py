"""Byte-pair encoding, the learning of it: merge the most frequent pair of neighbours, again and again.

Derived in `04_tokens_and_embeddings.ipynb` by counting all pairs anew before each merge. But a merge changes only the pairs
beside the places where it happens; so here these places are looked up, and only the counts beside them change. Gage, *A New
Algorithm for Data Compression* (1994); Sennrich, Haddow and Birch, *Neural Machine Translation of Rare Words with Subword
Units* (2016).
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

N_BYTES = 256  # ids below are the bytes themselves
EDGE, GONE = -1, -2  # no ids: between two words; a place whose token was merged into the one before it

Pair = tuple[int, int]


def learn_merges(words: Mapping[bytes, int], n_merges: int) -> list[Pair]:
    """The pairs of ids to merge, in order: how often each word occurs → at most n_merges pairs, fewer if none is left.

    The i-th merge makes token 256 + i. The most frequent pair comes first; among equals the one with the smallest ids, the
    left one compared before the right one. Pairs that overlap ("aaa" has two of "aa") all count.

    >>> learn_merges({b"low": 5, b"lot": 2, b"newt": 6}, 3)  # l+o is there 7 times, n+e 6 times, e+w 6 times
    [(108, 111), (101, 119), (110, 257)]
    """
    neighbours = _Neighbours(words)
    merges: list[Pair] = []
    while len(merges) < n_merges and (pair := neighbours.most_frequent()):
        neighbours.merge(pair, N_BYTES + len(merges))
        merges.append(pair)
    return merges


class _Neighbours:
    """All words in one row of places, linked to the next places in use; the count of each pair, and where its places are."""

    def __init__(self, words: Mapping[bytes, int]):
        self.ids = [EDGE]
        self.weight = [0]  # how often the word of this place occurs
        for word, n in words.items():
            self.ids += [*word, EDGE]
            self.weight += [n] * (len(word) + 1)
        self.before = list(range(-1, len(self.ids) - 1))
        self.after = list(range(1, len(self.ids) + 1))
        self.counts: dict[Pair, int] = defaultdict(int)
        self.places: dict[Pair, list[int]] = defaultdict(list)  # of the left token; some may be out of date
        for place, pair in enumerate(pairwise(self.ids)):
            if EDGE not in pair:
                self.counts[pair] += self.weight[place]
                self.places[pair].append(place)
        self.heap = [(-n, pair) for pair, n in self.counts.items()]
        heapq.heapify(self.heap)

    def most_frequent(self) -> Pair | None:
        """The pair to merge next. No count stands in the heap too low; one that stands too high is put right when it is met."""
        while self.heap:
            stated, pair = self.heap[0]
            n = self.counts.get(pair, 0)
            if n == -stated:
                return pair
            if n:
                heapq.heapreplace(self.heap, (-n, pair))
            else:
                heapq.heappop(self.heap)
        return None

    def merge(self, pair: Pair, new: int) -> None:
        """Put the token `new` wherever the pair stands, from left to right, and count the pairs that this makes and breaks."""
        ids, before, after, counts, places = self.ids, self.before, self.after, self.counts, self.places
        a, b = pair
        made = set()
        for i in sorted(places.pop(pair)):
            j = after[i]
            if ids[i] != a or ids[j] != b:
                continue  # an earlier merge took one of the two
            left, right, n = before[i], after[j], self.weight[i]
            ids[i], ids[j], after[i], before[right] = new, GONE, right, i
            if ids[left] != EDGE:
                counts[ids[left], a] -= n
                counts[ids[left], new] += n
                places[ids[left], new].append(left)
                made.add((ids[left], new))
            if ids[right] != EDGE:
                counts[b, ids[right]] -= n
                counts[new, ids[right]] += n
                places[new, ids[right]].append(i)
                made.add((new, ids[right]))
        del counts[pair]
        for pair in made:
            if counts[pair]:  # the next merge to the right may have broken it again
                heapq.heappush(self.heap, (-counts[pair], pair))
