from hydra import compose, initialize_config_dir

from segmenter.home import HOME
from segmenter.settings import LaunchJob, parse, shareable
from segmenter.settings.shareable import without_password


def test_passwords_and_contacts_are_not_shared():
    secret, phone = "hunter2", "13800138000"
    overrides = [
        "data=database",
        f"data.url='postgresql://me:{secret}@host/shop?sslpassword={secret}'",
        "data.orders.query='SELECT 1'",
        f"ledger.url='postgresql://me:{secret}@host/ledger'",
        f"rules.custom=[{{name: one, keep: \"customer_id <> '{phone}'\"}}]",
    ]
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        config = shareable(parse(LaunchJob, compose("launch", overrides=overrides)))
    assert config["data"]["url"] == "postgresql://me:***@host/shop"
    assert config["plan"]["size"] == 2000
    assert secret not in str(config)
    assert phone not in str(config)


def test_an_address_without_a_password_stays():
    assert without_password("sqlite:///outputs/ledger.db") == "sqlite:///outputs/ledger.db"
