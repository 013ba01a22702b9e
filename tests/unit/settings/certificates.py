"""Certificates and keys for tests; they open nothing."""

from collections.abc import Callable

#: Writes a file by its name and text, and gives its path.
Pem = Callable[[str, str], str]

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUWfukzKq3RO9d/XT1HCC7rhvr4tEwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPcG9wLXN0cmVhbSB0ZXN0MCAXDTI2MTEyMzE0Mzg1MVoYDzIx
MjYxMDMwMTQzODUxWjAaMRgwFgYDVQQDDA9wb3Atc3RyZWFtIHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATYLmgqHEiSqUD7gzfJlK+Ij42Dg8rsS3l2jbp+
qn9sz4F9bvJJCspWytu3lejWGlbsmhEQfNXDb9LXzneXRSMLo1MwUTAdBgNVHQ4E
FgQUaImrgtdMWmGdbbVvkcUwIEihPGkwHwYDVR0jBBgwFoAUaImrgtdMWmGdbbVv
kcUwIEihPGkwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAsWae
7aeITdBu9zgr47ynsiwgOwdCpLacHGfvJW9lmg8CIQDwDX3VMeMbkQMZI0zGM+8m
p3yoYEQkDhJIxzkJqwQrOw==
-----END CERTIFICATE-----
"""

KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIK2f8uV5nriDFsyMdEOgP1HIR/mG04LqKk+wRsQOclZWoAoGCCqGSM49
AwEHoUQDQgAE2C5oKhxIkqlA+4M3yZSviI+Ng4PK7Et5do26fqp/bM+BfW7ySQrK
Vsrbt5Xo1hpW7JoREHzVw2/S1853l0UjCw==
-----END EC PRIVATE KEY-----
"""

#: The same key under a password.
ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhROHD9KoZkbAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEK0YfLR5XpGp34vXusp6u5gEgZBO
LdvAjxKl/qpqc1mdDrEPLK2ScV19Vf9Q+lO4cv+/fjQEokQ/dY2GXdEEZzbN2qQl
Zjz7guJjRRN7s/7jClRYXQrocq54EBULClKV4h4oxrzfk9AcJxX6iUWU6eb9sRIy
SGCamq7JOOFZyvQT2DXB4Ei1SDDwfKLYxQkrHTmfPDuLeJnm+PklK+MRuSgIZ/8=
-----END ENCRYPTED PRIVATE KEY-----
"""

#: A key of another certificate.
OTHER_KEY = """\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIEAYnzwf7+sxb5rYzFw81gNe1z/txgD20rc455VSXlaJoAoGCCqGSM49
AwEHoUQDQgAEUawmt9IQJvQxx5716JnrphtqcxQdGqcsUDwRbGPgtiiL1OkFfoXT
5+j3pzpilhIjIXzRg3dWe29gCih8iB1mEQ==
-----END EC PRIVATE KEY-----
"""
