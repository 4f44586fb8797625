#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Starts PostgreSQL and Redis on Unix sockets in a folder of their own, runs a program that talks to
# them, and ends them: with_servers.sh PRELOADED PROGRAM. The program finds the folder in
# GREEN_SERVERS. Without one of the two it is skipped, and says why.
set -uo pipefail

skip() {
    echo "1..1"
    echo "ok 1 - $(basename "$program") # SKIP $1"
    exit 0
}

preloaded=$(realpath "$1") program=$(realpath "$2")
servers=()
# An older kernel (tests/support/kernel.c) is played to the program, not to servers that are not ours.
mask=${LD_PRELOAD:-}
unset LD_PRELOAD
initdb=$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -n 1)
[ -n "$initdb" ] || skip "there is no PostgreSQL (initdb)"
command -v redis-server >/dev/null && command -v redis-cli >/dev/null || skip "there is no redis-server"
bin=$(dirname "$(readlink -f "$initdb")")

folder=$(mktemp -d)
finish() {
    for pid in "${servers[@]}"; do kill -INT "$pid" 2>/dev/null; done
    for pid in "${servers[@]}"; do wait "$pid"; done 2>/dev/null
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 143' TERM INT

# PostgreSQL refuses to be run by root.
as_user=()
if [ "$(id -u)" = 0 ]; then
    user=postgres
    getent passwd postgres >/dev/null || user=nobody
    as_user=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups)
    chown "$user" "$folder"
fi
cd "$folder" || exit 1

"${as_user[@]}" "$initdb" -D data -A trust -U green --no-sync --no-locale -E UTF8 >initdb.log 2>&1 || {
    cat initdb.log >&2
    exit 1
}
"${as_user[@]}" "$bin/postgres" -D data -k "$folder" -c listen_addresses= -c max_connections=130 \
    -c shared_buffers=16MB -c fsync=off >postgres.log 2>&1 &
servers+=($!)
redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' --appendonly no \
    --dir "$folder" >redis.log 2>&1 &
servers+=($!)

for _ in $(seq 600); do
    for pid in "${servers[@]}"; do
        kill -0 "$pid" 2>/dev/null || {
            cat postgres.log redis.log >&2
            exit 1
        }
    done
    "$bin/pg_isready" -q -h "$folder" -U green -d postgres &&
        redis-cli -s "$folder/redis.sock" ping >/dev/null 2>&1 && ready=1 && break
    sleep 0.1
done
[ "${ready:-0}" = 1 ] || {
    cat postgres.log redis.log >&2
    exit 1
}
# The servers' own programs do with it what they do without.
same() {
    command -v "$1" >/dev/null || return 0
    without=$("$@" 2>&1)
    beneath=$(LD_PRELOAD=$preloaded "$@" 2>&1)
    [ -n "$without" ] && [ "$without" = "$beneath" ] && return
    echo "$*: not as without: $beneath" >&2
    exit 1
}
same psql -h "$folder" -U green -d postgres -Atc 'select generate_series(1, 20000)'
same psql -h "$folder" -U green -d postgres -Atc 'select no_such_column'
same redis-cli -s "$folder/redis.sock" --no-raw eval 'return {1, "two", {3}}' 0
same redis-cli -s "$folder/redis.sock" no_such_command
GREEN_SERVERS=$folder LD_PRELOAD=$preloaded${mask:+:$mask} "$program"
