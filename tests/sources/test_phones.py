"""Phone numbers are read as the library reads them, and many at once."""

import phonenumbers
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.sources.phones import country_of, read_phones


@pytest.mark.parametrize(
    ("written", "country", "phone", "number"),
    [
        ("13800138000", "CN", "mobile", 8613800138000),
        ("+86 138-0013-8000", "CN", "mobile", 8613800138000),
        ("8613800138000", "CN", "mobile", 8613800138000),
        ("0086 138 0013 8000", "CN", "mobile", 8613800138000),
        ("１３８００１３８０００", "CN", "mobile", 8613800138000),
        ("13800138000.0", "CN", "mobile", 8613800138000),
        ("13800138000/13900139000", "CN", "mobile", 8613800138000),
        ("李四 13800138000", "CN", "mobile", 8613800138000),
        ("(028) 8555 1234", "CN", "landline", 862885551234),
        ("4008001234", "CN", "landline", 864008001234),
        ("+852 5123 4567", "CN", "foreign", 85251234567),
        ("+86 13800138000", "GB", "foreign", 8613800138000),
        ("(201) 555-0123", "US", "mobile", 12015550123),
        *((text, "CN", "invalid", None) for text in ("85551234", "00012345678", "138****8000", "110", "1.38E+10", "12345678901", "none")),
        ("138 0013 8000", None, "unchecked", 13800138000),
        ("+8613800138000", None, "mobile", 8613800138000),
        (None, "CN", None, None),
    ],
)
def test_what_a_cell_holds(written, country, phone, number):
    assert read_phones(pl.Series([written], dtype=pl.String), country).row(0) == (phone, number)


prefixes = st.sampled_from(["", "", "", "0", "1", "8", "+", "00", "+86", "86", "+44", "44", "+1", "+49", "49", "+39", "1790", "01190"])
texts = st.tuples(prefixes, st.from_regex(r"[0-9]{5,12}", fullmatch=True)).map("".join)
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@pytest.mark.slow
@given(
    st.lists(texts | mobiles, min_size=1, max_size=40), st.sampled_from(["CN", "US", "GB", "DE", "FR", "JP", "BR", "IT", "HK", "RU", "AR"])
)
def test_many_at_once_are_read_as_the_library_reads_each(cells, country):
    read = read_phones(pl.Series(cells), country)
    for cell, phone, number in zip(cells, read["phone"], read["number"], strict=True):
        try:
            known = phonenumbers.parse(cell, country)
            valid = phonenumbers.is_valid_number(known)
        except phonenumbers.NumberParseException:
            valid = False
        if not valid:
            assert phone == "invalid", cell
            continue
        kind = phonenumbers.number_type(known)
        mobile = kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
        at_home = phonenumbers.region_code_for_number(known) == country
        assert phone == (("mobile" if mobile else "landline") if at_home else "foreign"), cell
        assert number == int(f"{known.country_code}{known.national_number}"), cell


@pytest.mark.parametrize(
    ("launch", "country"),
    [
        ({}, "CN"),
        ({"launch.timezone": "Europe/London"}, "GB"),
        ({"launch.timezone": "Europe/London", "launch.country": "fr"}, "FR"),
        ({"launch.timezone": "UTC", "launch.currency": "JPY"}, "JP"),
        ({"launch.timezone": "UTC", "launch.currency": "EUR"}, None),
    ],
)
def test_the_country_is_that_of_the_time_zone_where_nobody_says_it(launch, country):
    assert country_of(segmenter.launch_settings(launch).launch) == country
