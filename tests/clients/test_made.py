"""The typed clients are those that today's documents make."""

import subprocess
import sys

import generator
import make
import openapi
import pytest


def test_the_python_client_is_what_the_document_makes() -> None:
    for path, text in make.python_files().items():
        assert path.read_text("utf-8") == text, f"{path.name} is old: make clients"


def test_the_typescript_types_are_of_todays_documents_and_nobody_edited_them() -> None:
    for path, document in make.documents().items():
        first, _, text = path.read_text("utf-8").partition("\n")
        assert first + "\n" == make.head(document, text), f"{path.name} is old: make clients"


def test_every_operation_has_its_method_and_every_schema_its_type() -> None:
    document = openapi.document()
    made = generator.files(document, "")
    for path, method, operation in generator.asked(document):
        name = operation["operationId"].split(".")
        if len(name) == 2:
            assert f"def {generator.field_name(name[1])}(" in made["operations.py"], (path, method)
    for name in document["components"]["schemas"]:
        assert generator.class_name(name) in made["models.py"]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "str"),
        ({"type": "array", "items": {"type": "integer"}}, "list[int]"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "str | None"),
        ({"enum": ["buy", "sell"]}, "Literal['buy', 'sell']"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "dict[str, float]"),
        ({"prefixItems": [{"type": "string"}, {"type": "boolean"}]}, "tuple[str, bool]"),
        ({"$ref": "#/components/schemas/fondaco.domain.ledger.api.books.TransferReply"},
         "LedgerTransferReply"),
        ({}, "Any"),
    ],
)  # fmt: skip
def test_schemas_become_annotations(schema: dict[str, object], said: str) -> None:
    assert generator.type_of(schema) == said


def test_it_needs_nothing_but_python() -> None:
    """Imported without site-packages."""
    here = str(make.PYTHON.parent)
    ask = f"import sys; sys.path.insert(0, {here!r}); import fondaco_client"
    subprocess.run([sys.executable, "-I", "-S", "-c", ask], check=True)
