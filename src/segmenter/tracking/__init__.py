"""MLflow: a run for each job, a registered model for each launch. The only importer of mlflow.

What is logged holds no customer: the config, figures of the whole launch, and the outputs that are public.
"""

from segmenter.tracking.runs import Sweep, track
from segmenter.tracking.worker import begin, track_beside

__all__ = ["Sweep", "begin", "track", "track_beside"]
