from __future__ import annotations

from bot.ledger import Ledger


def _raw(*ids: int) -> list[dict[str, int]]:
    return [{"update_id": n} for n in ids]


def test_the_offset_is_the_lowest_unfinished() -> None:
    ledger = Ledger()
    assert ledger.offset is None
    assert all(ledger.begin(n) for n in (5, 6, 7))
    ledger.finish(6)
    assert ledger.offset == 5
    ledger.finish(5)
    assert ledger.offset == 7
    ledger.finish(7)
    assert ledger.offset == 8


def test_what_telegram_repeats_is_not_begun_again() -> None:
    ledger = Ledger()
    ledger.begin(5)
    ledger.begin(6)
    ledger.finish(6)
    ledger.confirmed(_raw(5, 6))
    assert not ledger.begin(5)
    assert not ledger.begin(6)


def test_after_a_quiet_week_lower_numbers_are_new() -> None:
    ledger = Ledger()
    ledger.begin(900)
    ledger.finish(900)
    ledger.confirmed([])
    assert ledger.offset is None
    assert ledger.begin(12)
    ledger.finish(12)
    assert ledger.offset == 13
