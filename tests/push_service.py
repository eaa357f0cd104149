"""A push service on this machine, over TLS, that believes nothing: it verifies who sends before it answers."""

from __future__ import annotations

import base64
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

from tracker.domain.pushing import PushServices


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "push.pem", folder / "push.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, secret


@dataclass(frozen=True)
class Taken:
    """A message that came, and what its signature says."""

    path: str
    headers: dict[str, str]
    claims: dict[str, Any]
    key: str


@dataclass
class PushService:
    """What came, in order; and what is answered next.

    Attributes
    ----------
    answers
        Statuses with headers, one for each message to come; then 201. The status 0 closes without a word.
    faults
        What was wrong with messages: a test that lets one be wrong looks here.
    """

    port: int
    ca: Path
    taken: list[Taken] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    def endpoint(self, device: str) -> str:
        return f"{self.origin}/push/{device}"

    @property
    def services(self) -> PushServices:
        """The services that a test allows: this one alone."""
        host = f"localhost:{self.port}"
        return PushServices({host: "Test"}, frozenset({host}))

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def devices(self) -> list[str]:
        """To which devices messages came, in order."""
        return [one.path.rpartition("/")[2] for one in self.taken]


@contextmanager
def push_service(folder: Path, now: datetime | None = None) -> Iterator[PushService]:
    """Run one; `now` is the clock by which tokens are judged, the real one where a test turns none."""
    cert, key = certificate(folder)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with lock:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                try:
                    service.taken.append(self._verified(body))
                    status, headers = service.answers.pop(0) if service.answers else (201, {})
                except Exception as error:
                    service.faults.append(repr(error))
                    status, headers = 403, {}
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def _verified(self, body: bytes) -> Taken:
            assert body == b"", "a message has no content"
            assert "Content-Encoding" not in self.headers
            scheme, _, said = self.headers["Authorization"].partition(" ")
            assert scheme == "vapid"
            parts = dict(part.strip().split("=", 1) for part in said.split(","))
            head, claims, signature = parts["t"].split(".")
            assert json.loads(_plain(head)) == {"typ": "JWT", "alg": "ES256"}
            raw = _plain(signature)
            assert len(raw) == 64
            sealed = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _plain(parts["k"]))
            public.verify(sealed, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
            found = json.loads(_plain(claims))
            at = now or datetime.now(UTC)
            assert found["aud"] == service.origin
            assert 0 < found["exp"] - at.timestamp() <= 24 * 3600 * (2 if now else 1)
            assert found["sub"].startswith(("mailto:", "https:"))
            assert int(self.headers["TTL"]) > 0
            return Taken(self.path, dict(self.headers), found, parts["k"])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    service = PushService(server.server_address[1], cert)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
