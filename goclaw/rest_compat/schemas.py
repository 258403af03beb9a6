"""JSON schemas of what goes in and out, from the shapes and the views."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from goclaw.rest_compat.bodies import ShapeBody
from goclaw.rest_compat.parameters import NO_NUL
from goclaw.rest_compat.route import Translation
from goclaw.rest_compat.views import visible_fields

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{model}"
JSON_VALUE: Final = "Json"
RESTRICTED: Final = frozenset({"pattern", "enum", "const", "format"})
ANY_JSON: Final[Schema] = {
    "description": "Any JSON whose strings hold no NUL character.",
    "anyOf": [
        {"type": "string", "pattern": NO_NUL},
        {"type": ["number", "boolean", "null"]},
        {"type": "array", "items": {"$ref": REF.format(model=JSON_VALUE)}},
        {
            "type": "object",
            "propertyNames": {"pattern": NO_NUL},
            "additionalProperties": {"$ref": REF.format(model=JSON_VALUE)},
        },
    ],
}


class Generator(GenerateJsonSchema):
    """Money is a number here, and a secret is text like any other."""

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        return {"type": "number"}


class Schemas:
    """The components of a document; asked for by class, given out by reference."""

    def __init__(
        self, views: set[type[BaseModel]], shapes: Mapping[type[BaseModel], Translation | None]
    ) -> None:
        wanted = [(view, "serialization") for view in sorted(views, key=_name)]
        wanted += [(shape, "validation") for shape in sorted(shapes, key=_name)]
        names, definitions = models_json_schema(
            wanted,  # type: ignore[arg-type]
            ref_template=REF,
            schema_generator=Generator,
        )
        self._names = {key: ref["$ref"].rpartition("/")[2] for key, ref in names.items()}
        self.components: dict[str, Schema] = definitions["$defs"]
        for view in views:
            self._only_visible(view)
        for shape, translation in shapes.items():
            self._as_written(shape, translation)
        inputs = self._reachable([self._names[shape, "validation"] for shape in shapes])
        for name in inputs:
            self.components[name] = storable(self.components[name])
        self.components[JSON_VALUE] = ANY_JSON
        for schema in self.components.values():
            _without_titles(schema)

    def view(self, view: type[BaseModel]) -> Schema:
        return {"$ref": REF.format(model=self._names[view, "serialization"])}

    def shape(self, body: ShapeBody) -> Schema:
        return {"$ref": REF.format(model=self._names[body.shape, "validation"])}

    def _only_visible(self, view: type[BaseModel]) -> None:
        schema = self.components[self._names[view, "serialization"]]
        fields = visible_fields(view)
        schema["properties"] = {
            name: item for name, item in schema["properties"].items() if name in fields
        }
        schema["required"] = list(fields)

    def _as_written(self, shape: type[BaseModel], rules: Translation | None) -> None:
        if rules is not None:
            name = self._names[shape, "validation"]
            self.components[name] = translated(self.components[name], rules)

    def _reachable(self, names: list[str]) -> set[str]:
        seen: set[str] = set()
        while names:
            name = names.pop()
            if name not in seen:
                seen.add(name)
                names.extend(_references(self.components[name]))
        return seen


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def translated(schema: Schema, rules: Translation) -> Schema:
    """A shape as its body is written here."""
    properties = dict(schema["properties"])
    hidden = {target for target, _ in rules.references.values()} | set(rules.names.values())
    written = {name: item for name, item in properties.items() if name not in hidden}
    for name, target in rules.names.items():
        written[name] = deepcopy(properties[target])
    for name, documented in rules.schema.items():
        written[name] = dict(documented)
    required = [name for name in schema.get("required", ()) if name not in hidden]
    changed: Schema = {**schema, "properties": written, "required": required, **rules.rules}
    if not required:
        del changed["required"]
    return changed


def storable(schema: Any) -> Any:
    """Text cannot hold NUL, nor can JSON of the caller's own making."""
    if isinstance(schema, list):
        return [storable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "object" and schema.get("additionalProperties") is True:
        return {
            **schema,
            "propertyNames": {"pattern": NO_NUL},
            "additionalProperties": {"$ref": REF.format(model=JSON_VALUE)},
        }
    changed = {key: storable(item) for key, item in schema.items()}
    if schema.get("type") == "string" and not schema.keys() & {
        "pattern",
        "enum",
        "const",
        "format",
    }:
        changed["pattern"] = NO_NUL
    return changed


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for item in schema for name in _references(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rpartition("/")[2]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for item in schema.values() for name in _references(item)]


def _without_titles(schema: Any) -> None:
    """The titles that pydantic makes repeat the names."""
    if isinstance(schema, list):
        for item in schema:
            _without_titles(item)
    elif isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for item in schema.values():
            _without_titles(item)
