from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import beta

from segmenter.demo.calls import call_month
from segmenter.demo.shop import simulate
from segmenter.planning.join_chances import learn_join_chances
from segmenter.tables import INVITED, REACHED

AS_OF = date(2026, 7, 1)


def launch(name, answers, *, scores=50.0, ends_on=date(2026, 6, 1), status="planned"):
    rows = {"launch": name, "ends_on": ends_on, "customer_id": [f"{name}{n}" for n in range(len(answers))], "answer": answers}
    frame = pl.DataFrame(rows, schema_overrides={"answer": pl.String}).with_columns(status=pl.lit(status, pl.String), score=pl.lit(scores))
    return frame.select(name if name in frame.columns else pl.lit(None, dtype).alias(name) for name, dtype in INVITED.items())


def learned(*launches):
    return learn_join_chances(pl.concat(launches), as_of=AS_OF, chance=0.3, evidence=20)


def rate(name, joined, asked, **more):
    return launch(name, ["joined"] * joined + ["refused"] * (asked - joined), **more)


def test_before_any_answer_the_chance_is_the_guess():
    for known in (None, launch("spring", [None] * 50), launch("spring", ["joined"] * 50, status="held_out")):
        chances = learn_join_chances(known, as_of=AS_OF, chance=0.3, evidence=20)
        assert (chances.mean, chances.evidence, chances.asked) == (0.3, 20, 0)
        assert chances.chance(pl.Series([0.0, 55.0, 100.0, None])).to_list() == pytest.approx([0.3] * 4)
        assert chances.note().code == "planning.join_chance_guessed"
        assert "30 %" in chances.note()


def test_who_was_asked():
    answers = ["joined"] * 3 + ["not_reached", "refused", "refused_for_good"] + [None] * 4
    over, running = learned(launch("spring", answers)), learned(launch("summer", answers, ends_on=date(2026, 7, 2)))
    assert (over.called, over.reached, over.asked, over.joined, running.asked, running.joined) == (6, 5, 6, 3, 6, 3)
    unasked = learned(launch("spring", answers), launch("zero", ["joined"] * 9, status=None), launch("one", ["joined"], status="held_out"))
    assert unasked == over
    assert over.note().facts.items() >= {"called": 6, "reached": 5, "joined": 3, "launches": 1}.items()


def test_where_lists_note_only_who_joined_everybody_was_asked_whose_day_has_come():
    answers = ["joined"] * 3 + [None] * 7
    over = learned(launch("spring", answers))
    assert (over.asked, over.joined, over.called) == (10, 3, None)
    assert over.note().code == "planning.join_chance_learned"
    days = pl.Series([date(2026, 6, 20)] * 8 + [date(2026, 7, 9)] * 2)
    assert learned(launch("spring", answers, ends_on=date(2026, 7, 20)).with_columns(planned_at=days)).asked == 8
    both = learned(launch("spring", answers), launch("summer", ["joined", "not_reached"]))
    assert (both.asked, both.joined, both.called) == (12, 4, None)


def test_who_has_not_decided_is_neither_asked_nor_joined_until_the_launch_is_over():
    answers = (
        ["joined"] * 30 + ["refused"] * 30 + ["agreed"] * 15 + ["thinking", "call_back"] * 10 + ["not_reached"] * 15 + ["wrong_number"] * 5
    )
    running, over = (learned(launch("spring", answers, ends_on=ends)) for ends in (date(2026, 7, 2), date(2026, 7, 1)))
    assert (over.called, over.reached, over.asked, over.joined) == (115, 95, 115, 30)
    # 60 have decided, and 95 of 115 are reached: 72.6 calls for them.
    assert (running.called, running.reached, running.asked, running.joined) == (115, 95, 73, 30)
    assert learned(launch("spring", ["not_reached"] * 9, ends_on=date(2026, 7, 2))).note().code == "planning.join_chance_guessed"
    later = pl.int_range(pl.len()).is_between(60, 74)  # who agreed, and was not reached again
    again = launch("spring", answers).with_columns(
        answer=pl.when(later).then(pl.lit("not_reached")).otherwise("answer"), calls=pl.when(later).then(2), missed=pl.when(later).then(1)
    )
    assert learned(again) == over


@pytest.mark.parametrize("days", [0, 5])
def test_the_chance_is_that_of_an_invitation_while_a_launch_runs_and_after(days):
    """Of 70 % who are reached 40 % join; of the others half refuse, and half have not decided."""
    rng = np.random.default_rng(2)
    said = rng.choice(["joined", "refused", "not_reached"], 4_000, p=[0.28, 0.42, 0.3])
    undecided = (rng.random(4_000) < 0.5) & (said != "not_reached") & (days > 0)
    answers = np.where(undecided, "thinking", said).tolist()
    assert learned(launch("spring", answers, ends_on=date(2026, 7, 1 + days))).mean == pytest.approx(0.28, abs=0.02)


def test_no_number_of_answers_to_one_launch_makes_the_next_one_certain():
    few, many, endless = (learned(rate("spring", n // 2, n)) for n in (20, 2_000, 200_000))
    assert 20 < few.evidence < many.evidence < endless.evidence < 1.1 * many.evidence
    assert 0.3 < few.mean < many.mean < endless.mean < 0.5
    alike = learned(*(rate(f"l{n}", joined, 2_000) for n, joined in enumerate((1000, 960, 1010, 1030, 980))))
    unlike = learned(*(rate(f"l{n}", joined, 2_000) for n, joined in enumerate((1000, 560, 1410, 1330, 680))))
    assert unlike.evidence < many.evidence < alike.evidence
    assert alike.launches == 5
    assert alike.asked == 10_000
    assert alike.mean == pytest.approx(0.4980, abs=0.01)


@pytest.mark.slow
def test_the_next_rate_is_where_it_is_said_to_be():
    """In worlds drawn as the model has them, every tenth of the posterior is hit equally often."""
    rng = np.random.default_rng(3)
    places = []
    for world in range(250):
        # Launches as alike as the module assumes; the common rate is drawn so that the next launch's is Beta(6, 14), nearly.
        alike = 500 * np.exp(rng.normal())
        common = rng.beta(0.3 * 21, 0.7 * 21)
        rates = rng.beta(common * alike, (1 - common) * alike, 1 + world % 4)
        past = [rate(f"l{n}", int(rng.binomial(300, each)), 300) for n, each in enumerate(rates[:-1])]
        chances = learn_join_chances(pl.concat(past) if past else None, as_of=AS_OF, chance=0.3, evidence=20)
        places.append(beta.cdf(rates[-1], chances.mean * chances.evidence, (1 - chances.mean) * chances.evidence))
    below = [(np.array(places) < edge).mean() for edge in (0.1, 0.5, 0.9)]
    assert below == pytest.approx([0.1, 0.5, 0.9], abs=0.05)


def test_bins_have_their_own_rates_and_are_not_blamed_for_their_launches():
    chances = learned(rate("a", 900, 1000, scores=95.0), rate("b", 300, 1000, scores=95.0), rate("b2", 300, 1000, scores=15.0))
    top, low, never, nobody = chances.chance(pl.Series([99.0, 12.0, 55.0, None]))
    assert top == pytest.approx(low, abs=0.01)  # in each launch all were alike
    assert never == pytest.approx(nobody, abs=0.01)
    one = learned(pl.concat([rate("a", 600, 1000, scores=95.0), rate("a", 200, 1000, scores=15.0), rate("a", 1, 1, scores=55.0)]))
    top, low, once, nobody = one.chance(pl.Series([100.0, 12.0, 55.0, None]))
    assert (top, low) == pytest.approx((nobody + 0.2, nobody - 0.2), abs=0.02)
    assert nobody < once < nobody + 0.05
    draws = one.draws(np.random.Generator(np.random.PCG64(1)), 4_000)
    assert draws.mean(axis=0)[[9, 1, 10]] == pytest.approx([top, low, nobody], abs=0.01)
    assert draws[:, 10].std() == pytest.approx((nobody * (1 - nobody) / (one.evidence + 1)) ** 0.5, rel=0.05)
    assert (draws[:, 9] > draws[:, 1]).mean() > 0.99  # launches vary, but alike for all scores


def test_the_order_of_rows_does_not_matter():
    known = pl.concat([rate("a", 30, 100, scores=95.0), rate("b", 10, 77, scores=15.0), rate("c", 9, 31, scores=55.0)])
    assert learned(known) == learned(known.sample(fraction=1, shuffle=True, seed=2))


def test_while_a_launch_runs_the_willing_who_are_reached_more_easily_are_not_taken_for_less_willing():
    def called(joined, refused, thinking, missed):
        return ["joined"] * joined + ["refused"] * refused + ["thinking"] * thinking + ["not_reached"] * missed

    answers = called(300, 150, 450, 100) + called(50, 200, 250, 500)  # 60 and 10 % of all, were all of those reached to decide so
    scores = pl.Series([95.0] * 1_000 + [15.0] * 1_000)
    known = launch("spring", answers, ends_on=date(2026, 8, 1)).with_columns(score=scores)
    assert learned(known).chance(pl.Series([95.0, 15.0])).to_list() == pytest.approx([0.6, 0.1], abs=0.02)


@pytest.mark.slow
def test_what_is_learned_of_the_demo_s_calls_holds_its_truth():
    off = []
    for seed in range(6):
        shop = simulate(3_000, 200, AS_OF, seed)
        asked = shop.truth.sample(400, seed=seed).sort("customer_id").select("customer_id", call_on=pl.lit(AS_OF))

        def month(draw: int, truth=shop.truth, asked=asked):
            calls = call_month(truth, asked, AS_OF, 30, attempts=3, seed=draw)
            said = pl.coalesce(pl.col("answer").filter(pl.col("answer").is_in(REACHED)).last(), pl.col("answer").last())
            joined = pl.col("joins_on").is_not_null().any()
            return (
                calls.sort("called_on").group_by("customer_id").agg(pl.when(joined).then(pl.lit("joined")).otherwise(said).alias("answer"))
            )

        known = launch("demo", month(seed).sort("customer_id")["answer"].to_list())
        found = learn_join_chances(known, as_of=AS_OF, chance=0.3, evidence=20)
        truth = np.mean([month(100 + draw).filter(answer="joined").height / 400 for draw in range(5)])
        low, high = beta.ppf([0.025, 0.975], found.mean * found.evidence, (1 - found.mean) * found.evidence)
        assert low < truth < high
        off.append(found.mean - truth)
    assert abs(np.mean(off)) < 0.03  # of one launch the guess, 0.3, still has its say
