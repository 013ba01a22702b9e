"""The Faust side. `faust -A pop_stream.stream worker` starts it the Faust way."""

import os
from typing import Any


def __getattr__(name: str) -> Any:
    """Build the app when Faust asks for it: nothing is read when the module is imported."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not at the top: this package is imported for any of its modules.
    from pop_stream.settings import load_settings  # noqa: PLC0415
    from pop_stream.stream.app import PopStreamApp  # noqa: PLC0415

    app = PopStreamApp(load_settings(os.environ))
    globals()["app"] = app
    return app
