"""The whole command by the plainest score, start-up and report included, against its history part and the afternoon's notebook."""

import shutil

import pytest

from benchmarks.child import Child
from benchmarks.shop import AS_OF, LATER_AS_OF

COLD = {
    "segmenter launch": ("ours:launch", AS_OF, "tracking=none", "scoring=weighted"),
    "segmenter launch with MLflow": ("ours:launch", AS_OF, "scoring=weighted"),
    "its history part alone": ("ours:whole",),
    "DuckDB: one query": ("alternatives:duckdb_list",),
    "pandas: a notebook": ("alternatives:pandas_list",),
}
# When the launch was that filled the store; the second is as of the later date.
FIRST = {"the same date": LATER_AS_OF, "a fortnight later": AS_OF}


@pytest.mark.benchmark(group="launch")
@pytest.mark.parametrize("way", COLD)
def test_cold(measured, figures, folder, way):
    work, *rest = COLD[way]
    found = measured(way, work, folder, *rest).answer
    if work.startswith("alternatives:"):
        # They list all whom the rules leave.
        assert {found["rows"]} >= {figure.answer["counts"]["eligible"] for figure in figures if figure.name == "segmenter launch"}


@pytest.mark.benchmark(group="launch: 2 % new orders, warm store")
@pytest.mark.parametrize("way", FIRST)
def test_warm(measured, folder, tmp_path, way):
    data, store, saved = tmp_path / "data", tmp_path / "store", tmp_path / "saved"
    data.mkdir()
    for file in folder.glob("*.parquet"):
        (data / file.name).symlink_to(file)
    store.mkdir()  # small shops, as in CI, keep nothing
    stored = ("tracking=none", "scoring=weighted", f"history.store={store}")
    _launch(data, FIRST[way], *stored)
    store.rename(saved)
    for file in (folder / "later").iterdir():
        (data / file.name).symlink_to(file)

    def as_the_first_left_it() -> None:
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(saved, store)

    warm = measured(way, "ours:launch", data, LATER_AS_OF, *stored, setup=as_the_first_left_it)
    assert warm.answer["counts"] == _launch(data, LATER_AS_OF, "tracking=none", "scoring=weighted")


def _launch(*arguments: object) -> dict[str, int]:
    with Child("ours:launch", *arguments) as child:
        child()
    return child.answers[0]["counts"]
