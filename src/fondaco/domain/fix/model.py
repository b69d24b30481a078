"""What the codec hands out, and the words for what may be wrong with a message.

Reject reasons and their texts are those of SessionRejectReason (373), FIX session layer.
"""

from enum import IntEnum
from typing import Final

import msgspec

from fondaco.kernel.errors import Invalid

SOH: Final = b"\x01"


class Garbled(Invalid):
    """Bytes that are no message: length, checksum, first three fields or a field's form is wrong.

    The session law ignores such a message and keeps its sequence number; a sensor shows it.
    """

    def __init__(self, reason: str, raw: bytes) -> None:
        super().__init__(reason, code="garbled")
        self.reason = reason
        self.raw = raw


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What the framer cut out of a stream. `garbled` says why it cannot be a message.

    A frame that is not garbled has the shape of one; `parse` checks length and checksum.
    """

    raw: bytes
    garbled: str | None = None


class RejectReason(IntEnum):
    """SessionRejectReason (373)."""

    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE = 2
    UNDEFINED_TAG = 3
    TAG_SPECIFIED_WITHOUT_A_VALUE = 4
    VALUE_IS_INCORRECT = 5
    INCORRECT_DATA_FORMAT_FOR_VALUE = 6
    DECRYPTION_PROBLEM = 7
    SIGNATURE_PROBLEM = 8
    COMP_ID_PROBLEM = 9
    SENDING_TIME_ACCURACY_PROBLEM = 10
    INVALID_MSG_TYPE = 11
    XML_VALIDATION_ERROR = 12
    TAG_APPEARS_MORE_THAN_ONCE = 13
    TAG_SPECIFIED_OUT_OF_REQUIRED_ORDER = 14
    REPEATING_GROUP_FIELDS_OUT_OF_ORDER = 15
    INCORRECT_NUM_IN_GROUP_COUNT = 16
    NON_DATA_VALUE_INCLUDES_DELIMITER = 17


TEXTS: Final = {
    RejectReason.INVALID_TAG_NUMBER: "Invalid tag number",
    RejectReason.REQUIRED_TAG_MISSING: "Required tag missing",
    RejectReason.TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE: "Tag not defined for this message type",
    RejectReason.UNDEFINED_TAG: "Undefined tag",
    RejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE: "Tag specified without a value",
    RejectReason.VALUE_IS_INCORRECT: "Value is incorrect (out of range) for this tag",
    RejectReason.INCORRECT_DATA_FORMAT_FOR_VALUE: "Incorrect data format for value",
    RejectReason.DECRYPTION_PROBLEM: "Decryption problem",
    RejectReason.SIGNATURE_PROBLEM: "Signature problem",
    RejectReason.COMP_ID_PROBLEM: "CompID problem",
    RejectReason.SENDING_TIME_ACCURACY_PROBLEM: "SendingTime accuracy problem",
    RejectReason.INVALID_MSG_TYPE: "Invalid MsgType",
    RejectReason.XML_VALIDATION_ERROR: "XML validation error",
    RejectReason.TAG_APPEARS_MORE_THAN_ONCE: "Tag appears more than once",
    RejectReason.TAG_SPECIFIED_OUT_OF_REQUIRED_ORDER: "Tag specified out of required order",
    RejectReason.REPEATING_GROUP_FIELDS_OUT_OF_ORDER: "Repeating group fields out of order",
    RejectReason.INCORRECT_NUM_IN_GROUP_COUNT: "Incorrect NumInGroup count for repeating group",
    RejectReason.NON_DATA_VALUE_INCLUDES_DELIMITER: 'Non "Data" value includes field delimiter',
}


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """Why a message is answered with Reject (3): 373, 371 where a tag is to blame, and 58."""

    reason: int
    ref_tag: int | None
    text: str


def rejection(reason: RejectReason, ref_tag: int | None = None) -> Rejection:
    return Rejection(int(reason), ref_tag, TEXTS[reason])


class Options(msgspec.Struct, frozen=True, gc=False):
    """What `validate` insists on.

    `fields_in_order`: header before body before trailer (14). `have_values`: no field is empty (4).
    `user_defined`: tags from 5000 on must be in the dictionary too (0, 2). `unknown_fields`: tags
    below 5000 that the dictionary or the message does not know pass. `group_members`: what is
    inside groups is looked at like everything else, and begins with the group's first field (15).
    """

    fields_in_order: bool = True
    have_values: bool = True
    user_defined: bool = True
    unknown_fields: bool = False
    group_members: bool = True
