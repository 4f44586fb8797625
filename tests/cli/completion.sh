#!/bin/bash
# SPDX-License-Identifier: MIT
# The bash completion knows what the command knows (TAP).

# shellcheck disable=SC1091
. "$CELADON_SOURCE/tools/completion/celadon"
number=0
failed=0

# check NAME WANTED WORD...: completing the last word gives all that is wanted, and not `nonsense`.
check() {
    name=$1 wanted=$2
    shift 2
    COMP_WORDS=("$CELADON_BUILD/celadon" "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _celadon
    number=$((number + 1))
    result=ok
    for word in $wanted; do
        [[ " ${COMPREPLY[*]} " == *" $word "* ]] || result="not ok"
    done
    [ "$result" = ok ] || failed=1
    echo "$result $number - $name"
    [ "$result" = ok ] || echo "# ${COMPREPLY[*]}"
}

echo 1..5
check commands_are_completed "extract fetch html serve help" ""
check command_is_completed_by_its_beginning serve se
check options_of_a_command_are_completed "--listen --workers --quiet" serve -
check option_is_completed_by_its_beginning --listen serve --li
check help_takes_a_command fetch help f
exit $failed
