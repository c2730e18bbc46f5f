"""What the guide says of each feature of XLSForm is what happens to a table that uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from surveys.lint.check import check
from tests.surveys.test_lint import CHOICES, GUIDE, SETTINGS, file_of

HEAD = "type | name | label"
SAMPLES = {
    "text": f"{HEAD}\ntext | q | Q",
    "integer, decimal": f"{HEAD}\ninteger | q | Q\ndecimal | p | P",
    "range": f"{HEAD} | parameters\nrange | q | Q | start=0 end=10 step=2",
    "select_one, select_multiple": f"{HEAD}\nselect_one ab | q | Q\nselect_multiple ab | p | P",
    "or_other": f"{HEAD}\nselect_one ab or_other | q | Q",
    "rank": f"{HEAD}\nrank ab | q | Q",
    "date, time, dateTime": f"{HEAD}\ndate | q | Q\ntime | p | P\ndateTime | r | R",
    "acknowledge, note": f"{HEAD}\nacknowledge | q | Q\nnote | p | P",
    "geopoint": f"{HEAD}\ngeopoint | q | Q",
    "image, audio, video, file": f"{HEAD}\nimage | q | Q\naudio | p | P\nvideo | r | R\n"
    "file | s | S",
    "calculate, hidden": f"{HEAD} | calculation\ntext | q | Q |\ncalculate | c | | 1 + 1\n"
    "hidden | h | |",
    "groups, nested groups": f"{HEAD}\nbegin group | g | G\nbegin group | h | H\ntext | q | Q\n"
    "end group | |\nend group | |",
    "field-list": f"{HEAD} | appearance\nbegin group | g | G | field-list\ntext | q | Q |\n"
    "text | p | P |\nend group | | |",
    "table-list": f"{HEAD} | appearance\nbegin group | g | G | table-list\n"
    "select_one ab | q | Q |\nselect_one ab | p | P |\nend group | | |",
    "repeat": f"{HEAD}\nbegin repeat | g | G\ntext | q | Q\nend repeat | |",
    "repeat_count": f"{HEAD} | repeat_count\ninteger | n | N |\nbegin repeat | g | G | ${{n}}\n"
    "text | q | Q |\nend repeat | | |",
    "relevant": f"{HEAD} | relevant\nselect_one ab | q | Q |\ntext | p | P | ${{q}} = 'a'",
    "constraint, constraint_message": f"{HEAD} | constraint | constraint_message\n"
    "integer | q | Q | . > 0 | More than 0, please.",
    "required, required_message": f"{HEAD} | required | required_message\n"
    "text | q | Q | yes | Please.",
    "choice_filter, cascading selects": f"{HEAD} | choice_filter\nselect_one ab | q | Q |\n"
    "select_one ab | p | P | name != ${q}",
    "choices from a repeat": f"{HEAD}\nbegin repeat | g | G\ntext | name | N\nend repeat | |\n"
    "select_one ${name} | q | Q",
    "default, dynamic default": f"{HEAD} | default\ninteger | q | Q | 3\ndate | p | P | today()",
    "trigger": f"{HEAD} | trigger | calculation\ninteger | q | Q | |\n"
    "calculate | c | | ${q} | now()",
    "read_only": f"{HEAD} | read_only | default\ninteger | q | Q | yes | 3\ntext | p | P | |",
    "hint, guidance_hint": f"{HEAD} | hint | guidance_hint\ntext | q | Q | H | More",
    "randomize, seed": f"{HEAD} | parameters\nselect_one ab | q | Q | randomize=true, seed=7",
    "${name} in labels, hints and messages": f"{HEAD}\ntext | q | Q\nnote | n | Hello ${{q}}",
    "several languages": "type | name | label::中文 (zh) | label::English (en)\ntext | q | 问 | Q",
    "functions of ODK XPath": f"{HEAD} | calculation\nselect_multiple ab | q | Q |\n"
    "calculate | c | | if(count-selected(${q}) > 1, jr:choice-name('a', '${q}'), "
    "coalesce(${q}, string(int(round(2.5, 0)))))\n"
    "calculate | d | | format-date(today(), '%Y') + once(random()) + position(..)",
    "start, end, today": f"{HEAD}\nstart | s |\nend | e |\ntoday | t |\ntext | q | Q",
    "deviceid, username, phonenumber, audit": f"{HEAD}\ndeviceid | d |\nusername | u |\n"
    "phonenumber | p |\naudit | |\ntext | q | Q",
    "signature, draw, annotate, image-map": f"{HEAD} | appearance\nimage | q | Q | signature",
    "barcode": f"{HEAD}\nbarcode | q | Q\ntext | p | P",
    "geotrace, geoshape": f"{HEAD}\ngeotrace | q | Q\ngeoshape | p | P",
    "background-audio": f"{HEAD}\nbackground-audio | q |\ntext | p | P",
    "external apps (ex:)": f"{HEAD} | appearance\ntext | q | Q | ex:org.app.scan()",
    "search()": f"{HEAD} | appearance\nselect_one ab | q | Q | search('towns')",
    "select_one_from_file, csv-external, xml-external": f"{HEAD}\n"
    "select_one_from_file t.csv | q | Q\ntext | p | P",
    "pulldata()": f"{HEAD} | calculation\ntext | q | Q |\n"
    "calculate | c | | pulldata('t', 'x', 'y', ${q})",
    "${last-saved#name}": f"{HEAD} | default\ntext | q | Q | ${{last-saved#q}}",
    "entities": f"{HEAD} | save_to\ntext | q | Q | who",
}  # fmt: skip
ENTITIES = "list_name | label\npeople | ${q}"


def told() -> dict[str, str]:
    section = GUIDE.partition("## What works")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| (.+?) \| (yes|ignored|refused) \|", section, re.M))


def test_the_guide_speaks_of_every_feature_tried_here_and_of_no_other() -> None:
    assert list(told()) == [feature.replace("|", "\\|") for feature in SAMPLES]


@pytest.mark.parametrize("feature", SAMPLES)
def test_a_feature_does_what_the_guide_says(feature: str, tmp_path: Path) -> None:
    more = {"entities": ENTITIES} if feature == "entities" else {}
    checked = check(file_of(tmp_path, SAMPLES[feature], CHOICES, SETTINGS, **more))
    codes = {finding.problem.code for finding in checked.findings}
    refusing = {"unsupported_kind", "barcode", "outside_file", "unknown_instance",
                "bad_expression", "pyxform"}  # fmt: skip
    ignoring = {"metadata_ignored", "appearance_ignored", "choice_media_ignored"}
    outcome = "refused" if codes & refusing else "ignored" if codes & ignoring else "yes"
    assert outcome == told()[feature], checked.findings
    if outcome != "refused":
        assert checked.form is not None
