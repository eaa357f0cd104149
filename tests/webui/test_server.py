"""The server: what it says when it cannot start, TLS, and a worker that ends by itself."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import builders
from webui.server import ServeError, serve

ROOT = Path(__file__).parents[2]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, secret


def script(folder: Path, url: str, **options: str) -> str:
    """A program that serves, and says when it ends."""
    arguments = ", ".join(f"{name}={value}" for name, value in options.items())
    return textwrap.dedent(f"""
        import os
        from pathlib import Path
        from tests.processes import opened
        from webui.server import serve
        parent = os.getpid()
        serve(lambda: opened({url!r}, Path({str(folder)!r})), port=0,
              on_ready=lambda address: print(address, flush=True),
              on_start=lambda access: print("started", os.getpid() != parent, flush=True),
              on_stop=lambda: print("stopped", flush=True), {arguments})
        print("ended", os.getpid() == parent, flush=True)
    """)


@pytest.mark.parametrize("tls", [False, True])
def test_it_serves_starts_and_stops_in_the_worker_and_ends_once(
    sqlite_url: str, tmp_path: Path, tls: bool
) -> None:
    access = builders.installation(sqlite_url, tmp_path)
    access.database.close()
    access.keys.close()
    options, context = {}, None
    if tls:
        chain, key = certificate(tmp_path)
        options = {"tls_cert": f"Path({str(chain)!r})", "tls_key": f"Path({str(key)!r})"}
        context = ssl.create_default_context(cafile=str(chain))
    command = [sys.executable, "-c", script(tmp_path, sqlite_url, **options)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().replace("127.0.0.1", "localhost")
        assert address.startswith("https://" if tls else "http://")
        with urllib.request.urlopen(address + "healthz", context=context, timeout=60) as answer:
            assert json.load(answer)["status"] == "ok"
        with urllib.request.urlopen(address + "login", context=context, timeout=60) as answer:
            assert ("Secure" in answer.headers["Set-Cookie"]) is tls
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().split("\n")
    assert process.returncode == 0
    assert sorted(line for line in rest if line) == ["ended True", "started True", "stopped"]


def asked(address: str, **headers: str) -> tuple[int, str]:
    """The status, and what the answer demands of TLS."""
    request = urllib.request.Request(address, headers={n.replace("_", "-"): v for n, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get("Strict-Transport-Security", "")
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("Strict-Transport-Security", "")


@pytest.mark.parametrize("proxy", [True, False])
def test_a_proxy_on_this_machine_is_believed_and_nobody_else_is(
    sqlite_url: str, tmp_path: Path, proxy: bool
) -> None:
    access = builders.installation(sqlite_url, tmp_path)
    access.database.close()
    access.keys.close()
    command = [sys.executable, "-c", script(tmp_path, sqlite_url, secure_cookies=str(proxy))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip() + "invited/none"
        try:
            statuses = [asked(address, X_Forwarded_For=f"192.0.2.{n}")[0] for n in range(11)]
            assert statuses == [404] * 10 + [404 if proxy else 429], "each visitor has ten tries of their own"
            if proxy:
                same = [asked(address, X_Forwarded_For="192.0.2.99")[0] for _ in range(11)]
                assert same == [404] * 10 + [429]
                assert "max-age" in asked(address, X_Forwarded_Proto="https")[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()


def test_a_server_whose_database_is_missing_stops_and_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", script(tmp_path, f"sqlite:///{tmp_path}/none.sqlite3")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "the server stopped by itself" in done.stderr
    assert "ended" not in done.stdout


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"127.0.0.1:{port}.*choose another --port"):
            serve(lambda: pytest.fail("nothing is opened"), port=port)
