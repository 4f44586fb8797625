#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a program and demands what it prints: check_output.sh PROGRAM LINE (TAP).
set -uo pipefail

said=$("$1" 2>/dev/null)
code=$?
echo 1..1
if [ "$code" = 0 ] && [ "$said" = "$2" ]; then
    echo "ok 1 - $(basename "$1")"
else
    echo "not ok 1 - $(basename "$1"): exit $code, '$said'"
    exit 1
fi
