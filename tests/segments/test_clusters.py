from typing import Any

import numpy as np
from four_kinds import shop
from sklearn.metrics import adjusted_rand_score  # type: ignore[import-untyped]  # scikit-learn ships no types
from sklearn.utils.estimator_checks import parametrize_with_checks  # type: ignore[import-untyped]

from segmenter.segments import features
from segmenter.segments.clusters import Segmenter


@parametrize_with_checks([Segmenter(n_clusters=3, random_state=0)])  # type: ignore[untyped-decorator]
def test_keeps_the_contract_of_an_estimator(estimator: Segmenter, check: Any) -> None:
    check(estimator)


def test_the_estimator_does_not_see_units_and_counts_no_constant() -> None:
    frame, kind = shop(1_000)
    measures = features(frame)
    model = Segmenter(4, first_label=1, random_state=0).fit(measures)
    assert set(model.labels_.tolist()) == {1, 2, 3, 4}
    other_units = np.column_stack([measures * [100, 1, 24, 24, 100, 1], np.full(len(measures), 7.5)])
    again = Segmenter(4, first_label=1, random_state=0).fit(other_units)
    assert adjusted_rand_score(model.labels_, again.labels_) == 1
    assert adjusted_rand_score(kind, model.labels_) > 0.9
    assert np.ptp(again.scaled(other_units)[:, -1]) == 0
    turned = again.renumber([3, 1, 2, 4])
    assert turned.cluster_centers_.shape == (4, 7)
    assert (turned.predict(other_units)[model.labels_ == 3] == 1).all()
