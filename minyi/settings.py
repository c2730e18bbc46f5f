"""Everything that can be set, from the environment or one file; wrong things are refused by name.

The environment wins over the file. Only ``minyi/`` reads settings; every other room is handed
plain values.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from desk.roles import Role

PREFIX = "MINYI_"
TELEGRAM = "https://api.telegram.org"
TOKEN_SHAPE = re.compile(r"[0-9]{5,20}:[A-Za-z0-9_-]{30,64}")
DATABASES = ("sqlite", "postgresql", "postgres", "postgresql+psycopg")


class Settings(BaseSettings):
    """One process's settings, checked. Secrets are hidden in every printed form."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    telegram_token: SecretStr | None = Field(
        None, description="The bot's token, as @BotFather gave it. Without one there is no bot."
    )
    telegram_api_url: str = Field(
        TELEGRAM, description="Another Bot API server: your own, or the rehearsal's."
    )
    telegram_mode: Literal["polling", "webhook"] = Field(
        "polling", description="How updates arrive. A webhook needs a public https address."
    )
    telegram_rate: float = Field(
        20,
        ge=1,
        le=30,
        description="Invitations a second, at most. Telegram grants a bot about 30.",
    )
    telegram_paid_rate: float = Field(
        0,
        ge=0,
        le=1000,
        description="The same for campaigns that pay Telegram to go faster. 0: as the others.",
    )
    database_url: str = Field(
        "",
        repr=False,
        description="SQLite or PostgreSQL, as `postgresql://name:password@host/database`. "
        "Empty: the file `minyi.db` in the data directory.",
    )
    data_dir: Path = Field(
        Path("minyi-data"),
        description="Where the database file and the keys lie. Back it up with `minyi backup`.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="The address that people's browsers reach; in links."
    )
    host: str = Field(
        "127.0.0.1", min_length=1, description="The interface that the web listens on."
    )
    port: int = Field(8080, ge=1, le=65535, description="The port that the web listens on.")
    language: Literal["zh", "en"] = Field(
        "zh", description="Spoken where a person has not chosen and their client does not say."
    )
    zone: str = Field("Asia/Shanghai", description="Time zone of new campaigns, as IANA names it.")
    organisation_zh: str = Field(
        "本单位", min_length=1, max_length=60, description="Who is asking, in Chinese."
    )
    organisation_en: str = Field(
        "our organisation", min_length=1, max_length=60, description="Who is asking, in English."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged. Nobody's words or grades ever are."
    )
    k: int = Field(
        5, ge=3, le=50, description="Fewest ratings that a new campaign's figures may stand for."
    )
    questionnaires_dir: Path | None = Field(
        None, description="Your own questionnaires, offered beside those that come with Minyi."
    )

    second_factor: str = Field(
        "administrator,custodian",
        description="Roles that must have a second factor at the desk, with commas, or `none`.",
    )
    approval_above: int = Field(
        1000,
        ge=1,
        description="A campaign that asks more people than this needs a second person's approval.",
    )
    openid_issuer: str = Field(
        "", description="Your own sign-in (OpenID Connect): its issuer's address. Empty: none."
    )
    openid_client_id: str = Field("", description="What your own sign-in calls Minyi.")
    openid_client_secret: SecretStr | None = Field(
        None, description="The secret that your own sign-in gave to Minyi."
    )
    openid_name: str = Field(
        "OpenID", min_length=1, max_length=40, description="What the button for it says."
    )
    private_hooks: bool = Field(
        False, description="Whether outgoing webhooks may reach private networks."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Who sends it may read /metrics. Without one nobody may."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses of reverse proxies whose X-Forwarded-For is believed, with commas.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in: ``minyi.configuration`` reads, and remembers what came whence."""
        return (init_settings,)

    @field_validator("telegram_token", mode="before")
    @classmethod
    def _token(cls, value: Any) -> Any:
        if value in {None, ""}:
            return None
        shown = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if not TOKEN_SHAPE.fullmatch(shown.strip()):
            raise ValueError(
                "is not a bot token; one looks like 123456789:AAE… (digits, :, letters)"
            )
        return shown.strip()

    @field_validator("telegram_mode", "language", "log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("telegram_api_url", "public_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("is not a web address; it must begin with http:// or https://")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("must be a bare address, without a name, ? or #")
        return value.rstrip("/")

    @field_validator("openid_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        return cls._address(value) if value else value

    @field_validator("second_factor")
    @classmethod
    def _roles(cls, value: str) -> str:
        words = [word.strip().lower() for word in value.split(",") if word.strip()]
        unknown = [word for word in words if word not in {*Role, "none"}]
        if unknown or not words:
            raise ValueError(f"must be roles with commas, of {', '.join(Role)}, or none")
        return ",".join(words)

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        if not value:
            return value
        scheme, _, rest = value.partition("://")
        if scheme not in DATABASES or not rest:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for address in filter(None, (part.strip() for part in value.split(","))):
            try:
                network = ip_network(address)
            except ValueError:
                raise ValueError("must be addresses or networks with commas") from None
            if not network.prefixlen:
                raise ValueError("must not be everybody: then anyone could claim any address")
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a time zone; names look like Asia/Shanghai")
        return value

    @field_validator("questionnaires_dir")
    @classmethod
    def _folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.expanduser().is_dir():
            raise ValueError("is not a directory that can be read")
        return None if value is None else value.expanduser()

    @field_validator("data_dir")
    @classmethod
    def _data(cls, value: Path) -> Path:
        if value.expanduser().is_file():
            raise ValueError("is a file; it must be a directory")
        return value.expanduser().absolute()

    @property
    def second_factor_roles(self) -> frozenset[Role]:
        """``second_factor`` as roles."""
        return frozenset(Role(word) for word in self.second_factor.split(",") if word != "none")

    @property
    def timezone(self) -> ZoneInfo:
        """``zone``, ready to use."""
        return ZoneInfo(self.zone)

    @property
    def organisation(self) -> dict[str, str]:
        """Who is asking, by language code."""
        return {"zh": self.organisation_zh, "en": self.organisation_en}

    @property
    def database(self) -> str:
        """The URL of the database, the default put in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'minyi.db'}"

    @property
    def keys_dir(self) -> Path:
        """Where the keys lie."""
        return self.data_dir / "keys"

    @property
    def shown_database(self) -> str:
        """The URL of the database without its password."""
        bare = self.database.partition("?")[0]  # a password may stand behind it as well
        return re.sub(r"//.*@", "//***@", bare)

    @property
    def token(self) -> str | None:
        """The bot's token in clear, for the one call that needs it."""
        return None if self.telegram_token is None else self.telegram_token.get_secret_value()

    def shown(self, name: str) -> str:
        """The value of setting ``name`` (lower case, no prefix), fit for a screen."""
        value = getattr(self, name)
        if isinstance(value, SecretStr):
            return "set, hidden"
        if name == "database_url":
            return self.shown_database
        if isinstance(value, bool):
            return str(value).lower()  # as it is written in the environment and in the file
        return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
