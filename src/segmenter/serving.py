"""What MLflow loads to serve a launch's model: ``mlflow models predict`` and ``mlflow models serve`` come in here."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import pandas as pd

    from segmenter.launch_model import LaunchModel


@dataclass(frozen=True)
class ServedModel:
    """A model that takes and gives the pandas frames of MLflow.

    Parameters
    ----------
    model : LaunchModel
        The fitted scorer and segmenter.

    Examples
    --------
    >>> import pandas as pd
    >>> class Spend:
    ...     columns = ["spend"]
    ...     def predict(self, frame):
    ...         return frame.select(score=pl.col("spend") / 10, segment=pl.lit(1, pl.Int32))
    >>> ServedModel(Spend()).predict(pd.DataFrame({"customer_id": ["a"], "spend": [125]})).to_dict("records")
    [{'score': 12.5, 'segment': 1}]
    """

    model: "LaunchModel"

    def predict(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Score customers.

        Parameters
        ----------
        rows : pandas.DataFrame, shape (n, m)
            The measures as in ``customers.parquet``, as numbers of any type; missing values and further columns are fine.

        Returns
        -------
        pandas.DataFrame, shape (n, 2)
            ``score`` and ``segment``.

        Raises
        ------
        ValueError
            If a measure is missing or no number.
        """
        import pandas as pd

        if missing := [name for name in self.model.columns if name not in rows]:
            raise ValueError(f"rows: the columns {', '.join(self.model.columns)} are needed (got none named {', '.join(missing)})")
        numbers = {name: pd.to_numeric(rows[name]).to_numpy("float64", na_value=float("nan")) for name in self.model.columns}
        scored = self.model.predict(pl.DataFrame(numbers, nan_to_null=True))
        return pd.DataFrame({name: scored[name].to_numpy() for name in ("score", "segment")})


def served_model(path: str) -> ServedModel:
    """Load a logged model; MLflow calls this by its own name for it, ``_load_pyfunc``.

    Parameters
    ----------
    path : str
        The pickled model within what MLflow stored.

    Returns
    -------
    ServedModel
        What answers MLflow's requests.

    Examples
    --------
    >>> served_model("missing.pickle")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'missing.pickle'
    """
    return ServedModel(pickle.loads(Path(path).read_bytes()))


_load_pyfunc = served_model
