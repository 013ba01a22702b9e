"""Certificates for one test run: an authority, and what it signs."""

from pathlib import Path

import trustme


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
        made = self._authority.issue_cert(*hosts, common_name=common_name)
        path = self._folder / file
        path.write_bytes(made.private_key_and_cert_chain_pem.bytes())
        return path
