"""A stand-in for GSTV: a fast HTTP server that misbehaves as told and keeps a ledger."""
