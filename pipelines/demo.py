"""Write the demo shop's tables as files, to see what tables look like; or let it live on after a launch."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="demo")
@job
def main(config: DictConfig) -> None:
    """Simulate, write, and say how to use what was written."""
    from datetime import timedelta
    from functools import partial
    from pathlib import Path

    from segmenter.command import started
    from segmenter.demo.aftermath import live_on
    from segmenter.demo.filled_sheets import fill_sheets
    from segmenter.demo.past_launch import demo_launched
    from segmenter.demo.shop import simulate
    from segmenter.demo.shop_files import frames_of, launch_command, next_commands, show_files, write_shop
    from segmenter.report.output_folder import check_out
    from segmenter.settings import DemoJob, parse
    from segmenter.words import say

    settings, _ = started(parse(DemoJob, config))
    out, size = settings.out, settings.data.shop
    if settings.results is None:
        check_out(settings)
        as_of = settings.launch.as_of
        assert as_of is not None
        frames = frames_of(simulate(size.customers, size.days, as_of, settings.seed))
        write_shop(frames, settings, as_of)
        what = say(settings.lang, "To launch on these files:", "用这些文件做一次社群邀请：")
        show_files(frames, what, [launch_command(settings, as_of, list(frames))], settings.lang)
        return
    launched = demo_launched(Path(settings.results))
    settings = settings.model_copy(update={"launch": settings.launch.model_copy(update={"name": launched.name})})
    check_out(settings)
    shop = simulate(launched.shop.customers, launched.shop.days, launched.as_of, launched.seed)
    after = live_on(shop, launched.horizon_days, launched.invited, effect=settings.effect, seed=launched.seed)
    frames = frames_of(after.shop)
    end = launched.as_of + timedelta(days=launched.horizon_days)
    written = partial(fill_sheets, launched.sheets, after.answers, seed=launched.seed, lang=launched.lang)
    write_shop(frames, settings, end, written)
    what = say(
        settings.lang,
        f"{launched.horizon_days} days later. The call sheets as the agents filled them in are in {out / 'answers'}. What they brought, "
        "and the next launch:",
        f"{launched.horizon_days} 天之后。客服填好的外呼名单在 {out / 'answers'}。复盘本次活动，并规划下一次：",
    )
    show_files(frames, what, next_commands(out, launched, end), settings.lang)


if __name__ == "__main__":
    command(main)
