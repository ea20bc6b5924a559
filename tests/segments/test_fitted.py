import json
from datetime import date

import pytest

from segmenter.errors import InputError
from segmenter.segments.fitted import Fitted

SPRING = Fitted({"names": ["甲"], "edges": [0.1, 1e300]}, None, "春季", date(2026, 7, 1))


def test_comes_back_from_json_as_it_was() -> None:
    for fitted in (SPRING, Fitted(None, None)):
        assert Fitted.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


@pytest.mark.parametrize(
    "facts",
    [None, [], {}, 3, {"version": "1"}, SPRING.to_dict() | {"segments": []}, SPRING.to_dict() | {"as_of": "soon"}, {"version": 1}],
)
def test_says_that_a_file_is_damaged(facts: object) -> None:
    with pytest.raises(InputError, match=r"is not as `segmenter launch` wrote it.*segments\.from=new"):
        Fitted.from_dict(facts)


def test_says_that_a_file_is_of_another_version() -> None:
    with pytest.raises(InputError, match=r"should be of version 1 \(got 2\)"):
        Fitted.from_dict(SPRING.to_dict() | {"version": 2})
