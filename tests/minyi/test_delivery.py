"""Six hundred people on a bad day, the sender killed three times: what is measured, but smaller."""

from __future__ import annotations

from pathlib import Path

from benchmarks.delivering import LANES, Plan, ours, theirs

PLAN = Plan(600, 3, rate=60.0, blocked=30, silences=2, failures=2, lost=1, slow=10)


async def test_everybody_is_asked_once_however_often_the_sender_is_killed(
    database_url: str,
) -> None:
    one = await ours(PLAN, database_url)
    assert one.kills == PLAN.kills
    assert one.twice == 0, "nobody is asked twice"
    assert one.unspoken == 0, "whoever was not asked is known to be ambiguous"
    assert one.once + one.never + PLAN.blocked == PLAN.people
    assert one.never <= one.unknown <= PLAN.failures + 2 * PLAN.lost + LANES * (PLAN.kills + 1)
    assert one.blocked_again == 0
    assert one.worst_second <= PLAN.rate + LANES + 1, "only what is under way can bunch"


async def test_the_loop_of_small_bots_asks_people_twice_on_the_same_day(tmp_path: Path) -> None:
    other = await theirs(PLAN, tmp_path / "loop.db")
    assert other.twice >= 1
