from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.typed.moments import read_date, read_datetime, read_time
from surveys.typed.trouble import Trouble
from tests.surveys.test_numbers import chinese, english

NOW = datetime.fromisoformat("2026-11-25T10:20:33")  # a Wednesday
TODAY = NOW.date()
MONTHS = [f"{date(2000, month, 1):%B}" for month in range(1, 13)]
FIRST, LAST = datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2100-01-01")


def wide(text: str) -> str:
    return text.translate(str.maketrans("0123456789-/", "０１２３４５６７８９－／"))


def said_digits(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "〇一二三四五六七八九"))


@pytest.mark.parametrize(
    "words",
    [
        "2026-11-22", "2026/11/22", "2026.11.22", "2026. 11. 22", "20261122", "2026年11月22日",
        "2026 年 11 月 22 日", "2026年11月22号", "二〇二六年十一月二十二日",
        "二零二六年十一月廿二日",
        "11月22日", "11月22", "十一月二十二号", "11/22", "22/11/2026", "11/22/2026", "22.11.2026",
        "22 Nov 2026", "22 November 2026", "the 22nd of November 2026", "22-Nov-2026",
        "November 22, 2026", "Nov. 22nd 2026", "Nov 22", "on 22 November", "2026 Nov 22",
        "Sunday, 22 November 2026", "22 Nov 2026 (Sun)", "2026年11月22日 星期日",
        "２０２６－１１－２２",
        "大前天", "3天前", "三天前", "three days ago", "3 days ago", "3天之前", "上周日",
        "上星期天",
        "今年11月22日", "本月22号", "这个月22日", "2026-11-22。", "是11月22日", "11月22日下午三点",
        "2026-11-22T14:30:00",
    ],
)  # fmt: skip
def test_the_22nd_of_november_as_people_write_it(words: str) -> None:
    assert read_date(words, TODAY) == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("今天", 0), ("today", 0), ("昨天", -1), ("Yesterday.", -1), ("前天", -2), ("大前天", -3),
        ("the day before yesterday", -2), ("明天", 1), ("tomorrow", 1), ("后天", 2), ("大后天", 3),
        ("两周前", -14), ("a week ago", -7), ("in 2 weeks", 14), ("三天后", 3),
        ("10 days from now", 10),
        ("上周三", -7), ("本周五", 2), ("这周一", -2), ("下周三", 7), ("上上周三", -14),
        ("下个星期一", 5),
        ("last Friday", -5), ("last Wednesday", -7), ("next Monday", 5), ("this Friday", 2),
        ("昨晚8点", -1), ("去年11月25日", -365), ("上个月25号", -31),
    ],
)  # fmt: skip
def test_days_told_from_today(words: str, days: int) -> None:
    assert read_date(words, TODAY) == TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("words", "one", "other"),
    [
        ("03/04/2026", "2026-03-04", "2026-04-03"), ("3.4.2026", "2026-03-04", "2026-04-03"),
        ("3/4", "2026-03-04", "2026-04-03"), ("2月3日", "2026-02-03", "2027-02-03"),
        ("3 Feb", "2026-02-03", "2027-02-03"), ("周三", "2026-11-18", "2026-11-25"),
        ("Friday", "2026-11-20", "2026-11-27"), ("last Monday", "2026-11-16", "2026-11-23"),
        ("next Friday", "2026-11-27", "2026-12-04"),
    ],
)  # fmt: skip
def test_a_day_that_may_be_two_is_asked_and_either_answer_works(
    words: str, one: str, other: str
) -> None:
    assert read_date(words, TODAY) == Trouble("either", {"one": one, "other": other})
    assert read_date(one, TODAY) == date.fromisoformat(one)
    assert read_date(other, TODAY) == date.fromisoformat(other)


@pytest.mark.parametrize(
    ("words", "named"),
    [("2月30日", "2026-02-30"), ("2026-02-30", "2026-02-30"), ("2026-13-01", "2026-13-01"),
     ("31 April 2026", "2026-04-31"), ("29 Feb 2025", "2025-02-29"), ("2026年0月5日", "2026-00-05"),
     ("0026-11-22", "0026-11-22"), ("2月29日", "2026-02-29")],
)  # fmt: skip
def test_a_day_that_does_not_exist_is_named(words: str, named: str) -> None:
    assert read_date(words, TODAY) == Trouble("no_such_date", {"date": named})


def test_a_weekday_has_to_agree_with_its_date() -> None:
    wrong = Trouble("wrong_weekday", {"date": "2026-11-22"})
    assert read_date("2026年11月22日星期一", TODAY) == wrong
    assert read_date("Monday, 22 Nov 2026", TODAY) == wrong


@pytest.mark.parametrize(
    "words",
    ["", "二月", "1985", "22号", "last week", "三个月前", "a year ago", "三四天前",
     "农历八月十五", "soon",
     "26-11-22", "11/22/26", "99999天前", "2026-11", "13/14/2026x", "3天", "五天", "Nov", "2026",
     "x" * 999],
)  # fmt: skip
def test_what_names_no_certain_day_is_not_taken(words: str) -> None:
    assert read_date(words, TODAY) == Trouble("not_a_date")


@pytest.mark.parametrize(
    ("words", "year", "month"),
    [
        ("2026", "2026-01-01", None), ("2026年", "2026-01-01", None),
        ("二〇二六", "2026-01-01", None),
        ("去年", "2025-01-01", None), ("this year", "2026-01-01", None),
        ("2026-11", "2026-01-01", "2026-11-01"), ("2026年11月", "2026-01-01", "2026-11-01"),
        ("Nov 2026", "2026-01-01", "2026-11-01"), ("11/2026", "2026-01-01", "2026-11-01"),
        ("上个月", "2026-01-01", "2026-10-01"), ("今年三月", "2026-01-01", "2026-03-01"),
        ("2026-11-22", "2026-01-01", "2026-11-01"), ("去年11月", "2025-01-01", "2025-11-01"),
    ],
)  # fmt: skip
def test_a_year_or_a_month_will_do_where_that_is_asked(
    words: str, year: str, month: str | None
) -> None:
    assert read_date(words, TODAY, "no-calendar year") == date.fromisoformat(year)
    found = read_date(words, TODAY, "month-year")
    assert found == (date.fromisoformat(month) if month else Trouble("not_a_date"))


@given(st.dates(date(1000, 1, 1), date(9000, 12, 31)))
def test_a_date_written_in_any_style_comes_back(day: date) -> None:
    month = MONTHS[day.month - 1]
    y, m, d = f"{day.year:04}", day.month, day.day
    for words in (
        day.isoformat(), f"{y}/{m}/{d}", f"{y}.{m}.{d}", f"{y}{m:02}{d:02}", f"{y}年{m}月{d}日",
        f"{said_digits(day.year)}年{chinese(m)}月{chinese(d)}日", f"{d} {month} {y}",
        f"{month} {d}, {y}", f"{d} {month[:3]} {y}", wide(day.isoformat()),
        f"{month.upper()} {english(d)}, {y}", day.strftime(f"%A, %d %B {y}"),
        f"{y}年{m}月{d}日 星期{'一二三四五六日'[day.weekday()]}",
    ):  # fmt: skip
        if y in "123456789" and said_digits(day.year) in words:
            continue  # neighbours in a row are no year
        assert read_date(words, TODAY) == day, words


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_numbers_with_the_year_behind_are_read_or_asked(day: date, today: date) -> None:
    for words in (f"{day.day}/{day.month}/{day.year}", f"{day.month}/{day.day}/{day.year}"):
        found = read_date(words, today)
        if isinstance(found, Trouble):
            assert day.isoformat() in found.arguments.values()
        else:
            assert found == day


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-400, 400))
def test_a_day_without_a_year_is_this_years_or_asked(today: date, offset: int) -> None:
    day = today + timedelta(days=offset)
    found = read_date(f"{day.month}月{day.day}日", today)
    if isinstance(found, date):
        assert (found.year, found.month, found.day) == (today.year, day.month, day.day)
        assert abs((found - today).days) <= 183
    elif found.key == "either":
        assert all(str(text)[5:] == f"{day:%m-%d}" for text in found.arguments.values())
    else:
        assert (day.month, day.day) == (2, 29)


@pytest.mark.parametrize(
    ("words", "clock"),
    [
        ("14:30", "14:30"), ("１４：３０", "14:30"), ("14:30:15", "14:30:15"), ("14.30", "14:30"),
        ("1430", "14:30"), ("14h30", "14:30"), ("2:30 pm", "14:30"), ("2:30PM", "14:30"),
        ("2.30 p.m.", "14:30"), ("at 2:30 pm", "14:30"), ("下午两点半", "14:30"),
        ("14点30分", "14:30"),
        ("14时30分", "14:30"), ("下午2:30", "14:30"), ("half past two in the afternoon", "14:30"),
        ("上午十点一刻", "10:15"), ("下午三点三刻", "15:45"), ("上午十点整", "10:00"),
        ("早上六点钟", "06:00"), ("晚上8点", "20:00"), ("晚上八点零五分", "20:05"),
        ("中午12点", "12:00"),
        ("中午1点", "13:00"), ("noon", "12:00"), ("正午", "12:00"), ("midnight", "00:00"),
        ("12 am", "00:00"), ("12pm", "12:00"), ("12:15 am", "00:15"), ("凌晨两点", "02:00"),
        ("凌晨12点半", "00:30"), ("半夜12点", "00:00"), ("夜里11点", "23:00"), ("零点", "00:00"),
        ("十二点半", "12:30"), ("5pm", "17:00"), ("7 in the morning", "07:00"), ("02:30", "02:30"),
        ("8:30", "08:30"), ("0:05", "00:05"), ("下午差五分三点", "14:55"),
        ("下午三点差一刻", "14:45"),
        ("quarter to three pm", "14:45"), ("ten past nine at night", "21:10"),
        ("现在", "10:20"), ("now", "10:20"), ("2 o'clock in the afternoon", "14:00"),
    ],
)  # fmt: skip
def test_times_as_people_write_them(words: str, clock: str) -> None:
    assert read_time(words, NOW) == time.fromisoformat(clock)


@pytest.mark.parametrize(
    ("words", "one", "other"),
    [("两点一刻", "02:15", "14:15"), ("2:30", "02:30", "14:30"),
     ("half past two", "02:30", "14:30"),
     ("三点十分", "03:10", "15:10"), ("8点", "08:00", "20:00"), ("差五分三点", "02:55", "14:55"),
     ("ten to one", "00:50", "12:50"), ("9 o'clock", "09:00", "21:00")],
)  # fmt: skip
def test_morning_or_afternoon_is_asked_and_either_answer_works(
    words: str, one: str, other: str
) -> None:
    assert read_time(words, NOW) == Trouble("either", {"one": one, "other": other})
    assert read_time(one, NOW) == time.fromisoformat(one)
    assert read_time(other, NOW) == time.fromisoformat(other)


@pytest.mark.parametrize(
    "words",
    ["", "5", "下", "24:00", "14:60", "2560", "上午14点", "晚上2点", "14:30 am", "3点5", "三点五",
     "soon",
     "下午 上午 3点", "25点", "13 o'clock 5", "half past 30", "2026-11-22", "x" * 999, "a few",
     "三四点"],
)  # fmt: skip
def test_what_is_no_certain_time_is_not_taken(words: str) -> None:
    assert read_time(words, NOW) == Trouble("not_a_time")


@given(st.times())
def test_a_time_written_in_any_style_comes_back(at: time) -> None:
    at = at.replace(second=0, microsecond=0)
    hour, minute = at.hour, at.minute
    part = ("凌晨", "上午", "下午", "晚上")[hour // 6]
    twelve = hour % 12 or 12
    styles = [f"{at:%H:%M}", f"{at:%H:%M:%S}", f"{at:%H%M}", wide(f"{at:%H:%M}"), f"{at:%I:%M %p}"]
    styles.append(f"{twelve}:{minute:02}{'am' if hour < 12 else 'pm'}")
    if hour != 12 or part == "下午":
        said = f"{chinese(minute)}分" if minute else "整"
        styles += [f"{part}{chinese(twelve)}点{said}", f"{part}{twelve}点{minute}分"]
    if hour > 12:
        styles += [
            f"{hour}点{minute}分",
            f"{hour}时{minute:02}分",
            f"{chinese(hour)}点{chinese(minute)}分",
        ]
    for words in styles:
        assert read_time(words, NOW) == at, words


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("2026-11-22 14:30", "2026-11-22T14:30"), ("2026-11-22T14:30:00", "2026-11-22T14:30"),
        ("昨天下午三点", "2026-11-24T15:00"), ("11月22日晚上8点", "2026-11-22T20:00"),
        ("22 Nov 2026 at 2:30 pm", "2026-11-22T14:30"), ("2:30 pm on Nov 22", "2026-11-22T14:30"),
        ("Nov 22, 2026 14:30", "2026-11-22T14:30"), ("今晚8点", "2026-11-25T20:00"),
        ("昨晚八点半", "2026-11-24T20:30"), ("明早7点", "2026-11-26T07:00"),
        ("this morning at 8", "2026-11-25T08:00"), ("yesterday at noon", "2026-11-24T12:00"),
        ("2026年11月22日14点30分", "2026-11-22T14:30"), ("20261122 1430", "2026-11-22T14:30"),
        ("二〇二六年十一月二十二日上午九点", "2026-11-22T09:00"), ("now", "2026-11-25T10:20"),
        ("刚才", "2026-11-25T10:20"), ("2 hours ago", "2026-11-25T08:20"),
        ("today 9:00", "2026-11-25T09:00"),
        ("十分钟前", "2026-11-25T10:10"), ("11月22日00:12", "2026-11-22T00:12"),
        ("上周五下午2点", "2026-11-20T14:00"),
        ("Sunday, 22 November 2026, 14:30", "2026-11-22T14:30"),
    ],
)  # fmt: skip
def test_a_date_and_a_time_in_one(words: str, moment: str) -> None:
    assert read_datetime(words, NOW) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("words", "one", "other"),
    [("11月22日两点", "2026-11-22 02:00", "2026-11-22 14:00"),
     ("昨天晚上12点", "2026-11-24 00:00", "2026-11-25 00:00"),
     ("midnight on 22 Nov", "2026-11-22 00:00", "2026-11-23 00:00")],
)  # fmt: skip
def test_a_moment_that_may_be_two_is_asked_and_either_answer_works(
    words: str, one: str, other: str
) -> None:
    assert read_datetime(words, NOW) == Trouble("either", {"one": one, "other": other})
    assert read_datetime(one, NOW) == datetime.fromisoformat(one)
    assert read_datetime(other, NOW) == datetime.fromisoformat(other)


@pytest.mark.parametrize(
    ("words", "trouble"),
    [("2026-11-22", Trouble("needs_time", {"date": "2026-11-22"})),
     ("14:30", Trouble("needs_date")),
     ("昨天", Trouble("needs_time", {"date": "2026-11-24"})), ("hello", Trouble("not_a_datetime")),
     ("2026-02-30 14:30", Trouble("no_such_date", {"date": "2026-02-30"})),
     ("x" * 5000, Trouble("not_a_datetime")),
     ("9999-12-31 晚上12点", Trouble("no_such_date", {"date": "9999-12-31"}))],
)  # fmt: skip
def test_the_half_that_is_missing_is_asked_for(words: str, trouble: Trouble) -> None:
    assert read_datetime(words, NOW) == trouble


@given(st.datetimes(FIRST, LAST))
def test_a_moment_written_in_any_style_comes_back(at: datetime) -> None:
    at = at.replace(second=0, microsecond=0)
    for words in (
        at.isoformat(), f"{at:%Y-%m-%d %H:%M}", f"{at:%Y/%m/%d %H:%M}", f"{at:%Y年%m月%d日 %H:%M}",
        f"{at:%d %b %Y, %I:%M %p}", f"{at:%B %d, %Y at %I:%M %p}", f"{at:%H:%M %Y-%m-%d}",
    ):  # fmt: skip
        assert read_datetime(words, NOW) == at, words


WORDS = st.sampled_from(
    [*"年月日号时点分半刻周前后上下今昨明天早晚零一二三十整差过", *"0123456789:-/., ", "am",
     " pm", "Nov",
     " ago", "last ", "Friday", "noon", "T", "9999", "half past ", "星期", "下午", "凌晨", "礼拜",
     "two"]
)  # fmt: skip


@given(
    st.text(max_size=60) | st.lists(WORDS, max_size=14).map("".join),
    st.datetimes(FIRST, LAST),
)
def test_no_words_are_too_strange_for_moments(words: str, now: datetime) -> None:
    for appearance in ("", "year", "month-year"):
        assert isinstance(read_date(words, now.date(), appearance), date | Trouble)
    assert isinstance(read_time(words, now), time | Trouble)
    moment = read_datetime(words, now)
    assert isinstance(moment, datetime | Trouble)
    assert isinstance(moment, Trouble) or moment.tzinfo is None
