"""Write the demo shop's tables as files, to see what tables look like; or let it live on after a launch."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="demo")
@job
def main(config: DictConfig) -> None:
    """Simulate, write, and say how to use what was written."""
    from pathlib import Path

    from segmenter.demo.past_launch import read_demo_launch
    from segmenter.demo.shop_files import later_shop_outputs, new_shop_outputs
    from segmenter.job import started
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import show_brief
    from segmenter.settings import DemoJob, parse

    settings, _ = started(parse(DemoJob, config))
    as_of = settings.launch.as_of
    assert as_of is not None
    launch = None if settings.results is None else read_demo_launch(Path(settings.results))
    if launch is not None:
        settings = settings.model_copy(update={"launch": settings.launch.model_copy(update={"name": launch.name})})
    check_out(settings)
    outputs = new_shop_outputs(settings, as_of) if launch is None else later_shop_outputs(settings, launch)
    write_outputs(outputs, None, settings)
    show_brief(outputs.report)


if __name__ == "__main__":
    command(main)
