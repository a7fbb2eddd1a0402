"""Translation: how near to the reference it comes, by BLEU, chrF and exact match.

BLEU: Papineni et al., *BLEU: a Method for Automatic Evaluation of Machine Translation* (2002); chrF: Popović, *chrF: character
n-gram F-score for automatic MT evaluation* (2015); both as sacrebleu counts them: Post, *A Call for Clarity in Reporting BLEU
Scores* (2018). Introduced in `08_adapting_and_applications.ipynb`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ._checks import check_same_number, check_texts

TOKENIZERS = {"zh": "zh", "en": "13a", "de": "13a", "fr": "13a"}  # sacrebleu's; "zh" makes each Chinese character a token


@dataclass(frozen=True)
class TranslationScores:
    """`bleu` and `chrf` from 0 to 100 as the field reports them, `exact_match` a share; `signature`: how BLEU was counted."""

    bleu: float
    chrf: float
    exact_match: float
    signature: str


def translation_scores(hypotheses: Sequence[str], references: Sequence[str], language: str = "zh") -> TranslationScores:
    """Score translations into a language, one reference each, as one corpus.

    BLEU counts n-grams of 1 to 4 tokens over the whole corpus, so it is not the mean over sentences; chrF counts n-grams of 1
    to 6 characters without spaces. Scores are only comparable under the same signature. Raises ValueError for an unknown
    language, for no texts, and for lists that differ in length.
    """
    from sacrebleu.metrics import BLEU, CHRF  # takes its time, and only whoever translates needs it

    if language not in TOKENIZERS:
        raise ValueError(f"no tokenizer is known for language {language!r}; choose one of {', '.join(TOKENIZERS)}")
    hypotheses, references = check_texts(hypotheses, "hypotheses"), check_texts(references, "references")
    check_same_number("hypotheses", hypotheses, "references", references)
    bleu = BLEU(tokenize=TOKENIZERS[language], force=True)  # force: no warning where the sentences end in " ."
    return TranslationScores(
        bleu.corpus_score(hypotheses, [references]).score,
        CHRF().corpus_score(hypotheses, [references]).score,
        exact_match(hypotheses, references),
        str(bleu.get_signature()),
    )


def exact_match(predictions: Sequence[str], references: Sequence[str]) -> float:
    """Share of predictions that are their reference to the letter, spaces at the ends left out.

    Raises ValueError for no texts and for lists that differ in length.
    """
    predictions, references = check_texts(predictions, "predictions"), check_texts(references, "references")
    check_same_number("predictions", predictions, "references", references)
    return sum(p.strip() == r.strip() for p, r in zip(predictions, references, strict=True)) / len(references)
