"""A shop's tables read as a guessed experiment says, before it is written down."""

from datetime import date, timedelta

from segmenter.errors import InputError
from segmenter.findings import messages_of
from segmenter.guesses.experiment import Experiment, with_date
from segmenter.loader import read_tables
from segmenter.messages import Message
from segmenter.words import Progress

LAST_DATE = date(2200, 1, 1)


def try_experiment(experiment: Experiment, *, seed: int, progress: Progress) -> tuple[Experiment, tuple[Message, ...], tuple[Message, ...]]:
    """Read a shop's tables as a guessed experiment says: give it with its date, and the notes and warnings of the reading."""
    data = experiment.data()
    first = read_tables(data, experiment.launch(LAST_DATE), seed=seed, progress=progress, stop=False)
    days = first.tables.profile.by_day["day"]
    if not len(days):
        raise InputError(*messages_of(first.tables.findings, "stop"), Message("init.nothing_read", "paths: hold no order that can be read"))
    dated = with_date(experiment, max(days))
    tables = read_tables(data, dated.launch(max(days) + timedelta(days=1)), seed=seed, progress=progress, stop=False).tables
    if problems := messages_of(tables.findings, "stop"):
        sentence = "a key of data that is named above is answered by the same key of answers, such as answers.orders.grain=line"
        raise InputError(*problems, Message("init.same_keys", sentence))
    return dated, messages_of(tables.findings, "note"), messages_of(tables.findings, "warning")
