"""How we prove who we are, and learn who others are: certificates, secrets, tokens."""
