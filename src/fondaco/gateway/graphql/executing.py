"""A document, from its text to what the response says. Runs beside the loop of the house."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    subscribe,
    validate,
)

from fondaco.gateway.graphql import limits
from fondaco.gateway.graphql.asking import Asking, ProblemError, Sent
from fondaco.gateway.graphql.limits import Bounds
from fondaco.gateway.graphql.persisted import Documents
from fondaco.gateway.graphql.schema import schema_of
from fondaco.gateway.rest import Endpoint, unforeseen
from fondaco.kernel.errors import Denied, FondacoError, Invalid

PARSED_MAX: Final = 300  # documents that are kept as they were read
ERRORS_MAX: Final = 20
_NO_INTROSPECTION: Final = (NoSchemaIntrospectionCustomRule,)


class Engine:
    """Made once, with the schema; belongs to its thread."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        documents: Documents,
        measures: Bounds | None = None,
    ) -> None:
        self.schema = schema_of(endpoints)
        self._documents = documents
        self._limits = measures or Bounds()
        self._parsed: OrderedDict[tuple[str, bool], DocumentNode] = OrderedDict()

    async def answer(self, sent: Sent) -> tuple[int, bytes]:
        """HTTP's status, and the body. Raises `FondacoError` where nothing was executed."""
        try:
            document, operation = self._prepared(sent)
            if operation.operation is OperationType.SUBSCRIPTION:
                raise Invalid("subscriptions come over WebSocket, as graphql-transport-ws")
            if sent.only_reads and operation.operation is not OperationType.QUERY:
                raise Invalid(
                    "what changes something is sent with POST",
                    code="method_not_allowed",
                    allow="POST",
                )
        except _MalformedError as error:
            return 400, msgspec.json.encode({"errors": self._malformed(sent, error.found)})
        asking = Asking(sent.carry, sent.key)
        asking.single = _is_single(operation)
        found = execute(
            self.schema,
            document,
            context_value=asking,
            variable_values=sent.asked.variables or {},
            operation_name=sent.asked.operationName,
            hide_suggestions=not sent.is_known,
        )
        result = found if isinstance(found, ExecutionResult) else await found
        if result.data is None and all(not error.path for error in result.errors or ()):
            malformed = self._malformed(sent, result.errors or [])
            return 400, msgspec.json.encode({"errors": malformed})
        return 200, msgspec.json.encode(self._said(sent, result, asking))

    async def stream(self, sent: Sent, asking: Asking) -> AsyncIterator[Mapping[str, Any]]:
        """The responses to any operation, one after the other. Raises as `answer` does, and
        `Invalid` with `errors` where the document is malformed."""
        try:
            document, operation = self._prepared(sent)
        except _MalformedError as error:
            raise Invalid("malformed", errors=self._malformed(sent, error.found)) from error
        asking.single = _is_single(operation)
        given: dict[str, Any] = {
            "context_value": asking,
            "variable_values": sent.asked.variables or {},
            "operation_name": sent.asked.operationName,
            "hide_suggestions": not sent.is_known,
        }
        is_stream = operation.operation is OperationType.SUBSCRIPTION
        result: Any = (subscribe if is_stream else execute)(self.schema, document, **given)
        if hasattr(result, "__await__"):
            result = await result
        if isinstance(result, ExecutionResult):
            if result.data is None and all(not error.path for error in result.errors or ()):
                raise Invalid("malformed", errors=self._malformed(sent, result.errors or []))
            yield self._said(sent, result, asking)
            return
        try:
            async for each in result:
                yield self._said(sent, each, asking)
        except GraphQLError as error:
            cause = error.original_error
            if isinstance(cause, ProblemError | FondacoError):
                raise cause from error
            raise unforeseen(cause or error) from error

    # Before

    def _prepared(self, sent: Sent) -> tuple[DocumentNode, OperationDefinitionNode]:
        asked = sent.asked
        text = self._documents.text(asked.query, asked.extensions or {}, may_keep=sent.is_known)
        if len(text) > limits.BYTES_MAX:
            raise Invalid(f"the document is above {limits.BYTES_MAX} characters", code="too_large")
        document = self._parsed.get((text, sent.is_known))
        is_new = document is None
        if document is None:
            document = _read(text)
        limits.check(self.schema, document, asked.variables or {}, self._limits)
        if is_new:
            if not sent.is_known and validate(self.schema, document, _NO_INTROSPECTION, 1):
                raise Denied(
                    "the schema is shown to who is known: send the header Authorization: Bearer"
                    " <token>",
                    code="unauthenticated",
                )
            errors = validate(
                self.schema, document, None, ERRORS_MAX, hide_suggestions=not sent.is_known
            )
            if errors:
                raise _MalformedError(errors)
            self._parsed[text, sent.is_known] = document
            if len(self._parsed) > PARSED_MAX:
                self._parsed.popitem(last=False)
        operation = get_operation_ast(document, asked.operationName)
        if operation is None:
            raise Invalid("the document has several operations, or none of this operationName")
        return document, operation

    # After

    def _said(self, sent: Sent, result: ExecutionResult, asking: Asking) -> dict[str, Any]:
        said: dict[str, Any] = {"data": result.data}
        if result.errors:
            said["errors"] = [self._error(sent, error) for error in result.errors]
        said["extensions"] = {"operations": asking.said}
        asking.said = []
        return said

    def _error(self, sent: Sent, error: GraphQLError) -> dict[str, Any]:
        told = dict(error.formatted)
        cause = error.original_error
        if not isinstance(cause, ProblemError):
            if cause is None:  # a value that a type of ours does not know
                cause = error
            known = cause if isinstance(cause, FondacoError) else unforeseen(cause)
            problem = sent.problem(known, True)
            told |= {"message": problem["message"], "extensions": problem}
        return told

    def _malformed(self, sent: Sent, errors: Sequence[GraphQLError]) -> list[dict[str, Any]]:
        """As REST says it of a request that cannot be read; the status is GraphQL's."""
        found: list[dict[str, Any]] = []
        for error in errors:
            problem = sent.problem(Invalid(error.message), False)
            told = dict(error.formatted)
            found.append({**told, "extensions": {**problem, "status": 400}})
        return found


class _MalformedError(Exception):
    def __init__(self, found: Sequence[GraphQLError]) -> None:
        super().__init__("malformed")
        self.found = found


def _read(text: str) -> DocumentNode:
    try:
        return parse(text, max_tokens=limits.TOKENS_MAX)
    except GraphQLSyntaxError as error:
        raise _MalformedError([error]) from error


def _is_single(operation: OperationDefinitionNode) -> bool:
    selections = operation.selection_set.selections
    return len(selections) == 1 and isinstance(selections[0], FieldNode)
