"""The OpenAPI document as a page for people."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final

import orjson

Schema = dict[str, Any]

HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} API</title>
<link rel="icon" href="{prefix}/icon.svg">
<link rel="stylesheet" href="{prefix}/docs/style.css">
</head>
<body>
"""
DEPTH: Final = 6


def page(document: Schema, prefix: str) -> str:
    """`prefix` is the path under which a proxy publishes the server."""
    return "".join(_page(document, prefix))


def _page(document: Schema, prefix: str) -> Iterator[str]:
    info = document["info"]
    yield HEAD.format(title=escape(info["title"]), prefix=escape(prefix))
    yield f"<header><h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>"
    for paragraph in info["description"].strip().split("\n\n"):
        yield f"<p>{_code(paragraph)}</p>"
    yield f'<p><a href="{escape(prefix)}/v1/openapi.json">OpenAPI document</a></p>'
    yield "<nav><ul>"
    tags = [tag["name"] for tag in document["tags"]]
    for tag in tags:
        yield f'<li><a href="#{_anchor(tag)}">{escape(tag)}</a></li>'
    yield "</ul></nav></header>\n<main>\n"
    for tag in tags:
        yield f'<section id="{_anchor(tag)}"><h2>{escape(tag)}</h2>\n'
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield from _operation(document, prefix, method.upper(), path, operation)
        yield "</section>\n"
    yield "</main>\n</body>\n</html>\n"


def _operation(
    document: Schema, prefix: str, method: str, path: str, operation: Schema
) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary>'
    yield f'<span class="method {method.lower()}">{method}</span> <code>{escape(path)}</code> '
    yield f"<span>{escape(operation['summary'])}</span></summary>\n"
    if "description" in operation:
        yield f"<p>{_code(operation['description'])}</p>"
    if operation.get("parameters"):
        yield from _parameters(operation["parameters"])
    body = operation.get("requestBody")
    example = None
    if body is not None:
        media_type, content = next(iter(body["content"].items()))
        yield f"<h3>Body <small>{escape(media_type)}</small></h3>"
        yield from _fields(document, content["schema"])
        if media_type == "application/json":
            example = _example(document, content["schema"])
    yield "<h3>Answers</h3><table><tbody>"
    for status, response in operation["responses"].items():
        yield f"<tr><th>{status}</th><td>{escape(response['description'])}</td></tr>"
    yield "</tbody></table>"
    yield from _fields(document, _success_schema(operation))
    command = escape(_curl(prefix, method, path, example))
    yield f"<h3>With curl</h3><pre><code>{command}</code></pre>"
    yield "</details>\n"


def _success_schema(operation: Schema) -> Schema:
    response = next(iter(operation["responses"].values()))
    schema: Schema = next(iter(response["content"].values())).get("schema", {})
    return schema


def _parameters(parameters: list[Schema]) -> Iterator[str]:
    yield "<h3>Parameters</h3><table><tbody>"
    for item in parameters:
        needed = " required" if item.get("required") else ""
        about = escape(item.get("description", item["schema"].get("description", "")))
        yield f"<tr><th><code>{escape(item['name'])}</code></th>"
        yield f"<td>{item['in']}{needed}</td><td>{escape(_type(item['schema']))}</td>"
        yield f"<td>{about}</td></tr>"
    yield "</tbody></table>"


def _fields(document: Schema, schema: Schema) -> Iterator[str]:
    whole = _resolved(document, schema)
    if whole.get("type") == "array":
        yield "<p>A list of:</p>"
        whole = _resolved(document, whole["items"])
    if "properties" not in whole:
        return
    required = set(whole.get("required", ()))
    yield "<table><tbody>"
    for name, item in whole["properties"].items():
        mark = " *" if name in required else ""
        yield f"<tr><th><code>{escape(name)}</code>{mark}</th>"
        yield f"<td>{escape(_type(item))}</td>"
        yield f"<td>{escape(item.get('description', ''))}</td></tr>"
    yield "</tbody></table>"


def _resolved(document: Schema, schema: Schema) -> Schema:
    """One schema with the fields of all that it refers to or adds together."""
    if "$ref" in schema:
        return _resolved(document, _component(document, schema["$ref"]))
    if "allOf" in schema:
        parts = [_resolved(document, part) for part in schema["allOf"]]
        return {
            "properties": {k: v for part in parts for k, v in part.get("properties", {}).items()},
            "required": [name for part in parts for name in part.get("required", ())],
        }
    return schema


def _component(document: Schema, ref: str) -> Schema:
    component: Schema = document["components"]["schemas"][ref.rpartition("/")[2]]
    return component


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return orjson.dumps(schema["const"]).decode()
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(part) for part in schema["anyOf"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    named = kind if isinstance(kind, str) else " | ".join(kind)
    return f"{named} ({schema['format']})" if "format" in schema else named


def _example(document: Schema, schema: Schema, depth: int = 0) -> Any:
    """The fields that have to be sent."""
    whole = _resolved(document, schema)
    if "const" in whole:
        return whole["const"]
    if "enum" in whole:
        return whole["enum"][0]
    if "anyOf" in whole:
        return _example(document, whole["anyOf"][0], depth)
    kind = whole.get("type")
    if kind == "array":
        return [] if depth > DEPTH else [_example(document, whole["items"], depth + 1)]
    if "properties" in whole:
        return {
            name: _example(document, whole["properties"][name], depth + 1)
            for name in whole.get("required", ())
        }
    return {"integer": 1, "number": 1, "boolean": True, "object": {}}.get(str(kind), "...")


def _curl(prefix: str, method: str, path: str, example: Any) -> str:
    lines = [f"curl -X {method} http://127.0.0.1:18790{prefix}{path}"]
    lines.append('  -H "Authorization: Bearer $GOCLAW_GATEWAY_TOKEN"')
    if example is not None:
        lines.append("  -H 'Content-Type: application/json'")
        lines.append(f"  -d '{orjson.dumps(example).decode()}'")
    return " \\\n".join(lines)


def _anchor(text: str) -> str:
    return escape(text.lower().replace(" ", "-"))


def _code(text: str) -> str:
    """Text between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if place % 2 else p for place, p in enumerate(parts))
