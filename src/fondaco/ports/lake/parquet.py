"""A lake of Parquet files and a manifest that says which of them count. Written with Polars.

day=2026-11-22/session=FIX.4.4%3AHOUSE-%3EBROKER/000017.parquet
manifest.json
"""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
import polars as pl

from fondaco.ports.at_rest import AtRest, opened, sealed
from fondaco.ports.lake import ColumnKind, Part, Table

_SECOND_NS: Final = 1_000_000_000
_KINDS: Final[Mapping[ColumnKind, Any]] = {
    "time": pl.Datetime("ns", "UTC"),
    "text": pl.String,
    "whole": pl.Int64,
    "decimal": pl.Decimal(38, 12),
    "bytes": pl.Binary,
}


class _Manifest(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...] = ()
    positions: dict[str, int] = {}
    number: int = 0  # of the last batch
    gone: int = 0  # rows that were let go


class ParquetLake:
    """Readers open one whenever they ask: a manifest is read anew each time."""

    def __init__(self, folder: Path, table: Table, at_rest: AtRest | None = None) -> None:
        """With `at_rest` files are encrypted, and their checksums are over what is stored."""
        self._folder, self._table, self._at_rest = folder, table, at_rest
        self._schema = {each.name: _KINDS[each.kind] for each in table.columns}

    def positions(self) -> Mapping[str, int]:
        return self._manifest().positions

    def append(self, columns: Mapping[str, Sequence[Any]], positions: Mapping[str, int]) -> None:
        known = self._manifest()
        number = known.number + 1
        frame = pl.DataFrame(dict(columns), schema=self._schema)
        parts = list(known.parts)
        if frame.height:
            days = frame[self._table.time].dt.date().alias("day")
            groups = frame.with_columns(days).partition_by(
                "day", self._table.key, as_dict=True, include_key=True, maintain_order=True
            )
            for (day, key), rows in groups.items():
                parts.append(self._write(str(day), str(key), number, rows.drop("day")))
        self._note(
            msgspec.structs.replace(
                known,
                parts=tuple(parts),
                positions={**known.positions, **positions},
                number=number,
            )
        )

    def parts(self, after: int, before: int, key: str | None = None) -> list[Part]:
        return [
            each
            for each in self._manifest().parts
            if each.first_at < before and each.last_at >= after and key in (None, each.key)
        ]

    def path(self, part: Part) -> Path:
        return self._folder / part.path

    def opened(self, part: Part) -> Path | BytesIO:
        path = self.path(part)
        if self._at_rest is None:
            return path
        return BytesIO(opened(self._at_rest, path.read_bytes(), path.name.encode()))

    def compact(self, before_day: str) -> int:
        known = self._manifest()
        together: dict[tuple[str, str], list[Part]] = {}
        for each in known.parts:
            if each.day < before_day:
                together.setdefault((each.day, each.key), []).append(each)
        many = {where: parts for where, parts in together.items() if len(parts) > 1}
        if not many:
            return 0
        number, old = known.number + 1, {each.path for parts in many.values() for each in parts}
        left = [each for each in known.parts if each.path not in old]
        for (day, key), parts in many.items():
            rows = pl.concat([pl.read_parquet(self.opened(each)) for each in parts])
            left.append(self._write(day, key, number, rows))
        self._note(msgspec.structs.replace(known, parts=tuple(left), number=number))
        self._remove(old)
        return len(old)

    def forget(self, before_day: str) -> int:
        known = self._manifest()
        old = [each for each in known.parts if each.day < before_day]
        rows = sum(each.rows for each in old)
        if old:
            left = tuple(each for each in known.parts if each.day >= before_day)
            self._note(msgspec.structs.replace(known, parts=left, gone=known.gone + rows))
            self._remove({each.path for each in old})
        return rows

    def wrong(self) -> list[str]:
        found = []
        for each in self._manifest().parts:
            path = self.path(each)
            if not path.exists():
                found.append(f"{path} is missing")
            elif sha256(path.read_bytes()).hexdigest() != each.sha256:
                found.append(f"{path} does not match its SHA-256 in the manifest")
        return found

    def _write(self, day: str, key: str, number: int, rows: pl.DataFrame) -> Part:
        name = f"day={day}/{self._table.key}={quote(key, safe='')}/{number:06}.parquet"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = BytesIO()
        rows.write_parquet(columns, compression="zstd")
        content = sealed(self._at_rest, columns.getvalue(), path.name.encode())
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        times = rows[self._table.time].to_physical()
        return Part(
            name,
            day,
            key,
            number,
            rows.height,
            int(times.min()),  # type: ignore[arg-type]  # whole numbers by the schema
            int(times.max()),  # type: ignore[arg-type]
            len(content),
            sha256(content).hexdigest(),
        )

    def _remove(self, names: set[str]) -> None:
        for name in names:
            path = self._folder / name
            path.unlink(missing_ok=True)

    def _manifest(self) -> _Manifest:
        try:
            content = (self._folder / "manifest.json").read_bytes()
        except FileNotFoundError:
            return _Manifest()
        return msgspec.json.decode(content, type=_Manifest)

    def _note(self, known: _Manifest) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / "manifest.part"
        with partial.open("wb") as file:
            file.write(msgspec.json.encode(known))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / "manifest.json")


def day_of(at: int) -> str:
    """The day (UTC) of a time in nanoseconds since 1970."""
    return datetime.fromtimestamp(at // _SECOND_NS, UTC).strftime("%Y-%m-%d")
