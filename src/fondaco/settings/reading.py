"""Settings, as whoever starts a house gives them."""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec.inspect import (
    BoolType,
    Field,
    IntType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    type_info,
)

from fondaco.kernel.errors import Invalid
from fondaco.settings.knobs import FILE, PREFIX, Source, where
from fondaco.settings.places import is_allowed, referable, without_secrets, words_of
from fondaco.settings.terms import LOOPBACK, Settings

Value: TypeAlias = str | int | bool


class Effective(NamedTuple):
    """One line of `fondaco doctor`."""

    name: str
    value: Value
    unit: str
    source: Source
    reason: str


class Knob(NamedTuple):
    """What is declared about one setting, read off `Settings`."""

    name: str
    default: Value
    unit: str
    reason: str
    kind: Type

    @property
    def limit(self) -> str:
        """What is allowed, in words."""
        match self.kind:
            case IntType(ge=low, le=high):
                return f"a whole number from {low} to {high}"
            case BoolType():
                return "true or false"
            case LiteralType(values=values):
                return "one of " + ", ".join(map(str, values))
            case _:
                return "text"


def knobs() -> list[Knob]:
    """Every setting in the order of its declaration."""
    declared = type_info(Settings)
    assert isinstance(declared, StructType)  # noqa: S101  it is declared above
    return [_knob(field) for field in declared.fields]


def _knob(field: Field) -> Knob:
    kind, unit, reason = field.type, "", ""
    if isinstance(kind, Metadata):
        reason = (kind.extra_json_schema or {}).get("description", "")
        unit = (kind.extra or {}).get("unit", "")
        kind = kind.type
    return Knob(field.name, field.default, unit, reason, kind)


def effective(arguments: Mapping[str, object], environment: Mapping[str, str]) -> list[Effective]:
    """Every setting, its value and where that came from.

    `arguments` are those given on the command line, None where one was not. Raises `Invalid` with
    the setting, the value, the limit and what to do.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    _refuse_unknown(given, "command line")
    inherited = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    folder = given.get("data", inherited.get("data", Settings().data))
    file = _file(Path(str(folder)) / FILE)
    _refuse_unknown(file, "file")
    rows = []
    for knob in knobs():
        value: object = knob.default
        source: Source = "default"
        layers: tuple[tuple[Source, Mapping[str, object]], ...] = (
            ("file", file),
            ("environment", inherited),
            ("command line", given),
        )
        for layer, values in layers:
            if knob.name in values:
                value, source = values[knob.name], layer
        rows.append(
            Effective(knob.name, _read(knob, value, source), knob.unit, source, knob.reason)
        )
    return rows


def load(arguments: Mapping[str, object], environment: Mapping[str, str]) -> Settings:
    """The settings to run with. Raises `Invalid`, also where two of them do not go together."""
    values = {row.name: row.value for row in effective(arguments, environment)}
    settings = msgspec.convert(values, Settings)
    if settings.demo and settings.host not in LOOPBACK:
        raise Invalid(
            f"host is {settings.host}, must be one of {', '.join(LOOPBACK)} with demo, whose token "
            "everybody knows: leave out --demo, or --host"
        )
    return settings


def _file(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}; mend or remove it") from error
    if "data" in values:
        raise Invalid(f"{path} sets data, which says where that file is; use --data")
    return values


def _refuse_unknown(values: Mapping[str, object], source: Source) -> None:
    """Typing errors in a file must not pass in silence. The environment is not only ours."""
    names = [knob.name for knob in knobs()]
    for name in values:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists them all"
            raise Invalid(f"{name} ({source}) is no setting: {hint}")


def _read(knob: Knob, value: object, source: Source) -> Value:
    try:
        read = msgspec.convert(value, _TYPES[knob.name], strict=source == "file")
    except msgspec.ValidationError:
        read = None
    if isinstance(read, (str, int)) and is_allowed(knob.name, str(read)):
        return read
    words = words_of(knob.name)
    limit = "one of " + ", ".join(words) if words else knob.limit
    unit = f" ({knob.unit})" if knob.unit else ""
    shown = without_secrets(str(value))[:60]
    raise Invalid(
        f"{knob.name} is {shown!r}, must be {limit}{unit}: correct it where it is set, "
        f"{where(knob.name, source)}"
    )


_TYPES: Final[Mapping[str, object]] = dict(Settings.__annotations__)


def page() -> Iterator[str]:
    """docs/settings.md, line by line."""
    yield "# Settings"
    yield ""
    yield "Made by `python -m fondaco.settings`; a test compares the two."
    yield ""
    yield "A later source goes before an earlier one: the default, the file `fondaco.toml` in the"
    yield "data directory (`port = 8000`), the environment (`FONDACO_PORT=8000`), the command line"
    yield "(`--port 8000`). `fondaco doctor` prints every effective value with its source."
    yield ""
    names = [f"`{name}`" for name in referable()]
    yield f"{', '.join(names[:-1])} and {names[-1]} may be `secret://name`: then the address, with"
    yield "its password, is what `fondaco secrets put name` keeps ([docs/secrets.md](secrets.md))."
    yield ""
    yield "| setting | default | unit | allowed | why |"
    yield "|---|---|---|---|---|"
    for knob in knobs():
        default = str(knob.default).lower() if isinstance(knob.default, bool) else knob.default
        yield f"| `{knob.name}` | `{default}` | {knob.unit} | {knob.limit} | {knob.reason} |"
