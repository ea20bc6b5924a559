"""Files that list the customers whose like is looked for."""

import polars as pl

from segmenter.checks.header_rows import has_digits
from segmenter.contacts import shown_columns
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.answer_words import roles_of
from segmenter.sources.expressions import columns_of
from segmenter.sources.fields import mend_ids, text
from segmenter.sources.file_format import FileFormat
from segmenter.sources.files import copies, read_separately
from segmenter.sources.raw import Fingerprint


def read_seeds(path: str, known: tuple[str, ...] = ()) -> tuple[pl.Series, tuple[Fingerprint, ...]]:
    """Read the customer ids in files, each once, sorted: from a column with one of the `known` names, or a usual one, or the only one.

    InputError, with all problems of all files, where there is none.
    """
    key = "scoring.seeds"
    try:
        files, failures = read_separately(path, FileFormat())
    except InputError as error:
        raise InputError(*(Message("files.at", "{key}: {problem}", key=key, problem=each) for each in error.messages)) from error
    problems = [problem for _, problem in failures] + copies([file.fingerprint for file in files if file.frame.height])
    ids = []
    for file in files:
        names = columns_of(file.frame)
        usual = roles_of(names).get("customer_id")
        column = next((name for name in (*known, usual) if name in names), names[0] if len(names) == 1 else None)
        if column is None:
            sentence = "{name}: should have a column customer_id, or only one column (got {columns})"
            problems.append(Message("sources.seeds_column", sentence, name=file.name, columns=tuple(shown_columns(names).values())[:10]))
            continue
        found = mend_ids(text(file.frame[column]))
        if column != usual and column not in known and has_digits(column):  # a list of ids without a header
            found = pl.concat([pl.Series([column], dtype=pl.String), found.rename("")])
        ids.append(found.drop_nulls().alias("customer_id"))
    if not problems and not any(map(len, ids)):
        problems = [Message("sources.seeds_empty", "{path}: should hold customer ids (got none)", path=path)]
    if problems:
        raise InputError(*(Message("files.at", "{key}: {problem}", key=key, problem=problem) for problem in problems))
    return pl.concat(ids).unique().sort(), tuple(file.fingerprint for file in files)
