"""Only the database that was meant is talked to, over TLS, and no secret is ever said."""

import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from local_services import DatabaseServer
from sqlalchemy import text
from store_fixtures import ROOT, store_settings

from local_azure.services.account import account_for
from local_azure.services.postgresql import PostgreSQL
from shared_code.__main__ import main
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable

HOST = "db.example.com"
PASSWORD = "hunter2-of-the-application"
WRONG = "hunter2-mistyped"
# The wheel's server is built without TLS.
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


def certificates(folder: Path) -> Path:
    """Make an authority and a certificate of ``HOST``; return the authority's file."""
    now = datetime.now(UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, it)]) for it in ("authority", HOST)]
    for at, file in enumerate(("authority.pem", "server.pem")):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(names[at])
            .issuer_name(names[0])
            .public_key(keys[at].public_key())
            .serial_number(at + 1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=at == 0, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .sign(keys[0], hashes.SHA256())
        )
        (folder / file).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key = keys[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.key").write_bytes(key)
    return folder / "authority.pem"


@pytest.fixture(scope="module")
def tls_server() -> Iterator[tuple[PostgreSQL, Path]]:
    """A server with a certificate and a login that needs a password; and its authority."""
    if not SERVERS:
        pytest.skip("no PostgreSQL that knows TLS is installed: apt-get install postgresql")
    # Not below pytest's folder, which is closed to the server's account.
    with tempfile.TemporaryDirectory() as name:
        yield from serving_tls(Path(name))


def serving_tls(folder: Path) -> Iterator[tuple[PostgreSQL, Path]]:
    authority = certificates(folder)
    hba = folder / "pg_hba.conf"
    hba.write_text(
        "host all application 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
    )
    settings = {
        "ssl": "on",
        "ssl_cert_file": str(folder / "server.pem"),
        "ssl_key_file": str(folder / "server.key"),
        "hba_file": str(hba),
    }
    server = PostgreSQL(bin_folder=SERVERS[-1].parent, settings=settings)
    (folder / "server.key").chmod(0o600)
    if (account := account_for("PostgreSQL", folder)) is not None:
        for made in (folder, *folder.iterdir()):
            account.own(made)
    with server:
        with closing(psycopg2.connect(server.url())) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE ROLE application LOGIN PASSWORD '{PASSWORD}'")
            connection.commit()
        yield server, authority


def url(port: int | None, host: str = HOST, password: str = PASSWORD, **query: object) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"postgresql://application:{password}@{host}:{port}/postgres?hostaddr=127.0.0.1&{asked}"


def ask(database_url: str) -> bool:
    """Connect as the functions do; tell whether it is over TLS."""
    database = Database(store_settings(database_url).database)
    query = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    try:
        with database.transaction() as connection:
            return bool(connection.execute(query).scalar_one())
    finally:
        database.engine.dispose()


def test_the_server_that_was_meant_is_reached_over_tls(tls_server: tuple[PostgreSQL, Path]) -> None:
    server, authority = tls_server
    assert ask(url(server.port, sslrootcert=authority))


def test_a_server_of_another_name_is_not_talked_to(tls_server: tuple[PostgreSQL, Path]) -> None:
    server, authority = tls_server
    with pytest.raises(StoreUnavailable, match=r'does not match host name "other.example.com"'):
        ask(url(server.port, host="other.example.com", sslrootcert=authority))


def test_a_certificate_of_nobody_known_is_not_trusted(tls_server: tuple[PostgreSQL, Path]) -> None:
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        ask(url(tls_server[0].port))


def test_a_server_without_tls_is_not_talked_to(store_server: DatabaseServer) -> None:
    with pytest.raises(StoreUnavailable, match="does not support SSL"):
        ask(url(urlsplit(store_server.admin_url).port))


def test_a_refused_password_is_in_no_error(tls_server: tuple[PostgreSQL, Path]) -> None:
    server, authority = tls_server
    with pytest.raises(StoreUnavailable, match="password authentication failed") as raised:
        ask(url(server.port, password=WRONG, sslrootcert=authority))
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def shell(*command: str, **settings: str) -> str:
    """Return all that a program says, with an exit code that is not 0."""
    environment = {"PATH": os.environ["PATH"], "PII_HASH_KEY": "5ec4e7" * 11, **settings}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize("wrong", ["password", "option", "scheme", "mode"])
def test_alembic_says_no_secret(tls_server: tuple[PostgreSQL, Path], wrong: str) -> None:
    server, authority = tls_server
    given = {
        "password": url(server.port, password=WRONG, sslrootcert=authority),
        "option": url(server.port, password=WRONG, sslrootcert=authority, passwrd="hunter2"),
        "scheme": url(server.port, password=WRONG).replace("postgresql", "postgre"),
        "mode": url(server.port, password=WRONG, sslmode="require"),
    }
    said = shell(sys.executable, "-m", "alembic", "upgrade", "head", DATABASE_URL=given[wrong])
    assert "hunter2" not in said
    assert "5ec4e7" not in said
    assert "Error" in said


@pytest.mark.parametrize(
    "command", [["rules", "history"], ["roles", "bootstrap"], ["maintenance", "drop-days"]]
)
def test_commands_say_no_secret(
    tls_server: tuple[PostgreSQL, Path],
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, authority = tls_server
    for given in (
        url(server.port, password=WRONG, sslrootcert=authority),
        url(server.port, password=WRONG, sslrootcert=authority, passwrd="hunter2"),
        url(server.port, password=WRONG, sslmode="require"),
    ):
        monkeypatch.setenv("DATABASE_URL", given)
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.err.startswith("error: ")
        assert "hunter2" not in said.out + said.err


@pytest.mark.parametrize("command", [[], ["rules", "upload"], ["roles", "login"]])
def test_help_says_no_secret(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:{PASSWORD}@localhost/payments")
    monkeypatch.setenv("PII_HASH_KEY", "5ec4e7" * 11)
    monkeypatch.setenv("RulesStorage", "AccountName=a;AccountKey=aHVudGVyMg==;")
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    said = capsys.readouterr().out
    for secret in (PASSWORD, "5ec4e7", "aHVudGVyMg"):
        assert secret not in said
