"""The demo shop's tables for a program."""

import polars as pl

from segmenter.defaults import demo_defaults
from segmenter.demo.shop import simulate
from segmenter.settings import ShopSettings, parse


def demo_tables(customers: int | None = None, days: int | None = None, seed: int | None = None) -> dict[str, pl.DataFrame]:
    """Simulate a wholesale pharmacy platform in China, up to 2026-07-01.

    Parameters
    ----------
    customers : int, optional
        From 100 up; None is as many as `segmenter launch data=demo` has, 20,000.
    days : int, optional
        Of history, from 120 up; None is 730.
    seed : int, optional
        Another one is another shop.

    Returns
    -------
    dict of str to DataFrame
        ``orders``, ``customers``, ``events``, ``referrals``, as such a shop exports them: names and phones are made up.

    Examples
    --------
    >>> {name: table.height for name, table in demo_tables(customers=100, days=120).items()}
    {'orders': 155, 'customers': 100, 'events': 200, 'referrals': 10}
    """
    usual, as_of, usual_seed = demo_defaults()
    asked = {"customers": customers, "days": days}
    size = parse(ShopSettings, {**usual.model_dump(), **{name: value for name, value in asked.items() if value is not None}})
    return simulate(size.customers, size.days, as_of, usual_seed if seed is None else seed).tables()
