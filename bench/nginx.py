"""nginx as the partner: what it must be told."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.certificates import Certificates
from bench.variants import Behaviour

#: A line of the log of refusals: they are counted by its size.
REFUSAL = b"x\n"
_ECHO = "ngx_http_echo_module.so"
_MODULE_FOLDERS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/etc/nginx/modules")
_CONFIG = """
{modules}
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  log_format refusal 'x';
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  default_type application/json;
  {maps}
  server {{
    listen 127.0.0.1:{stats_port};
    location / {{ stub_status; }}
  }}
  server {{
    listen 127.0.0.1:{port}{tls} backlog=4096;
    {certificates}
    location @taken {{ return 200 '{{}}'; }}
    location / {{ {answer} }}
  }}
}}
"""
_FAILS = """
  split_clients "$http_idempotency_key" $chosen {{ {percent:.2f}% 1; * 0; }}
  map "$chosen$http_x_pop_attempt" $refused {{ 11 1; default 0; }}
"""


@dataclass(frozen=True, slots=True)
class Nginx:
    """An nginx that is installed."""

    path: str
    version: str
    #: The module that can wait before it answers; None: it is not there, or does not load.
    echo: Path | None


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens."""

    events: int
    stats: int


@cache
def find_nginx() -> Nginx | None:
    """Look for nginx; None: it is not installed."""
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which("nginx", path=f"{path}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin")
    if found is None:
        return None
    said = subprocess.run([found, "-V"], capture_output=True, check=True, text=True).stderr
    version = said.partition("/")[2].split()[0]
    told = re.search(r"--modules-path=(\S+)", said)
    folders = [*([told[1]] if told else []), *_MODULE_FOLDERS]
    modules = [Path(folder, _ECHO) for folder in folders if Path(folder, _ECHO).is_file()]
    echo = next((module for module in modules if _loads(found, module)), None)
    return Nginx(found, version, echo)


def nginx_config(
    nginx: Nginx, behaviour: Behaviour, ports: Ports, folder: Path, tls: Certificates | None
) -> str:
    """Write the configuration. Raises ValueError for what this nginx cannot do."""
    if not can_play(nginx, behaviour):
        raise ValueError(f"this nginx cannot play {behaviour}")
    answer, maps, modules = "return 200 '{}';", "", ""
    if behaviour.answers_after_seconds:
        modules = f"load_module {nginx.echo};"
        # The answer comes from elsewhere: what this module writes itself has no length.
        answer = f"echo_sleep {behaviour.answers_after_seconds:g}; echo_exec @taken;"
    if behaviour.fails_first_share:
        maps = _FAILS.format(percent=behaviour.fails_first_share * 100)
        log = f"access_log {refusals(folder)} refusal if=$refused;"
        answer = f"{log} if ($refused) {{ return 500 '{{}}'; }} {answer}"
    certificates = ""
    if tls is not None:
        certificates = f"ssl_certificate {tls.certificate}; ssl_certificate_key {tls.key};"
    return _CONFIG.format(
        modules=modules,
        folder=folder,
        maps=maps,
        stats_port=ports.stats,
        port=ports.events,
        tls=" ssl" if tls else "",
        certificates=certificates,
        answer=answer,
    )


def can_play(nginx: Nginx, behaviour: Behaviour) -> bool:
    """Whether it can do what the partner does."""
    if behaviour.keeps_ledger or (behaviour.answers_after_seconds and nginx.echo is None):
        return False
    return not (behaviour.answers_after_seconds and behaviour.fails_first_share)


def refusals(folder: Path) -> Path:
    """The log of refusals."""
    return folder / "refusals.log"


def _loads(nginx: str, module: Path) -> bool:
    # One that was built for another nginx does not.
    with tempfile.TemporaryDirectory(prefix="pop-stream-bench-") as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(f"load_module {module};\npid {folder}/pid;\nevents {{}}\n")
        argv = [nginx, "-t", "-q", "-c", str(config), "-e", "stderr", "-p", folder]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
