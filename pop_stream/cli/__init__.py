"""The commands: thin, they only call what lies below."""
