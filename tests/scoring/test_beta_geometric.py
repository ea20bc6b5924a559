from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.scoring import beta_geometric
from segmenter.scoring.beta_geometric import BetaGeometric, fit_beta_geometric
from segmenter.scoring.likelihood import NoMaximumError
from segmenter.scoring.negative_binomial import fit_nbd

KINDS = ["bg_nbd", "mbg_nbd"]
START, CUT, END = date(1997, 1, 1), date(1997, 9, 30), date(1998, 6, 30)


@pytest.fixture(scope="module")
def cdnow(data_dir):
    """x, t_x, T in weeks up to the cut, and the purchase days after it, as Fader, Hardie and Lee count them."""
    days = pl.read_parquet(data_dir / "cdnow_sample.parquet").select("sample_id", "date").unique()
    past = pl.col("date").filter(pl.col("date") <= CUT)
    return (
        days.group_by("sample_id")
        .agg(x=past.len() - 1, t_x=(past.max() - past.min()).dt.total_days() / 7, T=(CUT - past.min()).dt.total_days() / 7, later=(pl.col("date") > CUT).sum())
        .sort("sample_id")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "parameters", "log_likelihood"),
    [("bg_nbd", (0.2426, 4.4136, 0.7929, 2.4259), -9582.43), ("mbg_nbd", (0.5248, 6.1830, 0.8914, 1.6140), -9582.13)],
)
def test_published_parameters(cdnow, kind, parameters, log_likelihood):
    model = fit_beta_geometric(cdnow["x"], cdnow["t_x"], cdnow["T"], kind=kind)
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx(parameters, abs=1e-4)
    assert model.log_likelihood == pytest.approx(log_likelihood, abs=0.01)
    assert list(model.standard_errors) == ["r", "alpha", "a", "b"]


def test_published_predictions(cdnow):
    model = fit_beta_geometric(cdnow["x"], cdnow["t_x"], cdnow["T"], kind="bg_nbd")
    assert model.expected([2], [30.43], [38.86], 39)[0] == pytest.approx(1.226, abs=5e-4)
    assert round(model.expected(cdnow["x"], cdnow["t_x"], cdnow["T"], 39).sum()) == 1653
    assert cdnow["later"].sum() == 1882


@pytest.mark.filterwarnings("ignore")  # what lifetimes and autograd say about themselves
@pytest.mark.parametrize(("kind", "name"), [("bg_nbd", "BetaGeoFitter"), ("mbg_nbd", "ModifiedBetaGeoFitter")])
def test_lifetimes_agrees(cdnow, kind, name):
    import lifetimes

    columns = [cdnow[column].to_numpy().astype(float) for column in ("x", "t_x", "T")]
    theirs = getattr(lifetimes, name)().fit(*columns)
    ours = fit_beta_geometric(*columns, kind=kind)
    for parameter, value in theirs.params_.items():
        assert getattr(ours, parameter) == pytest.approx(value, rel=1e-3)
        assert ours.standard_errors[parameter] == pytest.approx(theirs.standard_errors_[parameter], rel=1e-2)
    x, t_x, known = columns
    np.testing.assert_allclose(ours.expected(x, t_x, known, 26), theirs.predict(26, x, t_x, known), rtol=2e-3)
    np.testing.assert_allclose(ours.alive(x, t_x, known), theirs.conditional_probability_alive(x, t_x, known), rtol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_likelihood(kind):
    x, t_x, known = simulated(500, seed=1)
    early = int(kind == "mbg_nbd")
    objective = beta_geometric._objective(x, t_x / known.max(), known / known.max(), early)
    random = np.random.default_rng(2)
    for log in random.uniform(-2, 2, (10, 4)):
        step = 1e-5
        differences = [(objective(log + shift)[0] - objective(log - shift)[0]) / (2 * step) for shift in step * np.eye(4)]
        value, gradient = objective(log)
        assert value == pytest.approx(plain_log_likelihood(x, t_x / known.max(), known / known.max(), *np.exp(log), early), rel=1e-12)
        np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8)


def plain_log_likelihood(x, t_x, known, r, alpha, a, b, early):
    """As the papers have it, one customer after the other; minus the mean."""
    from math import exp, lgamma, log, log1p

    total = 0.0
    for count, last, end in zip(x.tolist(), t_x.tolist(), known.tolist(), strict=True):
        chances = count + early
        total += lgamma(r + count) - lgamma(r) + r * log(alpha) - (r + count) * log(alpha + end)
        total += lgamma(a + b) + lgamma(b + chances) - lgamma(b) - lgamma(a + b + chances)
        if chances:
            total += log1p(a / (b + chances - 1) * exp((r + count) * (log(alpha + end) - log(alpha + last))))
    return -total / len(x)


def simulated(customers, seed, r=0.5, alpha=20.0, a=0.8, b=2.4):
    """Draw customers as BG/NBD has them, known for up to two years of whole days."""
    random = np.random.default_rng(seed)
    rates, leaves, known = random.gamma(r, 1 / alpha, customers), random.beta(a, b, customers), random.integers(0, 730, customers)
    x, t_x = np.zeros(customers, np.int64), np.zeros(customers)
    for row in range(customers):
        time = np.ceil(random.exponential(1 / rates[row])) if rates[row] > 1e-6 else np.inf
        while time <= known[row]:
            x[row], t_x[row] = x[row] + 1, time
            time = np.inf if random.random() < leaves[row] else time + np.ceil(random.exponential(1 / rates[row]))
    return x, t_x, known.astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_the_rows_changes_nothing_and_equal_rows_are_weights(kind, monkeypatch):
    x, t_x, known = simulated(3_000, seed=3)
    model = fit_beta_geometric(x, t_x, known, kind=kind)
    mixed = np.random.default_rng(4).permutation(len(x))
    assert fit_beta_geometric(x[mixed], t_x[mixed], known[mixed], kind=kind) == model
    assert (model.expected(x[mixed], t_x[mixed], known[mixed], 30) == model.expected(x, t_x, known, 30)[mixed]).all()
    assert (model.alive(x[mixed], t_x[mixed], known[mixed]) == model.alive(x, t_x, known)[mixed]).all()
    alone = [model.expected(x[row : row + 1], t_x[row : row + 1], known[row : row + 1], 30)[0] for row in range(50)]
    assert model.expected(x, t_x, known, 30)[:50].tolist() == alone
    weeks = fit_beta_geometric(x, t_x / 7, known / 7, kind=kind)
    for seed in range(20):  # the sum of weeks differs in some of these orders, in its last digit
        mixed = np.random.default_rng(seed).permutation(len(x))
        assert fit_beta_geometric(x[mixed], t_x[mixed] / 7, known[mixed] / 7, kind=kind) == weeks
    # Twice the customers: the same parameters, errors smaller by √2.
    twice = fit_beta_geometric(*(np.repeat(column, 2) for column in (x, t_x, known)), kind=kind)
    assert twice.log_likelihood == pytest.approx(2 * model.log_likelihood, rel=1e-12)
    assert twice.standard_errors["a"] == pytest.approx(model.standard_errors["a"] / np.sqrt(2), rel=1e-4)
    monkeypatch.setattr(beta_geometric, "_KEYS", 0)  # not grouped at all
    plain = fit_beta_geometric(x[mixed], t_x[mixed], known[mixed], kind=kind)
    assert plain == fit_beta_geometric(x, t_x, known, kind=kind)
    assert [plain.r, plain.alpha, plain.a, plain.b] == pytest.approx([model.r, model.alpha, model.a, model.b], rel=1e-4)


def test_the_unit_of_time_changes_nothing_else():
    x, t_x, known = simulated(3_000, seed=3)
    days, weeks = fit_beta_geometric(x, t_x, known, kind="mbg_nbd"), fit_beta_geometric(x, t_x / 7, known / 7, kind="mbg_nbd")
    assert weeks.alpha * 7 == pytest.approx(days.alpha, rel=1e-5)
    assert weeks.log_likelihood == pytest.approx(days.log_likelihood + x.sum() * np.log(7))
    np.testing.assert_allclose(weeks.expected(x, t_x / 7, known / 7, 30 / 7), days.expected(x, t_x, known, 30), rtol=1e-4)


def test_parameters_come_back_from_customers_that_have_them():
    model = fit_beta_geometric(*simulated(8_000, seed=5), kind="bg_nbd")
    for name, true in {"r": 0.5, "a": 0.8, "b": 2.4}.items():  # α a little more than 20: purchases come on whole days
        assert abs(getattr(model, name) - true) < 4 * model.standard_errors[name]


@pytest.mark.parametrize("kind", KINDS)
def test_where_nobody_is_seen_to_go_the_limit_is_fitted(kind):
    x, t_x, known = simulated(2_000, seed=3, r=0.8, a=1e-6)
    model = fit_beta_geometric(x, t_x, known, kind=kind)
    assert (model.kind, model.a, model.b) == ("nbd", 0.0, np.inf)
    unit = known.max()
    plain = fit_nbd(x, known / unit)
    assert (model.r, model.alpha / unit) == pytest.approx(tuple(plain.parameters.values()))
    assert (model.standard_errors["r"], model.standard_errors["alpha"] / unit) == pytest.approx(tuple(plain.standard_errors.values()))
    # It is the limit: the same likelihood and expectations as with next to no p, and more p is less likely.
    early, log = int(kind == "mbg_nbd"), np.log([model.r, model.alpha / unit])
    objective = beta_geometric._objective(x, t_x / unit, known / unit, early)
    values = [objective(np.append(log, np.log([a, b])))[0] for a, b in ((1e-6, 1e3), (1e-3, 1e3), (1e-3, 1.0), (1.0, 1e3), (1.0, 3.0))]
    in_unit = plain.log_likelihood / len(x)
    assert values[0] == pytest.approx(-in_unit, abs=1e-7)
    assert min(values[1:]) > -in_unit
    assert model.log_likelihood == pytest.approx(plain.log_likelihood - x.sum() * np.log(unit))
    almost = BetaGeometric(kind, model.r, model.alpha, 1e-7, 10.0, {}, 0.0)
    np.testing.assert_allclose(model.expected(x, t_x, known, 90), almost.expected(x, t_x, known, 90), rtol=1e-5)
    np.testing.assert_allclose(model.expected(x, t_x, known, 90), (model.r + x) / (model.alpha + known) * 90)
    assert (model.alive(x, t_x, known) == 1).all()
    mixed = np.random.default_rng(4).permutation(len(x))
    weeks = [column / 7 for column in (t_x, known)]
    of_weeks = fit_beta_geometric(x, *weeks, kind=kind)
    assert fit_beta_geometric(x[mixed], *(column[mixed] for column in weeks), kind=kind) == of_weeks
    assert of_weeks.alpha * 7 == pytest.approx(model.alpha, rel=1e-6)


def test_the_limit_is_not_taken_for_a_search_that_ended_elsewhere():
    x, _, known = simulated(2_000, seed=3, r=0.8, a=1e-6)
    known /= known.max()
    highest = fit_nbd(x, known).log_likelihood
    why = Message("test.why", "stuck")
    stuck = NoMaximumError(why, {"a": 1.0, "b": 3.0}, highest - 100)
    better = NoMaximumError(why, {"a": 1e-3, "b": 0.2}, highest + 0.1)  # some go at once, the others never
    assert beta_geometric._nobody_goes(x, known, stuck) is beta_geometric._nobody_goes(x, known, better) is None
    assert beta_geometric._nobody_goes(x, known, NoMaximumError(why, {"a": 1e-3, "b": 0.2}, highest - 0.1)).log_likelihood == highest


parameters = st.floats(-3, 3).map(lambda power: 10**power)
near_poles = st.sampled_from([(1.0, 2.0), (1 + 1e-9, 0.5), (0.3, 0.7), (0.3, 0.7 + 1e-8), (1 - 1e-5, 3.0)])


@st.composite
def models(draw):
    kind = draw(st.sampled_from([*KINDS, "nbd"]))
    a, b = draw(st.tuples(parameters, parameters) | near_poles) if kind != "nbd" else (0.0, np.inf)
    return BetaGeometric(kind, draw(parameters), draw(parameters), a, b, {}, 0.0)


@pytest.mark.slow
@settings(max_examples=150)
@given(models(), st.lists(st.tuples(st.integers(0, 10_000), st.floats(1e-6, 1), st.floats(0, 1e4)), min_size=1, max_size=8), st.data())
def test_finite_between_their_limits_and_increasing_with_the_horizon(model, rows, data):
    x = np.array([count if end > 0 else 0 for count, _, end in rows])
    known = np.array([end for *_, end in rows])
    t_x = np.where(x > 0, np.maximum([share * end for _, share, end in rows], np.minimum(known, 1e-300)), 0)
    alive = model.alive(x, t_x, known)
    assert ((alive >= 0) & (alive <= 1)).all()
    horizons = sorted(data.draw(st.lists(st.floats(0, 1e5), min_size=2, max_size=4)))
    expected = np.array([model.expected(x, t_x, known, horizon) for horizon in horizons])
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    assert (np.diff(expected, axis=0) >= -1e-5 * expected[1:]).all()
    assert (model.expected(x, t_x, known, 0) == 0).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "x", "horizon"),
    [
        (0.24, 4.4, 0.79, 2.4, 2, 39.0),
        (0.24, 4.4, 0.79, 2.4, 1000, 39.0),
        (3.0, 2.0, 1.0, 2.0, 4, 10.0),  # a pole
        (0.7, 5.0, 0.25, 0.75, 0, 30.0),  # the other
        (0.7, 5.0, 0.1, 0.3, 0, 300.0),
        (0.05, 0.01, 400.0, 40.0, 1, 500.0),  # 0 times infinity
        (10.0, 1.0, 10.0, 10.0, 89, 200.0),  # SciPy's 2F1 gives infinity
    ],
)
def test_expected_is_the_integral_over_p(kind, r, alpha, a, b, x, horizon):
    known = 8.0
    late = b + x + (kind == "mbg_nbd")
    ahead = horizon / (alpha + known)

    power = min(a, 1)

    def integrand(share):  # p = share^(1/power), which takes the pole at 0 out of the density
        p = share ** (1 / power)
        purchases = -np.expm1(-(r + x) * np.log1p(p * ahead)) / p if p > 0 else (r + x) * ahead
        return purchases * np.exp(a * np.log(max(p, 1e-300)) + (late - 1) * np.log1p(-p) - betaln(a, late)) / share / power

    mean, deviation = a / (a + late), np.sqrt(a * late / (a + late + 1)) / (a + late)
    points = [at**power for at in (mean + np.array([-5, -1, 1, 5]) * deviation) if 0 < at < 1]
    while_alive = quad(integrand, 0, 1, points=points, limit=500, epsabs=0, epsrel=1e-10)[0]
    last = min(x, 1) * known  # just bought
    model = BetaGeometric(kind, r, alpha, a, b, {}, 0.0)
    found = model.expected([x], [last], [known], horizon)[0]
    assert found == pytest.approx(while_alive * model.alive([x], [last], [known])[0], rel=1e-6)


@pytest.mark.parametrize(
    ("customers", "why"),
    [
        (([0, 0], [0, 0], [5, 9]), "no_repeats"),
        (([0], [0], [0]), "no_repeats"),
        (([4] * 50, [30] * 50, [31] * 50), "at_bound"),  # everybody the same
        (([0, 1] * 50, [0, 3] * 50, [9, 3] * 50), "at_bound|saddle"),
        (([9], [30], [31]), "at_bound"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_weak_prior_decides_where_no_parameters_are_the_most_likely(kind, customers, why):
    model = fit_beta_geometric(*customers, kind=kind)
    assert model.kind == kind
    assert model.doubt.code.removeprefix("scoring.") in why.split("|")
    assert model.standard_errors == {}
    expected = model.expected(*customers, 30.0)
    assert np.isfinite(expected).all()
    assert (expected > 0).all()


def test_what_everybody_does_is_expected_of_everybody_with_a_weak_prior_too():
    model = fit_beta_geometric([4] * 50, [30] * 50, [31] * 50, kind="bg_nbd")
    assert model.expected([4], [30], [31], 31.0)[0] == pytest.approx(4, rel=0.1)
    gone = [0, 1] * 50, [0, 3] * 50, [90, 90] * 50  # who came back has never been seen again
    assert fit_beta_geometric(*gone, kind="bg_nbd").alive([1], [3], [90])[0] < 0.1


def test_no_customers_no_fit():
    with pytest.raises(InputError, match=r"got none.*scoring=spend"):
        fit_beta_geometric([], [], [], kind="bg_nbd")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((-1, 0, 5), "x: should be whole"),
        ((1.5, 2, 5), "x: should be whole"),
        ((np.nan, 0, 5), "x: should be whole"),
        ((1, 6, 5), "from 0 to T"),
        ((1, np.nan, 5), "from 0 to T"),
        ((0, 0, np.inf), "T: should be"),
        ((0, 0, -1), "T: should be"),
        ((2, 0, 5), "above 0 where x is"),
        ((0, 2, 5), "above 0 where x is"),
    ],
)
def test_customers_that_cannot_be(row, said):
    columns = [[good, value] for good, value in zip((1, 3, 5), row, strict=True)]
    with pytest.raises(InputError, match=said):
        fit_beta_geometric(*columns, kind="bg_nbd")
    with pytest.raises(InputError, match="three columns of one length"):
        fit_beta_geometric([1], [2.0], [3.0, 4.0], kind="bg_nbd")
