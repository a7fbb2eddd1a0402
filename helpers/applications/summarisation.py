"""Summarisation: how much of a reference a summary shares, by ROUGE, and the first sentence as the baseline to beat.

Lin, *ROUGE: A Package for Automatic Evaluation of Summaries* (2004), as Google's rouge-score counts it. Introduced in
`08_adapting_and_applications.ipynb`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ._checks import check_same_number, check_texts

_SENTENCE = re.compile(r"\S.*?(?:[.!?]+[\"'”’)]*(?=\s|$)|$)", re.DOTALL)


@dataclass(frozen=True)
class RougeScores:
    """F1 from 0 to 1, averaged over texts: common words, common pairs of words, longest common subsequence of words."""

    rouge1: float
    rouge2: float
    rougeL: float


def rouge_scores(summaries: Sequence[str], references: Sequence[str], stem: bool = False) -> RougeScores:
    """ROUGE-1, -2 and -L of summaries, one reference each; case and punctuation do not count.

    English only: rouge-score's tokenizer drops every letter that is not a–z, so a reference that would lose letters is
    refused; in a summary, which a model wrote, they are left out. stem: compare words by their Porter stems. Raises ValueError
    for that, for no texts and for lists that differ in length.
    """
    from rouge_score.rouge_scorer import RougeScorer  # imports NLTK, a second or more

    summaries, references = check_texts(summaries, "summaries"), check_texts(references, "references")
    check_same_number("summaries", summaries, "references", references)
    for i, text in enumerate(references):
        lost = "".join(char for char in text if char.isalnum() and not char.isascii())
        if lost:
            raise ValueError(f"reference {i} has the letters {lost[:10]!r}, which ROUGE would drop: it is for English only")
    names = ("rouge1", "rouge2", "rougeL")
    scorer = RougeScorer(names, use_stemmer=stem)
    scores = [scorer.score(reference, summary) for summary, reference in zip(summaries, references, strict=True)]
    return RougeScores(*(sum(score[name].fmeasure for score in scores) / len(scores) for name in names))


def lead(text: str, n: int = 1) -> str:
    """The first n sentences of a text, or all of it where it has fewer: the baseline "lead-n" of news summarisation.

    A sentence ends at . ! or ? (with a closing quote, if any) before a space: `lead('He said: "Go!" She went.')` is
    `'He said: "Go!"'`. Abbreviations are not known. Raises ValueError where n is below 1.
    """
    if n < 1:
        raise ValueError(f"lead needs n of at least 1 sentence, got {n}")
    return " ".join(_SENTENCE.findall(text)[:n])
