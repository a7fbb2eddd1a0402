"""The seven applications: their metrics, the baselines they must beat, and what they need besides a model.

Translation, summarisation, question answering, sentiment, text generation, code generation, data augmentation. What a library
measures, that library measures here; it is imported by the function that needs it, since scikit-learn, NLTK and SciPy take
seconds. Shares are from 0 to 1, BLEU and chrF from 0 to 100, as their fields report them. Introduced in
`08_adapting_and_applications.ipynb`.
"""

from .answering import AnswerScores, Found, Retriever, answer_scores, normalise_answer, token_f1
from .augmentation import Drawn, augment, draw_labelled, review_groups, synonym_swap
from .evaluator import Limits, evaluate_program, passes
from .generation import FactScores, Statement, distinct_n, fact_scores, statements
from .pass_rate import mean_pass_at_k, pass_at_k
from .sentiment import SentimentScores, bag_of_words, majority, sentiment_scores
from .summarisation import RougeScores, lead, rouge_scores
from .translation import TranslationScores, exact_match, translation_scores

__all__ = [
    "AnswerScores", "Drawn", "FactScores", "Found", "Limits", "Retriever", "RougeScores", "SentimentScores", "Statement",
    "TranslationScores", "answer_scores", "augment", "bag_of_words", "distinct_n", "draw_labelled", "evaluate_program",
    "exact_match", "fact_scores", "lead", "majority", "mean_pass_at_k", "normalise_answer", "pass_at_k", "passes",
    "review_groups", "rouge_scores", "sentiment_scores", "statements", "synonym_swap", "token_f1", "translation_scores",
]  # fmt: skip
