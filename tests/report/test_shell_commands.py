import shlex
from datetime import date

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from segmenter.demo.past_launch import DemoLaunch
from segmenter.demo.shop_files import next_commands
from segmenter.overrides import quoted
from segmenter.report.shell_commands import next_command, override, shown
from segmenter.settings import ShopSettings

texts = st.text(
    st.one_of(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), st.sampled_from("\"'\\${}[](),:=;& \n\t`!#*~")),
    max_size=12,
)


def values(words):
    """What the job finds in its config when these words come from a shell."""
    parsed = OverridesParser.create().parse_overrides([quoted(word) for word in words])
    return OmegaConf.to_container(OmegaConf.create({each.key_or_group: each.value() for each in parsed}), resolve=True)


@settings(max_examples=150, deadline=None)
@given(texts.filter(bool), st.lists(texts, max_size=3))
@example("$(id)", ["${out}", "a\\${b}"])
@example("null", ["true", "1e3", "2026-07-01", "7"])
@example(".0", [".5e1", "./a"])
@example("my shop; rm -rf ~", ["it's", '"', "\\", 'x\\"', "line\nline"])
@example("四川 `id`", ["-x", "~", "@", "a=b"])
def test_what_is_printed_comes_back_as_it_was(text, several):
    command = f"segmenter launch {override('key', text)} {override('keys', several)}"
    program, job, *words = shlex.split(command)
    assert (program, job, len(words)) == ("segmenter", "launch", 2)
    assert {"key": text, "keys": several} == {name: value if name == "keys" else str(value) for name, value in values(words).items()}


@pytest.mark.parametrize("name", ["$(id)", "a b", "`id`; id", "春季 'VIP'", '"x"', "${oc.env:HOME}"])
def test_the_next_commands_take_any_name_and_folder(tmp_path, name):
    launched = DemoLaunch(name, ShopSettings(customers=500, days=200), date(2026, 7, 1), 30, 7, "en", None, ())
    out = tmp_path / name
    review, launch = (values(shlex.split(line)[2:]) for line in next_commands(out, launched))
    assert review["launch.name"] == name
    assert review["data.dir"] == launch["data.dir"] == out.as_posix()
    assert review["review.answers"] == [f"{out.as_posix()}/answers"]


@settings(max_examples=50, deadline=None)
@given(texts, st.lists(texts, max_size=2))
@example("${oc.env:HOME}", [])
def test_the_users_own_words_come_back_in_the_next_command(text, several):
    typed = [
        quoted(f"launch.topic={text}"),
        shlex.split(override("plan.layers", several))[0],
        "out=here",
        "data.dir=x",
        "review.as_of=null",
    ]
    _, _, *words = shlex.split(next_command("review", typed, {"data.": None, "out": "there", "review.as_of": "2026-07-01"}))
    assert words[:2] == typed[:2]
    assert words[2:] == ["out=there", "review.as_of=2026-07-01"]


def test_no_password_and_no_contact_comes_back_in_a_command():
    kept = ("ledger.url=postgresql://me:${oc.env:PW}@host/db", "ledger.url=sqlite:////tmp/a?b.db", "data.dir=s3://shop/2026", "plan.size=9")
    assert tuple(map(shown, kept)) == kept
    assert shown("ledger.url=postgresql://me:secret@host/db?x=1") == "ledger.url=postgresql://me:***@host/db"
    assert "secret" not in shown("data.url=postgresql://host/db?sslpassword=secret")
    assert "Lily" not in shown("""data.orders.where="收货人 <> 'Lily'\"""")
    assert shown("data.customers.contact=['phone']") == "data.customers.contact=['phone']"
    assert "13800000000" not in shown("""rules.custom=[{name: x, keep: "phone <> '13800000000'"}]""")
