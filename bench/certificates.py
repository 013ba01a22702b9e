"""A certificate for 127.0.0.1, and the CA behind it, made for one run by `openssl`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pop_stream.errors import WorkFailedError

_CONFIG = """
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:127.0.0.1
"""
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_DAYS = ["-days", "2"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files."""

    ca: Path
    certificate: Path
    key: Path


def openssl() -> str | None:
    """Where the program is; None: it is not installed."""
    return shutil.which("openssl")


def make_certificates(folder: Path) -> Certificates:
    """Make them in a folder. Raises WorkFailedError when that is not possible."""
    program = openssl()
    if program is None:
        raise WorkFailedError("https needs a certificate, and openssl is not installed")
    (folder / "openssl.cnf").write_text(_CONFIG)
    request = [program, "req", "-config", "openssl.cnf", *_NEW_KEY]
    ours = ["-x509", "-extensions", "ca", *_DAYS, "-subj", "/CN=pop-stream bench CA"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *_DAYS]
    extended = ["-extfile", "openssl.cnf", "-extensions", "leaf"]
    for command in (
        [*request, *ours, "-keyout", "ca.key", "-out", "ca.pem"],
        [*request, "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "leaf.csr"],
        [program, "x509", "-req", "-in", "leaf.csr", *signed, *extended, "-out", "leaf.pem"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False, text=True)
        if done.returncode:
            raise WorkFailedError(f"openssl made no certificate: {done.stderr.strip()}")
    return Certificates(folder / "ca.pem", folder / "leaf.pem", folder / "key.pem")
