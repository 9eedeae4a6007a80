"""`scientist.toml`: a flag beats an environment variable beats the file beats the default."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from scientist.errors import RecordError, UsageError
from scientist.lab._records import Record, explain, nearest, read_text, read_toml

ROLE_NAMES = ("proposer", "experimenter", "writer", "reviewer")


class Caps(Record):
    """The most that models may cost; None: no cap. `dollars` needs a model whose price is known, or one on this machine."""

    dollars: float | None = Field(default=None, ge=0, description="US dollars")
    tokens: int | None = Field(default=None, ge=0, description="tokens read and written")
    calls: int | None = Field(default=None, ge=0, description="requests")
    seconds: float | None = Field(default=None, ge=0, description="time spent waiting for answers")


class RoleSettings(Record):
    """Who plays one role, where that differs from the rest; an empty `model` is the lab's, 'heuristic' is the rules."""

    model: str = Field(default="", description="'provider/name', or 'heuristic'")
    base_url: str = Field(default="", description="where it answers, when that is not its provider's address")
    key_env: str = Field(default="", description="environment variable that holds its key")
    sees: bool = Field(default=True, description="writer only: show it the figures; false for a model without eyes")
    command: tuple[str, ...] = Field(
        default=(), description="experimenter only: a coding program that edits the working copy, task on stdin"
    )
    env: tuple[str, ...] = Field(
        default=(), description="of `command`: variables that it gets; keys stay outside, addresses lead to `base_url`"
    )
    show: tuple[str, ...] = Field(
        default=(), description="of `command`: files and folders that it must be able to read"
    )
    minutes: float = Field(default=15.0, gt=0, le=600, description="of `command`: the most that one try may take")


class Settings(BaseSettings):
    """What a lab can be told. Every key may also be set as `SCIENTIST_<KEY>` in the environment."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="SCIENTIST_", extra="forbid", frozen=True, validate_default=True
    )

    rounds: int = Field(default=1, ge=1, le=1000, description="rounds of a campaign")
    ideas: int = Field(default=2, ge=1, le=100, description="papers per round")
    seeds: int = Field(default=40, ge=1, le=1000, description="most seeds per variant; power decides how many are used")
    pilot_seeds: int = Field(default=8, ge=2, le=50, description="seeds of the pilot that the power calculation uses")
    workers: int = Field(default=0, ge=0, le=256, description="runs at a time; 0 means one per core")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="where every random choice starts")
    feedback: bool = Field(default=True, description="let the lessons of reviews choose what is tried next")
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="family-wise error rate of a study")
    power: float = Field(default=0.8, gt=0.1, lt=1, description="wanted probability to find the smallest effect")
    lessons: int = Field(default=12, ge=0, le=200, description="lessons kept active at a time")
    lesson_rounds: int = Field(default=3, ge=1, le=1000, description="rounds after which a lesson expires")
    literature_deadline: float = Field(default=8.0, gt=0, le=600, description="seconds one novelty check may take")
    online: bool = Field(default=True, description="ask the open indexes when there is a network")
    library_covers: bool = Field(
        default=False, description="the lab's library covers its field: what is not in it may be new"
    )
    arxiv_url: str = Field(default="https://export.arxiv.org", description="where arXiv's API is")
    semantic_scholar_url: str = Field(default="https://api.semanticscholar.org", description="where S2's API is")
    openalex_url: str = Field(default="https://api.openalex.org", description="where OpenAlex's API is")
    crossref_url: str = Field(default="https://api.crossref.org", description="where Crossref's API is")
    contact: str = Field(
        default="",
        max_length=200,
        pattern=r"^([^\s@<>()]+@[^\s@<>()]+)?$",
        description="e-mail address that the indexes are told with every question",
    )
    early_stop: bool = Field(default=False, description="stop variants half-way that can no longer win; declared")
    executor: str = Field(default="local", pattern="^(local|ray)$", description="where runs execute")
    address: str = Field(default="", description="Ray cluster to join, 'host:port' or 'auto'; empty starts one here")
    model: str = Field(default="", description="who plays the roles, 'provider/name'; empty: rules do")
    base_url: str = Field(default="", description="where the model answers, when that is not its provider's address")
    key_env: str = Field(
        default="", description="environment variable that holds the key, when it is not the usual one"
    )
    roles: dict[str, RoleSettings] = Field(default_factory=dict, description="per role: model, base_url, key_env, ...")
    budget: Caps = Field(default=Caps(), description="the most that models may cost in this lab")
    paper_budget: Caps = Field(default=Caps(), description="the most that models may cost for one paper")
    replay: str = Field(default="", description="folder of recorded conversations; nothing is sent to any model")
    replay_misses: str = Field(
        default="stop", pattern="^(stop|rules)$", description="what happens where a recording has no answer"
    )
    sandbox: str = Field(
        default="auto", pattern="^(auto|bubblewrap|landlock|process)$", description="how runs are isolated"
    )

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, roles: dict[str, RoleSettings]) -> dict[str, RoleSettings]:
        for name, role in roles.items():
            if name not in ROLE_NAMES:
                raise ValueError(f"there is no role '{name}'{nearest(name, list(ROLE_NAMES))}")
            if role.command and name != "experimenter":
                raise ValueError(f"the {name} cannot be played by a command; only the experimenter can")
        return roles

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what we name: the caller merges file and flags, the environment stands between them."""
        return (init_settings, env_settings)


def load_settings(path: Path, flags: dict[str, Any] | None = None) -> Settings:
    """Settings of a lab.

    `path` is its `scientist.toml` (may be absent), `flags` what the command line set (None values are ignored).
    Raises :class:`RecordError` for an unknown key in the file (naming the nearest known one), a wrong type or a value
    out of range, and :class:`UsageError` for the same in a flag or in the environment.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    _refuse_misspelt_environment()
    text = read_text(path) if path.exists() else ""
    from_file = read_toml(path) if path.exists() else {}
    beaten = {key for key in Settings.model_fields if _environment(key)}
    # A broken file is refused as such, even where a flag would beat the broken value.
    _validate(from_file, set(from_file), str(path), text)
    return _validate({k: v for k, v in from_file.items() if k not in beaten} | given, set(), "settings")


def _validate(values: dict[str, Any], file: set[str], where: str, text: str = "") -> Settings:
    """Settings from these values and the environment; whose fault an error is depends on who set the key."""
    try:
        return Settings(**values)
    except ValidationError as error:
        key = str(error.errors()[0]["loc"][0])
        if key in file:
            raise RecordError(explain(error, Settings, where, text), "see docs/settings.md") from error
        where = f"--{key.replace('_', '-')}" if key in values else f"environment {_environment(key)}"
        said = explain(error, Settings, where).replace(f"{where}: {key}: ", f"{where}: ")
        raise UsageError(said, "see docs/settings.md") from error


def _environment(key: str) -> str:
    """How the environment spells a setting, or an empty string."""
    return next((name for name in os.environ if name.upper() == f"SCIENTIST_{key.upper()}"), "")


def _refuse_misspelt_environment() -> None:
    """A variable that is nearly one of ours was meant to be one; others with our prefix are not ours to judge."""
    known = [f"SCIENTIST_{key.upper()}" for key in Settings.model_fields]
    for name in sorted(os.environ):
        if name.upper().startswith("SCIENTIST_") and name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.9)
            if close:
                raise UsageError(
                    f"environment: {name} is no setting (did you mean '{close[0]}'?)", "rename or unset it"
                )
