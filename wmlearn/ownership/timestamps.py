"""What time it was, by the word of somebody else: a time stamp on the head of a book.

C. Adams, P. Cain, D. Pinkas, R. Zuccherato: Internet X.509 Public Key Infrastructure Time-Stamp Protocol,
RFC 3161. An authority signs the hash of a head and the time: every entry below the head is at least so old.
It says nothing about how much older, and it is worth what the authority's clock and care are worth. The
authority sees a hash, and nothing of the book.

A stamp is kept as the authority sent it, beside the head as `save` writes it. `openssl ts -verify -data
head.json -in head.tsr -CAfile authority.pem` says the same as `stamped_at`.

Needs the extra `timestamp`.
"""

from __future__ import annotations

import urllib.request
from datetime import datetime
from typing import Any

from cryptography import x509

from ..errors import DataError, require
from ..words import visible
from .documents import text
from .registry import Head

MOST_BYTES = 2**20  # of an answer; the usual one has five thousand
SENT = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def ask_stamp(head: Head, url: str, *, timeout: float = 10.0) -> bytes:
    """Ask the authority at a URL for a time stamp on a head; write the answer to a file beside it.

    Raises `DataError` for no answer within `timeout` seconds, or one that stamps something else. Whether the
    authority is one to trust, `stamped_at` says.
    """
    client = _client()
    require(url.startswith(("http://", "https://")), "url must start with http:// or https://", visible(url))
    question = client.TimestampRequestBuilder().data(_bytes(head)).build()
    try:
        request = urllib.request.Request(url, question.as_bytes(), SENT)
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            answer = reply.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: an odd URL
        raise DataError(
            f"{visible(url)} must answer with a time stamp, got: {visible(str(error))[:200]}. Try another"
            " authority."
        ) from error
    info = _info(answer)
    fits = info.nonce == question.nonce and info.message_imprint.message == question.message_imprint.message
    if not fits:
        raise DataError(f"{visible(url)} must stamp this head, got a stamp on something else.")
    return answer


def stamped_at(head: Head, stamp: bytes, authority: bytes) -> datetime:
    """Return the time at which an authority stamped a head; `authority` are its certificates as PEM.

    Raises `DataError` for a stamp on another head, by another authority, or that is none.
    """
    client = _client()
    info = _info(stamp)
    try:
        builder = client.VerifierBuilder()
        for certificate in x509.load_pem_x509_certificates(authority):
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(client.decode_timestamp_response(stamp), _bytes(head))
    except Exception as error:  # a dozen classes of two packages, for what a stranger may have sent
        raise DataError(
            f"the time stamp must be this authority's, on this head, got: {visible(str(error))[:200]}."
        ) from error
    return info.gen_time


def _bytes(head: Head) -> bytes:
    """Return what `save` writes of a head."""
    return text(head).encode() + b"\n"


def _info(stamp: bytes) -> Any:
    """Read what a stamp says, before it is believed."""
    client = _client()
    try:
        return client.decode_timestamp_response(stamp).tst_info
    except Exception as error:
        raise DataError(
            f"a time stamp must be the granted answer of an authority, got: {visible(str(error))[:200]}."
        ) from error


def _client() -> Any:
    try:
        import rfc3161_client
    except ImportError as error:
        fix = 'Run pip install "wmlearn[timestamp]".'
        raise DataError(f"time stamps need rfc3161-client, which is not installed. {fix}") from error
    return rfc3161_client
