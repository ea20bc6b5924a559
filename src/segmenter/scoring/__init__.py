"""Ways of ranking customers: a module for each, called as its ``scoring=NAME``."""

from segmenter.scoring.reasons import with_reasons as with_reasons
from segmenter.scoring.scorer import WeightedScorer as WeightedScorer
from segmenter.scoring.scorer import fit_scorer as fit_scorer
