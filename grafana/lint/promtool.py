"""Asks Prometheus's own parser: promtool reads the expressions as rules.

`grafana.lint.promql` reads PromQL, too, but only to see what is asked for.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path


def complaints(promtool: Path, expressions: Sequence[str]) -> str:
    """What promtool says of expressions without variables; nothing where they are well."""
    rules = [
        {"record": f"dashboards:expression:{number}", "expr": expression}
        for number, expression in enumerate(expressions)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        # JSON is YAML.
        json.dump({"groups": [{"name": "dashboards", "rules": rules}]}, file)
        file.flush()
        ran = subprocess.run(
            [promtool, "check", "rules", "--lint=none", file.name],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr
