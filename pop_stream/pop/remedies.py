"""What is wrong while nothing is delivered, and what a person can do: the same wherever it is told.

Texts are parts of a sentence: they begin with a small letter and end without a stop.
"""

from collections.abc import Mapping
from typing import Final

from pop_stream.pop.verdict import Reason

TROUBLES: Final[Mapping[Reason, str]] = {
    Reason.MISCONFIGURED: "the URL, the credentials or a certificate is wrong",
    Reason.UNREACHABLE: "GSTV cannot be reached",
    Reason.TRANSIENT: "GSTV fails nearly every event",
    Reason.REJECTED: "GSTV refuses nearly every event",
    Reason.SLOW_DOWN: "GSTV asks for fewer events",
}

REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.MISCONFIGURED: "check the URL, the credentials and the certificates: "
    "POP_STREAM_GSTV_URL, POP_STREAM_GSTV_AUTH, POP_STREAM_GSTV_SSL_CAFILE, and what goes with "
    "them",
    Reason.UNREACHABLE: "see whether GSTV is up and whether this machine can reach it",
    Reason.TRANSIENT: "tell GSTV",
    Reason.REJECTED: "compare the events with what GSTV expects",
    Reason.SLOW_DOWN: "nothing needs to be done",
}
