"""Ways of ranking customers."""

from segmenter.scoring.reasons import with_reasons as with_reasons
from segmenter.scoring.weighted import WeightedScorer as WeightedScorer
from segmenter.scoring.weighted import fit_scorer as fit_scorer
