"""What inviting by uplift brought, in words: the verdict follows the intervals, and each interval stands with its figure."""

import pytest

from segmenter.report.labels import Labels
from segmenter.report.uplift_report import uplift
from segmenter.scoring.ranking import RankingReport

GAIN = [123.456, -20.0, 200.0]
MODEL = {
    "launches": ["spring"],
    "customers": 4_000,
    "held_out": 400,
    "effect": GAIN,
    "qini": {"uplift": [50.0, 10.0, 90.0], "spend": GAIN},
    "better": [40.0, 5.0, 75.0],
    "tops": {"uplift": [GAIN] * 3, "spend": [GAIN] * 3},
}


def shown(lang="en", **change):
    (section,) = uplift(RankingReport(kind="uplift", horizon_days=30, model=MODEL | change), Labels(lang, "CNY"))
    return section


def test_other_rankings_show_nothing():
    assert uplift(RankingReport(kind="clv", horizon_days=30, model={"kind": "bg_nbd"}), Labels("en", "CNY")) == []


@pytest.mark.parametrize(
    ("change", "en", "zh"),
    [
        ({}, "clearly more than inviting by spend", "明显高于按消费额"),
        ({"better": GAIN}, "not clearly more than inviting by spend", "没有明显高于按消费额"),
        ({"qini": {"uplift": GAIN, "spend": GAIN}}, "no better than chance", "未必优于随机"),
    ],
)
def test_the_verdict_follows_the_intervals(change, en, zh):
    assert en in str(shown(**change).blocks[0])
    assert zh in str(shown("zh", **change).blocks[0])


def test_amounts_are_those_of_a_thousand_invitations():
    rows = shown().blocks[2].rows
    assert [row.cells[0].text for row in rows] == ["first 10 %", "first 20 %", "first 50 %", "all of them", "Qini"]
    for cell in rows[0].cells[1:]:
        assert cell.text.endswith("1,235")
        assert "−" in cell.small
    assert rows[-1].cells[1].text.endswith("500")
