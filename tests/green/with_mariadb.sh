#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starts MariaDB on a Unix socket in a folder of its own, runs a program that talks to it, and ends
# it: with_mariadb.sh PRELOADED PROGRAM. Without the server it is skipped.
set -uo pipefail

preloaded=$(realpath "$1") program=$(realpath "$2")
mask=${LD_PRELOAD:-}
unset LD_PRELOAD
PATH=$PATH:/usr/sbin
command -v mariadbd >/dev/null || {
    echo "1..1"
    echo "ok 1 - $(basename "$program") # SKIP there is no MariaDB (mariadbd)"
    exit 0
}

folder=$(mktemp -d)
finish() {
    [ -z "${server:-}" ] || { kill -TERM "$server" && wait "$server"; } 2>/dev/null
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 143' TERM INT
cd "$folder" || exit 1

# Nothing of its own tables is needed, only its connections and locks.
mkdir data
mariadbd --no-defaults --datadir="$folder/data" --socket="$folder/maria.sock" --skip-networking --skip-grant-tables \
    --pid-file="$folder/pid" --max-connections=130 --innodb-buffer-pool-size=16M \
    --innodb-flush-log-at-trx-commit=0 --user="$(id -un)" >server.log 2>&1 &
server=$!
for _ in $(seq 600); do
    kill -0 "$server" 2>/dev/null || break
    grep -q 'ready for connections' server.log && ready=1 && break
    sleep 0.1
done
[ "${ready:-0}" = 1 ] || {
    cat server.log >&2
    exit 1
}
GREEN_SERVERS=$folder LD_PRELOAD=$preloaded${mask:+:$mask} "$program"
