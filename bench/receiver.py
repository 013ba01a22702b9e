"""Who takes the POSTs: nginx where it is installed, else the mock of GSTV."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from bench.children import Child, Command, running
from pop_stream import __version__

_READY_SECONDS = 15.0
_POLL_SECONDS = 0.02
_NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /stats {{ stub_status; }}
    location / {{ default_type application/json; return 200 '{{}}'; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A receiver that can be had here."""

    name: str
    version: str
    #: The path of nginx; None for the mock.
    nginx: str | None


class Receiver:
    """A receiver that listens on 127.0.0.1, and says how many POSTs it has taken."""

    def __init__(self, child: Child, port: int, *, is_nginx: bool) -> None:
        self.child = child
        self.url = f"http://127.0.0.1:{port}/pops"
        self._is_nginx = is_nginx
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_READY_SECONDS)
        self._asked = 0

    def delivered(self) -> int:
        """How many POSTs it has answered."""
        path = "/stats" if self._is_nginx else "/__mock__/stats"
        self._connection.request("GET", path)
        text = self._connection.getresponse().read()
        if not self._is_nginx:
            return int(orjson.loads(text)["received"])
        # "server accepts handled requests\n 7 7 123 \n": all requests, this one too.
        self._asked += 1
        return int(text.split()[9]) - self._asked

    def close(self) -> None:
        """Ask no more."""
        self._connection.close()


def find_receiver() -> Kind:
    """Choose the receiver."""
    path = os.environ.get("PATH", os.defpath)
    nginx = shutil.which("nginx", path=f"{path}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin")
    if nginx is None:
        return Kind("pop-stream gstv mock", __version__, None)
    said = subprocess.run([nginx, "-v"], capture_output=True, check=True, text=True).stderr
    return Kind("nginx", said.partition("/")[2].strip(), nginx)


@contextmanager
def receiving(kind: Kind, *, folder: Path) -> Iterator[Receiver]:
    """Run a receiver, its count at 0, for the time of the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if kind.nginx is None:
        argv = [sys.executable, "-m", "pop_stream", "gstv", "mock", "--port", str(port)]
    else:
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, port=port))
        argv = [kind.nginx, "-c", str(config), "-e", "stderr", "-p", str(folder)]
    with running("receiver", Command(argv, {}), folder=folder) as child:
        _wait_until_it_listens(child, port)
        receiver = Receiver(child, port, is_nginx=kind.nginx is not None)
        try:
            yield receiver
        finally:
            receiver.close()


def _wait_until_it_listens(child: Child, port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        child.check()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if time.monotonic() > deadline:
                raise child.failure("does not listen") from None
            time.sleep(_POLL_SECONDS)
        else:
            return
