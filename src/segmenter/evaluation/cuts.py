"""The past dates at which launches are replayed: which ones, and of how many customers they need single orders."""

from datetime import date, timedelta

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import terms_of
from segmenter.measures.sampling import MIN_HISTORY_DAYS, Sampling
from segmenter.messages import Message
from segmenter.settings import BacktestCore
from segmenter.tables import Tables


def sampling_of(settings: BacktestCore) -> Sampling:
    """Say of how many customers a backtest needs single orders: of all, where `backtest.customers` is null."""
    wanted, as_of = settings.backtest, terms_of(settings).as_of
    back = timedelta(days=wanted.horizon_days + wanted.step_days * (wanted.max_cuts - 1))
    first = min(wanted.cuts) if wanted.cuts else wanted.first or (wanted.last or as_of) - back
    return Sampling(wanted.customers, settings.seed, first, min(wanted.horizon_days, MIN_HISTORY_DAYS))


def choose_cuts(tables: Tables, settings: BacktestCore) -> tuple[list[date], date]:
    """List the cuts, the earliest first, and say where the history ends."""
    wanted, as_of = settings.backtest, terms_of(settings).as_of
    first, last = tables.orders.days
    if first is None or last is None:
        raise InputError(Message("evaluation.no_orders", "data.orders: should hold orders (got none): there is no past to replay"))
    end = min(as_of, last + timedelta(days=1))
    history = min(wanted.horizon_days, MIN_HISTORY_DAYS)
    latest, earliest = end - timedelta(days=wanted.horizon_days), first + timedelta(days=history)
    if wanted.cuts is None:
        stop = wanted.last or latest
        start = wanted.first or max(earliest, stop - timedelta(days=wanted.step_days * (wanted.max_cuts - 1)))
        cuts = [stop - timedelta(days=wanted.step_days * back) for back in range((stop - start).days // wanted.step_days + 1)][::-1]
    else:
        cuts = sorted(set(wanted.cuts))
    sentence = "the orders run from {first} to {last}, launch.as_of is {as_of}, and the horizon is {days} days"
    shop = Message("evaluation.shop_dates", sentence, first=first, last=last, as_of=as_of, days=wanted.horizon_days)
    sentence = "backtest: a past date should lie after {first} and by {latest} (got {cut}): {shop}"
    problems = [
        Message("evaluation.cut_outside", sentence, first=first, latest=latest, cut=cut, shop=shop)
        for cut in cuts
        if not first < cut <= latest
    ]
    if not cuts:
        sentence = "backtest: a past date should have {days} days of history before it and its horizon after it (got none): {shop}"
        problems = [Message("evaluation.no_cut", sentence, days=history, shop=shop)]
    if problems:
        way_out = "choose others with backtest.cuts, or a shorter backtest.horizon_days"
        raise ConfigError(*problems, Message("evaluation.other_cuts", way_out))
    return cuts, end
