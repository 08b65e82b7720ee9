"""The records that a zip consists of, for those who read and those who write them.

Imports nothing of the project. Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification",
6.3.10, sections 4.3.7 (`LOCAL`), 4.3.12 (`CENTRAL`), 4.3.14 to 4.3.16 (the ends), 4.4.
"""

from __future__ import annotations

import struct
from typing import Final

LOCAL: Final = struct.Struct("<4s5H3L2H")
LOCAL_MAGIC: Final = b"PK\x03\x04"
# "Made by" and "needed" are two bytes each: a version in tenths, and a system.
CENTRAL: Final = struct.Struct("<4s4B4H3L5H2L")
CENTRAL_MAGIC: Final = b"PK\x01\x02"
END: Final = struct.Struct("<4s4H2LH")
END_MAGIC: Final = b"PK\x05\x06"
END_64: Final = struct.Struct("<4sQ2H2L4Q")
END_64_MAGIC: Final = b"PK\x06\x06"
LOCATOR_64: Final = struct.Struct("<4sLQL")
LOCATOR_64_MAGIC: Final = b"PK\x06\x07"

UNKNOWN_16: Final = 0xFFFF  # "see the zip64 record"
UNKNOWN_32: Final = 0xFFFFFFFF  # "see the zip64 field"
WIDE_FIELD: Final = 1  # the number of that field
IS_UTF_8: Final = 0x800  # a flag: of the name
UNIX: Final = 3  # a system, with the file's mode in the upper half of its attributes
