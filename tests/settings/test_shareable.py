from jobs import settings_of

from segmenter.settings import shareable
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
    config = shareable(settings_of("launch", *overrides))
    assert config["data"]["url"] == "postgresql://me:***@host/shop"
    assert config["plan"]["size"] == "auto"
    assert secret not in str(config)
    assert phone not in str(config)


def test_an_address_without_a_password_stays():
    assert without_password("sqlite:///outputs/ledger.db") == "sqlite:///outputs/ledger.db"
