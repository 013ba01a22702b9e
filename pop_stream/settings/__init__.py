"""Every setting: what it is, its special values, its default, and where its value comes from.

Sources, the first that names a setting wins: a command's flag, the environment (`POP_STREAM_*`),
a `.env` file, a TOML file, the default. All problems are reported at once.
"""

from pop_stream.settings.catalogue import SETTINGS, Setting
from pop_stream.settings.loading import Loaded, load, load_settings, require
from pop_stream.settings.model import SECTIONS, TOPICS, Settings
from pop_stream.settings.secret_file import read_secret_file, secret_file
from pop_stream.settings.values import is_loopback, parse_bootstrap_servers, parse_statuses

__all__ = [
    "SECTIONS",
    "SETTINGS",
    "TOPICS",
    "Loaded",
    "Setting",
    "Settings",
    "is_loopback",
    "load",
    "load_settings",
    "parse_bootstrap_servers",
    "parse_statuses",
    "read_secret_file",
    "require",
    "secret_file",
]
