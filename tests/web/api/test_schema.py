"""The whole API against its own description: what schemathesis thinks of, and what it cannot."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from storage import FileKeyring, SqlStore
from tests.web.api.stocked import FORM, program, stock
from tests.web.console.seats import Clock, Desk, desk_on
from web.api.app import OPERATIONS, schema

EXAMPLES = 6  # made for each operation, beside the edges of every field that are always tried
KNOWN: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/questionnaires/{version}", {"version": FORM.hash}),
    ("GET", "/questionnaires/{version}/xform", {"version": FORM.hash}),
    ("GET", "/works/{work}", {"work": "w1"}),
    ("GET", "/results/{period}/{subject}", {"period": "2026Q1", "subject": "clinic"}),
    ("GET", "/waves/{wave}", {"wave": "window.2"}),
)
"""What nobody could guess, so that it is answered with something."""


@dataclass
class Ticking(Clock):
    """Time passes whenever anybody looks, so that no rate is ever exceeded."""

    def __call__(self) -> datetime:
        self.on(seconds=20)
        return self.now


@dataclass
class Run:
    """What schemathesis did: answers by operation and status, checks by name, and failures."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def note(self, recorder: ScenarioRecorder) -> None:
        for case, interaction in recorder.interactions.items():
            if interaction.response is not None:
                label = recorder.cases[case].value.operation.label
                self.answers[label, interaction.response.status_code] += 1
        for checks in recorder.checks.values():
            for check in checks:
                self.checks[check.name] += 1
                if check.failure_info is not None:
                    told = f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                    self.failures.append(f"{recorder.label}: {told}")


def configuration(secret: str) -> SchemathesisConfig:
    made = {
        "seed": 20261123,
        "headers": {"Authorization": f"Bearer {secret}"},
        "generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"},
        "checks": {
            # 422: well formed, but not as things stand; 400 is what the description forbids
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "403", "404", "409", "422"]
            }
        },
    }
    return SchemathesisConfig.from_dict(made)


def test_schemathesis_finds_nothing(sqlite_url: str, tmp_path: Path) -> None:
    store = SqlStore(sqlite_url)
    desk = desk_on(store, Ticking(), keyring=FileKeyring(tmp_path / "keys"))
    try:
        secret = asyncio.run(_prepared(desk))
        run = _tried(desk, secret)
    finally:
        asyncio.run(store.close())
    assert not run.failures, "\n\n".join(run.failures)
    asked = {label for label, _ in run.answers}
    assert asked >= {f"{operation.method} {operation.path}" for operation in OPERATIONS}
    assert not [pair for pair in run.answers if pair[1] >= 500]
    assert {"ignored_auth", "response_schema_conformance", "use_after_free"} <= set(run.checks)
    good = {label for label, status in run.answers if 200 <= status < 300}
    assert len(good) >= len(OPERATIONS) - 3, asked - good


async def _prepared(desk: Desk) -> str:
    await stock(desk)
    return (await program(desk, days=365)).secret


def _tried(desk: Desk, secret: str) -> Run:
    described = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", desk.app, config=configuration(secret)
    )
    run = Run()
    for method, path, places in KNOWN:
        case = described[path][method].Case(path_parameters=places)
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, path
        run.answers[f"{method} {path}", answer.status_code] += 1
    for event in from_schema(described).execute():
        match event:
            case events.ScenarioFinished():
                run.note(event.recorder)
            case events.NonFatalError() | events.FatalError():
                run.failures.append(str(event))
    return run


def walked(part: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the description, with where it stands."""
    if isinstance(part, dict):
        yield path, part
        for name, below in part.items():
            yield from walked(below, f"{path}/{name}")
    elif isinstance(part, list):
        for place, below in enumerate(part):
            yield from walked(below, f"{path}/{place}")


def test_everything_is_described() -> None:
    made = schema()
    bare = [
        f"{name}.{member}"
        for name, model in made["components"]["schemas"].items()
        for member, told in model.get("properties", {}).items()
        if not told.get("description") and "$ref" not in told
    ]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"].strip(), where
            assert operation["security"] == [{"token": [operation["x-permission"]]}], where
            assert set(operation["x-summary"]) == {"zh", "en"}, where
            bare += [f"{where} {p['name']}" for p in operation.get("parameters", ())
                     if not p.get("description")]  # fmt: skip
    assert not bare


def test_the_description_leads_to_no_other_host() -> None:
    for path, part in walked(schema()):
        for name, value in part.items():
            if isinstance(value, str) and "://" in value:
                assert "example" in value, f"{path}/{name}: {value}"
