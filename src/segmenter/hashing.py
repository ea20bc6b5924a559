"""Chance that belongs to a customer: the same for the same id and seed, whatever else is in the data."""

from hashlib import blake2b

import numpy as np
import polars as pl


def uniform(ids: pl.Series, seed: int, purpose: str) -> pl.Series:
    """Draw one number per id from the uniform distribution on [0, 1), by a hash of the id.

    Past launches can be told apart only as long as this function gives the numbers that it gave then: it must never change.
    It is BLAKE2b (RFC 7693) with 8 bytes of digest over the UTF-8 text ``seed:purpose:id``; the number is the digest's first
    53 bits, read as a binary fraction. Anyone can check one: ``printf '%s' '7:holdout:C1' | b2sum -l 64``.

    Parameters
    ----------
    ids : Series of String
        Without nulls.
    seed : int
        The job's seed.
    purpose : str
        What the number is for, such as ``"holdout"``: numbers for different purposes are independent of each other.

    Returns
    -------
    Series of Float64
        In [0, 1), a multiple of 2**-53, in the order of `ids` and under its name.

    Examples
    --------
    >>> uniform(pl.Series("customer_id", ["C1", "C2"]), 7, "holdout").round(4).to_list()
    [0.3562, 0.2452]
    """
    prefix = f"{seed}:{purpose}:".encode()
    digests = b"".join([blake2b(prefix + each, digest_size=8).digest() for each in ids.cast(pl.Binary).to_list()])
    bits = np.frombuffer(digests, dtype=">u8") >> np.uint64(11)
    return pl.Series(ids.name, bits.astype(np.float64) * 2.0**-53)
