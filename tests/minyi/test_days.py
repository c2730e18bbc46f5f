"""minyi days: the calendar at the terminal."""

from __future__ import annotations

from tests.minyi.conftest import Minyi


def test_a_day_is_set_shown_and_dropped(founded: Minyi) -> None:
    assert founded("days", "set", "2031-02-09", "work", "调休上班").status == 0
    shown = founded("days", "show", "2031")
    assert "2031-02-09" in shown.out
    assert "调休上班" in shown.out
    assert founded("days", "drop", "2031-02-09").status == 0
    assert "2031-02-09" not in founded("days", "show", "2031").out


def test_what_is_no_day_is_refused_with_how_to_mend_it(founded: Minyi) -> None:
    refused = founded("days", "set", "2031-02-30", "off")
    assert refused.status != 0
    assert "2031-02-30" in refused.err


def test_a_year_is_announced_once_its_notice_is_entered_whole(founded: Minyi) -> None:
    founded("days", "set", "2031-02-09", "work", "调休上班")
    assert "have not been announced" in founded("days", "show", "2031").out
    assert founded("days", "whole", "2031").status == 0
    assert "have not been announced" not in founded("days", "show", "2031").out
    assert "was known" in founded("days", "whole", "2031").out
    assert founded("days", "whole", "2031", "--undo").status == 0
    assert "have not been announced" in founded("days", "show", "2031").out
