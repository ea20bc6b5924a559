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
    """A model that takes and gives the pandas frames of MLflow."""

    model: "LaunchModel"

    def predict(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Give ``score`` and ``segment`` by the measures of ``customers.parquet``, numbers of any type among other columns.

        >>> import pandas as pd
        >>> class Spend:
        ...     columns, texts = ["spend"], []
        ...     def predict(self, frame):
        ...         return frame.select(score=pl.col("spend") / 10, segment=pl.lit(1, pl.Int32))
        >>> ServedModel(Spend()).predict(pd.DataFrame({"customer_id": ["a"], "spend": [125]})).to_dict("records")
        [{'score': 12.5, 'segment': 1}]
        """
        import pandas as pd

        if missing := [name for name in self.model.columns if name not in rows]:
            raise ValueError(f"rows: the columns {', '.join(self.model.columns)} are needed (got none named {', '.join(missing)})")
        texts = self.model.texts
        numbers = {
            name: pd.to_numeric(rows[name]).to_numpy("float64", na_value=float("nan")) for name in self.model.columns if name not in texts
        }
        words = {name: pl.Series([None if pd.isna(text) else str(text) for text in rows[name]], dtype=pl.String) for name in texts}
        scored = self.model.predict(pl.DataFrame(numbers | words, nan_to_null=True))
        return pd.DataFrame({name: scored[name].to_numpy() for name in ("score", "segment")})


def _load_pyfunc(path: str) -> ServedModel:
    """Load a logged model; MLflow calls this by its name."""
    return ServedModel(pickle.loads(Path(path).read_bytes()))
