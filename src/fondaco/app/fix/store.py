"""Where FIX messages are kept for search."""

from fondaco.app.at_rest import open_sqlite
from fondaco.app.files import Files
from fondaco.app.say import say
from fondaco.kernel.errors import Corrupt
from fondaco.ports.store.sqlite import SqliteStore


def open_messages(files: Files) -> SqliteStore:
    """They can be filled anew from the tape, so a file that is broken stops nobody."""
    try:
        return open_sqlite(files, files.messages, durable=False)
    except Corrupt as error:
        say(f"{files.messages} is broken, and filled anew: {error.message}")
        for path in files.root.glob(f"{files.messages.name}*"):
            path.unlink()
        return open_sqlite(files, files.messages, durable=False)
