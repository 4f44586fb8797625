# SPDX-License-Identifier: MIT
"""The folder that nginx and h2o serve, and how they are told to."""
import os
import sys

from . import build

sys.path.insert(0, os.path.join(build.SRC, "load"))
import pages  # noqa: E402

PAGES = 1000
WWW = os.path.join(build.OUT, "www")

NGINX_CONF = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log stderr crit; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; multi_accept on; }}
http {{
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; server_tokens off;
    keepalive_timeout 300; keepalive_requests 1000000000;
    open_file_cache max=4000 inactive=300s; open_file_cache_valid 300s;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    types {{ text/html html; text/plain txt; application/octet-stream bin; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = / {{ default_type text/plain; return 200 "Hello, World!"; }}
        location / {{ root {www}; }}
    }}
}}
"""

H2O_CONF = """
listen: {{ host: 127.0.0.1, port: {port} }}
num-threads: 1
max-connections: 4096
http1-request-timeout: 300
error-log: /dev/null
{user}
hosts:
  default:
    paths:
      "/": {{ file.dir: "{www}", file.index: [ "hello.txt" ] }}
"""


def web_root():
    return pages.write_root(WWW, PAGES)


def conf_dir():
    path = os.path.join(build.OUT, "conf")
    os.makedirs(path, exist_ok=True)
    return path


def write_conf(name, text, **values):
    path = os.path.join(conf_dir(), name)
    with open(path, "w") as f:
        f.write(text.format(dir=conf_dir(), www=WWW, **values))
    return path


def nginx_argv(program, port):
    return program + ["-e", "stderr", "-c", write_conf("nginx.conf", NGINX_CONF, port=port)]


def h2o_argv(program, port):
    user = "user: root" if os.geteuid() == 0 else ""
    return program + ["-c", write_conf("h2o.conf", H2O_CONF, port=port, user=user)]
