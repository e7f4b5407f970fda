"""Whom a TLS connection trusts."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Self

from edge.errors import UsageError


class TlsContext(ssl.SSLContext):
    """Trusts the system's authorities or those of one file, and wants the host's own name in the certificate.

    Not ssl.create_default_context(): from Python 3.13 on that refuses what the authorities that people make at home
    with openssl sign (VERIFY_X509_STRICT).
    """

    last: ssl.SSLSocket | None = None

    @classmethod
    def of(cls, ca_file: Path | None) -> Self:
        """The context for a client. Raises UsageError if the file holds no certificates."""
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is None:
            context.load_default_certs()
            return context
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as error:
            reason = (
                error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no certificates in PEM"
            )
            raise UsageError(f"--mqtt-ca {ca_file}: {reason}; name the file of the broker's CA") from error
        return context

    def wrap_socket(self, *arguments: Any, **settings: Any) -> ssl.SSLSocket:
        """As the base class has it; remembers what it made."""
        self.last = super().wrap_socket(*arguments, **settings)
        return self.last

    def close_last(self) -> None:
        """Close the last socket; paho leaves one open whose handshake failed."""
        if self.last is not None:
            self.last.close()
            self.last = None
