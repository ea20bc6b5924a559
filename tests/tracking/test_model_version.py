import pytest

from segmenter.settings.types import is_file_name
from segmenter.tracking.model_version import model_name


@pytest.mark.parametrize("launch", ["v1.2", "50%", "it's", "春季 VIP", "a.b.c"])
def test_mlflow_takes_the_model_of_every_launch(launch: str) -> None:
    from mlflow.utils.validation import _validate_logged_model_name, _validate_model_name

    name = model_name(is_file_name(launch))
    _validate_logged_model_name(name)
    _validate_model_name(name)
