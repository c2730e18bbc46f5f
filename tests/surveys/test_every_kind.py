"""What people do in a chat beside plain answers: edits, haste, places, languages, long lists."""

from __future__ import annotations

from pathlib import Path

from surveys.cells import RaterGroup
from surveys.forms.form import Form, Kind
from surveys.people import Invite, Relation
from surveys.reply import Located, Reply, Typed
from tests.surveys.forms import form_of
from tests.surveys.world import World, found_world

TALK = form_of(
    "type | name | label\ntext | story | What happened?\ninteger | times | How often?\n"
    "geopoint | where | Where?\ntext | more | Anything else?"
)
LANGUAGES = form_of(
    "type | name | label::中文 (zh) | label::Français (fr) | label::Shona\n"
    "text | q | 怎么样？ | Comment ça va ? | Makadii?\ntext | r | 还有呢？ | Et encore ? | Zvimwe?"
)
MANY = "list_name | name | label\n" + "\n".join(f"m | c{n} | Street {n}" for n in range(1, 31))
LONG = form_of("type | name | label\nselect_one m | q | Which?\ntext | r | And?", MANY)


async def world_of(form: Form, folder: Path) -> World:
    return await found_world("sqlite://", folder, form=form)


async def say(world: World, text: str, event: int, **how: bool) -> Reply:
    return (await world.hear("a", Typed(text, event, **how)))[-1]


def test_the_kinds_that_are_asked_here() -> None:
    assert [q.kind for q in TALK.questions] == [Kind.TEXT, Kind.INTEGER, Kind.GEOPOINT, Kind.TEXT]


async def test_a_second_message_in_haste_goes_on_with_the_first(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    await world.open("a", "poster", hint="en")
    await say(world, "I waited", 11)
    reply = await say(world, "for two hours", 12, hasty=True)
    assert reply.text.startswith("✓ Added to your last answer.")
    assert "How often?" in reply.text
    again = await say(world, "for two hours", 12, hasty=True)  # delivered twice
    assert "Added" not in again.text
    await say(world, "3", 13)
    hasty = await say(world, "and more", 14, hasty=True)
    assert "You sent that before the question below appeared" in hasty.text
    assert "Where?" in hasty.text
    await world.store.close()


async def test_an_edited_message_changes_the_answer_it_gave_and_no_other(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    await world.open("a", "poster", hint="en")
    await say(world, "Nothing", 21)
    await say(world, "three", 22)
    assert "Your change is noted" in (await say(world, "four", 22, amended=True)).text
    assert "kept your first answer" in (await say(world, "often", 22, amended=True)).text
    late = await say(world, "Something", 21, amended=True)
    assert "no answer was changed by it" in late.text
    never = await say(world, "Something", 30, amended=True)  # words that were never taken
    assert "no answer was changed by it" in never.text
    assert "Where?" in never.text
    await world.store.close()


async def test_a_place_is_an_answer_where_one_is_asked_for(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    await world.open("a", "poster", hint="en")
    place = Located(39.9042, 116.4074, 12.0, event=31)
    assert "needs an answer in words" in (await world.hear("a", place))[-1].text
    await say(world, "Nothing", 32)
    await say(world, "0", 33)
    reply = (await world.hear("a", Located(39.9042, 116.4074, 12.0, event=34)))[-1]
    assert "Anything else?" in reply.text
    assert "Anything else?" in (await world.hear("a", Located(0, 0, 0, event=34)))[-1].text
    await world.store.close()


async def test_the_reply_names_its_question_and_what_it_wants(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    first = await world.open("a", "poster", hint="en")
    trouble = await world.type("a", "")
    second = await world.type("a", "Nothing")
    assert first.place == trouble.place != second.place
    assert [reply.wants for reply in (first, trouble, second)] == [
        Kind.TEXT, Kind.TEXT, Kind.INTEGER,
    ]  # fmt: skip
    await world.store.close()


async def test_a_questionnaire_speaks_every_language_it_has(tmp_path: Path) -> None:
    world = await world_of(LANGUAGES, tmp_path)
    await world.open("a", "poster")
    offered = await world.type("a", "/language")
    labels = [button.label for row in offered.rows for button in row]
    assert labels == [
        "中文",
        "English",
        "Français",
    ]  # a language without a code has no name of ours
    french = await world.tap("a", "Français")
    assert "Comment ça va ?" in french.text
    assert french.language == "fr"
    following = await world.type("a", "Bien")
    assert "Et encore ?" in following.text
    assert [button.label for row in following.rows for button in row] == ["Back", "Skip"]
    await world.store.close()


async def test_a_long_list_is_turned_page_by_page_and_every_choice_can_be_pressed(
    tmp_path: Path,
) -> None:
    world = await world_of(LONG, tmp_path)
    seen = await world.open("a", "poster", hint="en")
    drawn: list[str] = []
    for _ in range(3):
        drawn += [b.label for row in seen.rows for b in row if b.label.startswith("Street")]
        seen = await world.tap("a", "More choices")
    assert drawn == [f"Street {n}" for n in range(1, 31)]
    assert any(b.label == "Street 1" for row in seen.rows for b in row)  # round to the first
    await world.tap("a", "More choices")
    assert "And?" in (await world.tap("a", "Street 14")).text
    await world.store.close()


async def test_typed_words_that_may_be_several_choices_show_just_those(tmp_path: Path) -> None:
    world = await world_of(LONG, tmp_path)
    await world.open("a", "poster", hint="en")
    reply = await world.type("a", "Street 2")
    assert "And?" in reply.text
    await world.tap("a", "Back")
    reply = await world.type("a", "street")
    labels = [button.label for row in reply.rows for button in row]
    assert "any of these" in reply.text
    assert "More choices" in labels
    await world.store.close()


async def test_an_interview_goes_on_where_it_was_begun_and_nowhere_else(tmp_path: Path) -> None:
    """A link that somebody else made must not show what was answered (decision 0011)."""
    roll = [Relation("peer", "desk", RaterGroup.PEER)]
    world = await found_world("sqlite://", tmp_path, form=TALK, roll=roll)
    await world.open("telephone", "link-peer", hint="en")
    await world.type("telephone", "继续")
    await world.type("telephone", "A long story")
    assert "How often?" in (await world.look("telephone")).text
    await world.type("telephone", "暂停")
    await world.store.write(lambda tx: tx.put_invites([Invite("again", "staff", "peer")]))
    refused = await world.open("browser", "again", hint="en")
    assert "cannot move" in refused.text
    assert "answers so far" not in refused.text
    await world.open("telephone", "", hint="en")
    assert "How often?" in (await world.tap("telephone", "Continue")).text
    await world.store.close()


REVIEWED = form_of(
    "type | name | label\ntext | story | What happened?\nselect_multiple ab | fruit | Which?\n"
    "integer | times | How often?",
    settings='form_title | namespaces | attribute::minyi:review\nT | minyi="urn:minyi" | yes',
)


async def test_an_answer_taken_back_can_be_kept_at_a_press(tmp_path: Path) -> None:
    world = await world_of(REVIEWED, tmp_path)
    await world.open("a", "poster", hint="en")
    await world.type("a", "A long story")
    await world.tap("a", "Back")
    kept = await world.tap("a", "Keep: A long story")
    assert "Which?" in kept.text
    await world.type("a", "Apple, Cherry")
    back = await world.tap("a", "Back")
    labels = [button.label for row in back.rows for button in row]
    assert labels[:4] == ["☑ Apple", "☐ Banana", "☑ Cherry", "Done"]
    await world.store.close()


async def test_the_review_is_left_for_one_answer_and_come_back_to(tmp_path: Path) -> None:
    world = await world_of(REVIEWED, tmp_path)
    await world.open("a", "poster", hint="en")
    for words in ("A story", "Apple", "3"):
        review = await world.type("a", words)
    assert "3. How often?" in review.text
    asked = await world.tap("a", "Change 2")
    assert "Which?" in asked.text
    assert "2. Which?\n    Apple" in (await world.tap("a", "Back")).text  # nothing was lost
    await world.tap("a", "Change 1")
    assert "Clear this answer" in str(world.drawn["a"])
    assert "(not answered)" in (await world.tap("a", "Clear this answer")).text
    assert "sealed in the ballot box" in (await world.tap("a", "Send")).text
    assert "sealed in the ballot box" in (await world.look("a")).text  # reloaded: the way to change
    assert "even we cannot read them" in (await world.tap("a", "Change my answers")).text
    await world.store.close()


async def test_stop_in_mid_interview_may_mean_only_now(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    await world.open("a", "poster", hint="en")
    await world.type("a", "A story")
    assert "Stop for now, or never" in (await world.type("a", "stop")).text
    assert "kept" in (await world.tap("a", "Not now")).text
    assert "Your answers so far are kept." in (await world.type("a", "hello")).text
    await world.type("a", "continue")
    await world.type("a", "quit")
    assert "you will not be invited again" in (await world.tap("a", "Never invite me again")).text
    assert "You have chosen not to take part" in (await world.type("a", "hello")).text
    assert "Welcome back" in (await world.tap("a", "Take part again")).text
    await world.store.close()


async def test_what_was_guessed_is_said_back(tmp_path: Path) -> None:
    world = await world_of(TALK, tmp_path)
    await world.open("a", "poster", hint="en")
    assert "Noted" not in (await world.type("a", "A story")).text
    assert (await world.type("a", "about three times")).text.startswith("✓ Noted: 3")
    await world.store.close()
