from four_customers import frame, scored

from segmenter.scoring import weighted
from segmenter.scoring.ranking import score_of


def test_its_value_is_the_score_that_every_launch_has():
    scorer, done = scored()
    ranking = weighted.fit(frame(), scorer.settings, None, horizon_days=30, seed=1)
    assert ranking.values(frame()).tolist() == done["score"].to_list()
    assert ranking.values(frame().select(ranking.columns)).tolist() == done["score"].to_list()
    assert ranking.scores
    assert not ranking.expects_money
    (score,) = score_of(ranking, frame(), knots=256).columns_of(frame())
    assert score.equals(done["score"])
