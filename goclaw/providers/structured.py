"""Answers in a form of the caller's own, for vendors that know it only in part."""

from typing import Any, Final

import orjson

from goclaw.providers.messages import Json

JSON_ONLY: Final = "Answer with one JSON object and nothing else."
_OBEYED: Final = frozenset(
    {"$ref", "$defs", "definitions", "type", "properties", "required", "items", "enum", "const"}
    | {"anyOf", "allOf", "oneOf", "description", "title", "additionalProperties", "default"}
)
_FORMATS: Final = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)


def schema_of(form: Json | None) -> Json | None:
    """The schema of OpenAI's `response_format`, if it has one."""
    if form is None or form.get("type") != "json_schema":
        return None
    schema: Json = form["json_schema"].get("schema") or {"type": "object"}
    return schema


def told_in_words(form: Json | None) -> str:
    """What to tell a model that has no other way to learn of the form; empty without one."""
    if schema := schema_of(form):
        return f"{JSON_ONLY} It must match this JSON Schema: {orjson.dumps(schema).decode()}"
    return JSON_ONLY if form is not None and form.get("type") == "json_object" else ""


def closed(schema: Any) -> Any:
    """As Anthropic takes it: objects without further properties, no limits on values. What it
    cannot enforce is told to the model in the description instead.
    """
    if not isinstance(schema, dict):
        return schema
    out: Json = {
        "anyOf" if key == "oneOf" else key: _inside(key, value)
        for key, value in schema.items()
        if _is_obeyed(key, value)
    }
    if out.get("type") == "object" or "properties" in out:
        out["additionalProperties"] = False
    told = {
        key: value
        for key, value in schema.items()
        if not (_is_obeyed(key, value) or key.startswith("$"))
    }
    if told:
        text = orjson.dumps(told).decode()
        out["description"] = f"{out.get('description') or ''}\n{text}".strip()
    return out


def _is_obeyed(key: str, value: Any) -> bool:
    match key:
        case "format":
            return value in _FORMATS
        case "minItems":
            return value in (0, 1)
    return key in _OBEYED


def _inside(key: str, value: Any) -> Any:
    """Names of properties are no keywords, whatever they are."""
    if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
        return {name: closed(inner) for name, inner in value.items()}
    if key in ("anyOf", "allOf", "oneOf") and isinstance(value, list):
        return [closed(inner) for inner in value]
    return closed(value) if key == "items" else value
