"""What a field of the built schema is: a plain attribute of a row, or the work of a resolver."""

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

BACKREF = "strawberry-definition"


def attribute_of(field: GraphQLField) -> str | None:
    """The attribute a field without a resolver shows."""
    definition = field.extensions.get(BACKREF)
    if isinstance(definition, StrawberryField) and definition.is_basic_field:
        return definition.python_name
    return None


def is_plain(field: GraphQLField) -> bool:
    return attribute_of(field) is not None
