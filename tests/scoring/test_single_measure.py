import polars as pl
import pytest

from segmenter.scoring.decayed import BY_DECAYED
from segmenter.scoring.recency import BY_RECENCY
from segmenter.scoring.spend import BY_SPEND


@pytest.mark.parametrize(
    ("ranking", "values"), [(BY_SPEND, [-7, 0, 10**15]), (BY_DECAYED, [-3, 0, 4]), (BY_RECENCY, [-(1 << 20), -40, -1])]
)
def test_values(ranking, values):
    frame = pl.DataFrame({"spend_window": [-7, 0, 10**15], "decayed_spend": [-3, 0, 4], "days_since_order": [None, 40, 1]})
    assert ranking.values(frame).tolist() == values
    assert ranking.values(frame.select(ranking.columns)).tolist() == values
    assert ranking.values(frame.head(0)).tolist() == []
