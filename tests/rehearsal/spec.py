"""Checks JSON against a Bot API specification: missing, unknown and wrongly typed fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"
FULL = Path("../shared/data/telegram-bot-api.json")
SPECS = [DATA / "bot_api_extract.json", *([FULL] if FULL.exists() else [])]


class Spec:
    def __init__(self, path: Path) -> None:
        self._raw: dict[str, Any] = json.loads(path.read_text("utf-8"))

    def result_faults(self, method: str, result: Any) -> list[str]:
        kinds = self._raw["methods"][method]["returns"]
        return self._value(result, kinds, method)

    def parameter_faults(self, method: str, given: dict[str, Any]) -> list[str]:
        fields = {f["name"]: f for f in self._raw["methods"][method].get("fields", [])}
        faults = [
            f"{method}: {name} missing"
            for name, field in fields.items()
            if field["required"] and name not in given
        ]
        for name, value in given.items():
            if name in fields:
                faults += self._sent(value, fields[name]["types"], f"{method}.{name}")
            elif not (isinstance(value, str) and value.startswith("file ")):  # attached part
                faults.append(f"{method}: {name} unknown")
        return faults

    def _sent(self, value: Any, kinds: list[str], where: str) -> list[str]:
        """Parameters travel as text: decode what should be a number or a structure."""
        if not isinstance(value, str) or "String" in kinds or "InputFile" in kinds:
            return self._value(value, kinds, where) if "InputFile" not in kinds else []
        try:
            return self._value(json.loads(value), kinds, where)
        except ValueError:
            return [f"{where}: {value!r} is not JSON"]

    def _value(self, value: Any, kinds: list[str], where: str) -> list[str]:
        tried = [self._one(value, kind, where) for kind in kinds]
        return min(tried, key=len)

    def _one(self, value: Any, kind: str, where: str) -> list[str]:
        if kind.startswith("Array of "):
            if not isinstance(value, list):
                return [f"{where}: {value!r} is no list"]
            inner = kind.removeprefix("Array of ")
            return [f for i, v in enumerate(value) for f in self._one(v, inner, f"{where}[{i}]")]
        plain: dict[str, type | tuple[type, ...]] = {
            "Integer": int,
            "String": str,
            "Boolean": bool,
            "True": bool,
            "Float": (int, float),
        }
        if kind in plain:
            right = isinstance(value, plain[kind]) and (kind != "Integer" or value is not True)
            return [] if right else [f"{where}: {value!r} is no {kind}"]
        return self._object(value, kind, where)

    def _object(self, value: Any, kind: str, where: str) -> list[str]:
        described = self._raw["types"][kind]
        if described.get("subtypes"):
            return self._value(value, described["subtypes"], where)
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no {kind}"]
        fields = {f["name"]: f for f in described.get("fields", [])}
        faults = [
            f"{where}: {name} missing"
            for name, field in fields.items()
            if field["required"] and name not in value
        ]
        for name, inner in value.items():
            if name not in fields:
                faults.append(f"{where}: {name} unknown to {kind}")
            else:
                faults += self._value(inner, fields[name]["types"], f"{where}.{name}")
        return faults
