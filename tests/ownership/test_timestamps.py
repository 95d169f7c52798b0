"""Time stamps on heads, by an authority of the tests' own; nothing leaves this machine."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import wmlearn as wm
from wmlearn import ownership as own
from wmlearn.ownership import timestamps

pytest.importorskip("rfc3161_client")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl answers as the authority")
CONFIG = """
[tsa]
default_tsa = it
[it]
serial = serial
default_policy = 1.2.3.4
digests = sha256, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def _authority(folder: Path) -> bytes:
    """Write a time-stamping authority's key, certificate and settings; return the certificate as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a clock")])
    now = datetime.now(timezone.utc)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(usage, critical=True)
        .sign(key, SHA256())
    )
    folder.mkdir()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(private)
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (folder / "settings").write_text(CONFIG)
    (folder / "serial").write_text("01\n")
    return certificate.public_bytes(Encoding.PEM)


def _reply(folder: Path, question: bytes) -> bytes:
    """Answer as the authority of a folder."""
    (folder / "question").write_bytes(question)
    words = "ts -reply -queryfile question -signer certificate.pem -inkey key.pem -config settings"
    words += " -section it -out answer"
    done = subprocess.run(["openssl", *words.split()], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr
    return (folder / "answer").read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authorities")


@pytest.fixture(scope="module")
def certificate(folder: Path) -> bytes:
    return _authority(folder / "clock")


@pytest.fixture(scope="module")
def url(folder: Path, certificate: bytes) -> Iterator[str]:
    """Serve the authority on this machine; `/replay` repeats its last stamp, `/none` says nonsense."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/replay":
                answer = (folder / "clock" / "answer").read_bytes()
            else:
                answer = b"nonsense" if self.path == "/none" else _reply(folder / "clock", question)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def head() -> own.Head:
    ada = own.new_identity("Ada")
    return own.chained([own.release(ada, "m", "0" * 64)], keeper=own.new_identity("keeper")).head


@needs_openssl
def test_a_stamp_says_when_a_head_was_there(
    head: own.Head, url: str, certificate: bytes, tmp_path: Path
) -> None:
    stamp = timestamps.ask_stamp(head, url)
    time = timestamps.stamped_at(head, stamp, certificate)
    assert abs(time - datetime.now(timezone.utc)) < timedelta(minutes=1)
    own.save(head, tmp_path / "head.json")
    (tmp_path / "head.tsr").write_bytes(stamp)
    (tmp_path / "authority.pem").write_bytes(certificate)
    words = "ts -verify -data head.json -in head.tsr -CAfile authority.pem"
    done = subprocess.run(["openssl", *words.split()], cwd=tmp_path, capture_output=True)
    assert b"Verification: OK" in done.stdout + done.stderr


@needs_openssl
def test_a_stamp_is_good_for_one_head_and_one_authority(
    head: own.Head, url: str, folder: Path, certificate: bytes
) -> None:
    stamp = timestamps.ask_stamp(head, url)
    other = _authority(folder / "another")
    changed = bytearray(stamp)
    changed[-20] ^= 1
    for what, signed, by in (
        (replace(head, size=2), stamp, certificate),
        (head, stamp, other),
        (head, bytes(changed), certificate),
        (head, stamp, b"no certificate"),
    ):
        with pytest.raises(wm.DataError, match="must be this authority's, on this head"):
            timestamps.stamped_at(what, signed, by)
    with pytest.raises(wm.DataError, match="must stamp this head"):
        timestamps.ask_stamp(replace(head, size=2), f"{url}/replay")


def test_what_is_no_stamp_is_a_clear_error(head: own.Head, url: str, certificate: bytes) -> None:
    for odd in (b"", b"nonsense", b"\x30\x82\xff\xff", b"\x30\x05\x30\x03\x02\x01\x02"):
        with pytest.raises(wm.DataError, match="must be the granted answer"):
            timestamps.stamped_at(head, odd, certificate)
    with pytest.raises(wm.DataError, match="must be the granted answer"):
        timestamps.ask_stamp(head, f"{url}/none")
    for gone in ("http://127.0.0.1:1", "http://[::1", "https://"):
        with pytest.raises(wm.DataError, match="must answer with a time stamp"):
            timestamps.ask_stamp(head, gone, timeout=1)
    with pytest.raises(wm.ArgumentError, match="url must start with"):
        timestamps.ask_stamp(head, "file:///etc/passwd")
