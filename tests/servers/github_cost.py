"""What a GraphQL query costs at GitHub, computed before it runs, as GitHub computes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

NODE_LIMIT = 500_000
PAGE_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Points to pay and nodes asked for."""

    points: int
    nodes: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection of a query: how often it is fetched, and how many items each time."""

    field: str
    fetches: int
    size: int


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, object],
    operation_name: str | None = None,
) -> Cost:
    """Return what a valid query costs: one request for each fetch of a connection, by the hundred.

    The query must be valid. GitHub's own example makes 51 points of 5,101 requests; half a point
    is rounded up here.
    """
    connections = list(find_connections(schema, document, variables, operation_name))
    requests = sum(connection.fetches for connection in connections)
    nodes = sum(connection.fetches * connection.size for connection in connections)
    return Cost(points=max(1, (requests + 50) // 100), nodes=nodes)


def find_connections(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, object],
    operation_name: str | None = None,
) -> Iterator[Connection]:
    """Yield the connections of a query, outer ones first."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        if operation_name is not None and (
            operation.name is None or operation.name.value != operation_name
        ):
            continue
        root = schema.get_root_type(operation.operation)
        if root is not None:
            values = {**_defaults(operation), **variables}
            walk = _Walk(schema, fragments, values)
            yield from walk.selections(operation.selection_set, root, 1)
        return


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, object]

    def selections(
        self, selected: SelectionSetNode | None, parent: GraphQLNamedType, fetches: int
    ) -> Iterator[Connection]:
        for node in selected.selections if selected else ():
            if not self.included(node.directives or ()):
                continue
            if isinstance(node, FieldNode):
                yield from self.field(node, parent, fetches)
            elif isinstance(node, InlineFragmentNode):
                on = node.type_condition
                inner = self.schema.get_type(on.name.value) if on else parent
                yield from self.selections(node.selection_set, inner or parent, fetches)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                inner = self.schema.get_type(fragment.type_condition.name.value)
                yield from self.selections(fragment.selection_set, inner or parent, fetches)

    def field(
        self, node: FieldNode, parent: GraphQLNamedType, fetches: int
    ) -> Iterator[Connection]:
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return
        definition = parent.fields.get(node.name.value)
        if definition is None:  # __typename
            return
        below = get_named_type(definition.type)
        inner = fetches
        if below.name.endswith("Connection"):
            size = self.size(node)
            yield Connection(node.name.value, fetches, size)
            inner = fetches * size
        elif node.name.value == "nodes" and parent is self.schema.query_type:
            inner = fetches * self.length(node, "ids")
        yield from self.selections(node.selection_set, below, inner)

    def included(self, directives: tuple[DirectiveNode, ...] | list[DirectiveNode]) -> bool:
        for directive in directives:
            argument = next(iter(directive.arguments or ()), None)
            if argument is None:
                continue
            value = self.value(argument.value)
            if directive.name.value == "include" and value is False:
                return False
            if directive.name.value == "skip" and value is True:
                return False
        return True

    def size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in {"first", "last"}:
                value = self.value(argument.value)
                if isinstance(value, int):
                    return max(0, value)
        return 0  # only its totalCount can be read

    def length(self, node: FieldNode, name: str) -> int:
        for argument in node.arguments or ():
            if argument.name.value == name:
                if isinstance(argument.value, ListValueNode):
                    return len(argument.value.values)
                value = self.value(argument.value)
                # GraphQL takes a single value for a list of one.
                return len(value) if isinstance(value, list) else 1
        return 1

    def value(self, node: ValueNode) -> object:
        if isinstance(node, VariableNode):
            return self.variables.get(node.name.value)
        return _literal(node)


def _literal(node: ValueNode | None) -> object:
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, BooleanValueNode):
        return node.value
    return None


def _defaults(operation: OperationDefinitionNode) -> dict[str, object]:
    return {
        definition.variable.name.value: _literal(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
