"""A launch's scorer and segmenter as a registered model, which MLflow can serve."""

import pickle
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segmenter import version
from segmenter.tracking.mlflow_store import Store

if TYPE_CHECKING:
    from segmenter.launch_model import LaunchModel


def register(store: Store, run: str, launch: str, model: "LaunchModel") -> None:
    """Log the model with the code that it needs, and register it as the next version of ``segmenter-<launch>``."""
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model as Description
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    client, name = store.client, model_name(launch)
    logged = client.create_logged_model(store.experiment, name=name, source_run_id=run, model_type="segmenter")
    # No input types: with them `mlflow models predict` refuses a CSV with whole numbers. ServedModel checks the columns.
    outputs = Schema([ColSpec(DataType.double, "score"), ColSpec(DataType.integer, "segment")])
    description = Description(
        artifact_path=logged.artifact_location,
        run_id=run,
        model_id=logged.model_id,
        model_uuid=logged.model_id,
        signature=ModelSignature(outputs=outputs),
        metadata={"columns": model.columns},
    )
    with TemporaryDirectory() as scratch:
        data, folder = Path(scratch, "model.pickle"), Path(scratch, "model")
        data.write_bytes(pickle.dumps(model))
        mlflow.pyfunc.save_model(
            folder,
            mlflow_model=description,
            loader_module="segmenter.tracking.served_model",
            data_path=data,
            code_paths=[Path(version.__file__).parent],
            pip_requirements=_requirements(),
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run, [LoggedModelOutput(logged.model_id, step=0)])
    try:
        client.create_registered_model(name, description=f"Score and segment of customers, from {', '.join(model.columns)}.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # Not models:/<id>, which MLflow would look up in the global store instead of the client's.
    client.create_model_version(name, source=logged.artifact_location, run_id=run, model_id=logged.model_id)


def model_name(launch: str) -> str:
    """Give the model's name, in which MLflow takes fewer signs than a folder's may have."""
    return "segmenter-" + re.sub(r"[/:.%\"']", "_", launch)


def _requirements() -> list[str]:
    """Pin what segmenter needs to the versions in use; segmenter itself travels with the model."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    needs = [Requirement(text) for text in requires("segmenter") or []]
    return [f"{need.name}=={version(need.name)}" for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
