"""Shapes that several resources share."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from surveys.people import Text

ID = r"^[^\s/\x00-\x1f\x7f]{1,64}$"
LINE = r"^[^\x00-\x1f\x7f]*$"
Truth = Annotated[bool, Field(strict=True)]  # else "yes" and 0 would do as well


def _number(value: object) -> object:
    if isinstance(value, str | bool):
        raise PydanticCustomError("int_type", "Input should be a valid integer")
    return value


NUMBERS = BeforeValidator(_number)  # 3.0 is a whole number of JSON, "3" is not
Group = Literal["SUP", "PEER", "SUB", "SVC", "SELF"]
CampaignId = Annotated[str, Path(description="A campaign's id.", pattern=ID)]
WaveId = Annotated[str, Path(description="A wave's id.", pattern=ID)]
SubjectId = Annotated[str, Path(description="A subject's id.", pattern=ID)]
PersonId = Annotated[str, Path(description="A person's id.", pattern=ID)]


class Bilingual(BaseModel):
    """One text in Chinese and English; empty where there is none."""

    model_config = ConfigDict(extra="forbid")

    zh: str = Field("", description="In Chinese.", max_length=200, pattern=LINE)
    en: str = Field("", description="In English.", max_length=200, pattern=LINE)

    @classmethod
    def of(cls, text: Text) -> Bilingual:
        """The text's Chinese and English."""
        return cls.model_construct(zh=text.get("zh", ""), en=text.get("en", ""))
