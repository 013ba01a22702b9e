"""Certificates for one test run: an authority, and what it signs."""

from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)


class Authority:
    """An authority of our own. Everything it gives is a PEM file in its folder."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._authority = trustme.CA(organization_name=name)
        self._folder = folder
        #: The authority's own certificate.
        self.cafile = folder / f"{name}.pem"
        self._authority.cert_pem.write_to_path(self.cafile)

    def certificate(self, *hosts: str, common_name: str | None = None, file: str) -> Path:
        """Sign a certificate for hosts or a common name: one file, the key first."""
        # Java takes no certificate that is for no host.
        made = self._authority.issue_cert(*hosts or ["client.example"], common_name=common_name)
        # As PKCS#8: Kafka reads no other.
        key = load_pem_private_key(made.private_key_pem.bytes(), password=None)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self._folder / file
        path.write_bytes(pem + b"".join(each.bytes() for each in made.cert_chain_pems))
        return path
