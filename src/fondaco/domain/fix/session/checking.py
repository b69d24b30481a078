"""Which dictionary a message of a session is held against."""

from fondaco.domain.fix.dictionary import Dictionary, dictionary, dictionary_for
from fondaco.domain.fix.message import Message
from fondaco.domain.fix.model import Options, Rejection, RejectReason, rejection
from fondaco.domain.fix.session.model import ADMIN, FIXT, Terms
from fondaco.domain.fix.validation import validate

# ApplVerIDs that we have dictionaries for.
_VERSIONS = frozenset(["2", "3", "4", "5", "6", "7", "8", "9"])


class Checking:
    """The dictionaries of one session. With FIXT an application message names its version, or is of
    the one that they named at logon."""

    def __init__(
        self, terms: Terms, options: Options | None = None, own: Dictionary | None = None
    ) -> None:
        """`own` is a custom dictionary for application messages."""
        self._options = options or Options()
        self._is_fixt = terms.id.begin_string == FIXT
        self._session = dictionary(terms.id.begin_string)
        self._own = own
        self._theirs = terms.default_appl_ver_id or "9"

    def __call__(self, message: Message) -> Rejection | None:
        """Why it must be rejected, or None."""
        if not self._is_fixt:
            return validate(message, self._own or self._session, options=self._options)
        if message.msg_type in ADMIN:
            return self._of_session(message)
        version = message.text(1128)
        if version is not None and version not in _VERSIONS:
            return rejection(RejectReason.VALUE_IS_INCORRECT, 1128)
        return validate(
            message, self.dictionary(message), transport=self._session, options=self._options
        )

    def dictionary(self, message: Message) -> Dictionary:
        """What the body of an application message is made of."""
        if not self._is_fixt:
            return self._own or self._session
        found = dictionary_for(FIXT, message.text(1128) or self._theirs)
        return self._own or found or self._session

    @property
    def transport(self) -> Dictionary:
        return self._session

    def _of_session(self, message: Message) -> Rejection | None:
        found = validate(message, self._session, options=self._options)
        if found is None and message.msg_type == "A":
            version = message.text(1137) or ""
            if version not in _VERSIONS:
                return rejection(RejectReason.VALUE_IS_INCORRECT, 1137)
            self._theirs = version
        return found
