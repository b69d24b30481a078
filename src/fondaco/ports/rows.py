"""A view that is nothing but its rows: it remembers nothing between two batches."""

from collections.abc import Sequence
from typing import ClassVar

import sqlalchemy as sa


class RowsView:
    """A `fondaco.runtime.projector.View` whose tables are those of its `metadata`. Who writes one
    says `name` and `metadata`, and adds `apply`: how a batch of entries changes the rows."""

    name: ClassVar[str]  # permanent, with its number
    metadata: ClassVar[sa.MetaData]

    @property
    def tables(self) -> Sequence[str]:
        return sorted(self.metadata.tables)

    def create(self, conn: sa.Connection) -> None:
        self.metadata.create_all(conn)

    def drop(self, conn: sa.Connection) -> None:
        self.metadata.drop_all(conn)

    def forget(self) -> None:
        """There is nothing to forget."""
