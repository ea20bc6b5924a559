"""Conditions of the config: SQL over the columns of customers, with amounts in currency units."""

from collections.abc import Mapping

import polars as pl
from polars.exceptions import PanicException, PolarsError

from segmenter import money, sql
from segmenter.contacts import shown_sql
from segmenter.errors import ConfigError, nearest
from segmenter.measures.spec import MONEY
from segmenter.messages import Message


def conditions(frame: pl.DataFrame, texts: Mapping[str, str], currency: str) -> dict[str, pl.Series]:
    """Give the Boolean of each customer by each condition, false where it is null.

    The SQL stands under the key of the config that a `ConfigError` names; it says what is wrong with all of them.
    """
    unit = 10 ** money.digits(currency)
    units = frame.lazy().with_columns(pl.col(name) / unit for name in MONEY if name in frame.columns)
    met, problems = {}, []
    for key, text in texts.items():
        try:
            expression = sql.expression(text)
            if missing := [name for name in dict.fromkeys(expression.meta.root_names()) if name not in frame.columns]:
                sentence = '{key}: there is no measure "{name}"{nearest}'
                problems += [
                    Message("rules.no_measure", sentence, key=key, name=name, nearest=nearest(name, frame.columns)) for name in missing
                ]
                continue
            values = units.select(expression.alias("met")).collect().to_series()
        except ConfigError as error:
            problems.append(Message("rules.custom", "{key}: {why}", key=key, why=error.reason))
            continue
        except (PolarsError, PanicException) as error:
            why = str(error).splitlines()[0].partition(": [")[0]
            sentence = '{key}: "{sql}" cannot be computed: {why}'
            problems.append(Message("rules.not_computed", sentence, key=key, sql=shown_sql(text), why=why))
            continue
        if values.dtype != pl.Boolean or len(values) != frame.height:
            sentence = '{key}: "{sql}" should be true or false for each customer'
            problems.append(Message("rules.not_boolean", sentence, key=key, sql=shown_sql(text)))
            continue
        met[key] = values.fill_null(value=False)
    if problems:
        raise ConfigError(*problems)
    return met
