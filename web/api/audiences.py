"""Whom a campaign asks and how it behaves, as programs say it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from surveys.audience import Audience
from surveys.campaigns import Campaign
from web.api.texts import NUMBERS, Truth

WORD = r"^[^,，、;；\x00-\x1f\x7f]*$"
PEOPLE = 10_000_000
Word = Annotated[str, Field(min_length=1, max_length=64, pattern=WORD)]
Many = Annotated[int, Field(ge=0, le=PEOPLE), NUMBERS]
Hour = Annotated[int, Field(ge=0, le=23), NUMBERS]


class QuotaModel(BaseModel):
    """At most so many people of one cell; a person counts in the first that they fit."""

    model_config = ConfigDict(title="Quota", extra="forbid")

    unit: str = Field("", description="Of this unit or below it; empty: any.", max_length=64,
                      pattern=WORD)  # fmt: skip
    tag: str = Field("", description="With this tag; empty: any.", max_length=64, pattern=WORD)
    people: Many = Field(description="The most people of it.")


class AudienceModel(BaseModel):
    """Who of the raters is asked; empty: all of them."""

    model_config = ConfigDict(title="Audience", extra="forbid")

    units: list[Word] = Field([], description="Only people of these units, or below.",
                              max_length=200)  # fmt: skip
    tags: list[Word] = Field([], description="Only people with one of these tags.", max_length=200)
    rest_days: Annotated[int, Field(ge=0, le=366), NUMBERS] = Field(
        0, description="Whom no other campaign asked within so many days."
    )
    sample: Many = Field(0, description="How many people to draw at random; 0: all.")
    strata: Literal["", "unit", "tag", "kind"] = Field(
        "", description="In proportion to what they are drawn."
    )
    quotas: list[QuotaModel] = Field(
        [],
        description="Quotas, in order; one that an earlier one takes whole is refused.",
        max_length=100,
    )
    per_rater: Annotated[int, Field(ge=0, le=1000), NUMBERS] = Field(
        0, description="Most subjects for each person; 0: all."
    )
    per_subject: Many = Field(
        0, description="Most raters for each subject and group, k at least; 0: all."
    )
    at_most: Many = Field(0, description="A wave that would ask more does not open; 0: no cap.")

    @classmethod
    def of(cls, audience: Audience) -> AudienceModel:
        """The same as a campaign has it."""
        plain = {name: getattr(audience, name) for name in cls.model_fields if name != "quotas"}
        plain |= {"units": list(audience.units), "tags": list(audience.tags)}
        quotas = [QuotaModel.model_construct(unit=each.unit, tag=each.tag, people=each.people)
                  for each in audience.quotas]  # fmt: skip
        return cls.model_construct(**plain, quotas=quotas)

    def typed(self) -> dict[str, str]:
        """The fields of a wish."""
        names = ("rest_days", "sample", "per_rater", "per_subject", "at_most")
        numbers = {name: str(getattr(self, name) or "") for name in names}
        quotas = "\n".join(f"{each.unit}; {each.tag}; {each.people}" for each in self.quotas)
        lists = {"units": ",".join(self.units), "tags": ",".join(self.tags)}
        return {**numbers, **lists, "strata": self.strata, "quotas": quotas}


class WordsModel(BaseModel):
    """Own words for a message; empty: the usual ones."""

    model_config = ConfigDict(title="OwnWords", extra="forbid")

    zh: str = Field("", description="In Chinese.", max_length=1000)
    en: str = Field("", description="In English.", max_length=1000)


class MessagesModel(BaseModel):
    """Own words; `{title}`, `{organisation}`, `{closes}`, `{days_left}` and `{k}` are filled in."""

    model_config = ConfigDict(title="Messages", extra="forbid")

    invite: WordsModel = Field(
        default_factory=lambda: WordsModel(zh="", en=""), description="The invitation."
    )
    remind: WordsModel = Field(
        default_factory=lambda: WordsModel(zh="", en=""), description="Each reminder."
    )

    @classmethod
    def of(cls, campaign: Campaign) -> MessagesModel:
        """Those of a campaign."""
        stages: dict[str, Any] = {}
        for stage in cls.model_fields:
            words = campaign.messages.get(stage, {})
            zh, en = words.get("zh", ""), words.get("en", "")
            stages[stage] = WordsModel.model_construct(zh=zh, en=en)
        return cls.model_construct(**stages)

    def typed(self) -> dict[str, str]:
        """The fields of a wish."""
        return {
            f"messages_{stage}_{language}": text
            for stage, words in self.model_dump().items()
            for language, text in words.items()
        }


class Manners(BaseModel):
    """How a campaign behaves; part of what one says of it."""

    shift: Literal["none", "before", "after"] = Field(
        "none", description="Where an opening goes that falls on a day on which nobody works."
    )
    quiet_from: Hour = Field(21, description="Nothing is sent from this hour in people's zone.")
    quiet_until: Hour = Field(8, description="Until this one; two equal hours: no such time.")
    grace: Annotated[int, Field(ge=0, le=168), NUMBERS] = Field(
        1, description="Hours after closing in which whoever has begun may finish."
    )
    audience: AudienceModel = Field(
        default_factory=lambda: AudienceModel.of(Audience()),
        description="Who of the raters is asked.",
    )
    messages: MessagesModel = Field(
        default_factory=lambda: MessagesModel.model_validate({}),
        description="Own words for what is sent.",
    )
    paid: Truth = Field(False, description="Send above Telegram's free pace, for money.")

    def manners(self) -> dict[str, str]:
        """The fields of a wish."""
        return {
            "shift": self.shift,
            "quiet_from": str(self.quiet_from),
            "quiet_until": str(self.quiet_until),
            "grace": str(self.grace),
            "paid": "yes" if self.paid else "",
            **self.audience.typed(),
            **self.messages.typed(),
        }


def manners_of(campaign: Campaign) -> dict[str, Any]:
    """The fields of :class:`Manners` as ``campaign`` has them."""
    return {
        "shift": campaign.shift.value,
        "quiet_from": campaign.quiet[0],
        "quiet_until": campaign.quiet[1],
        "grace": int(campaign.grace.total_seconds() // 3600),
        "audience": AudienceModel.of(campaign.audience),
        "messages": MessagesModel.of(campaign),
        "paid": campaign.paid,
    }


POINTERS = {name: f"#/audience/{name}" for name in AudienceModel.model_fields} | {
    f"messages_{stage}_{language}": f"#/messages/{stage}/{language}"
    for stage in MessagesModel.model_fields for language in WordsModel.model_fields
}  # fmt: skip
"""Where in a request each field of a wish stands."""
