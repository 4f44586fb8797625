# SPDX-License-Identifier: MIT
"""tools/runtests on small programs that pass, fail, skip, crash, hang and babble (TAP)."""
import importlib.machinery
import importlib.util
import os
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load():
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader('runtests', os.path.join(ROOT, 'tools/runtests'))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('runtests', loader))
    loader.exec_module(module)
    return module


# name, shell text, time limit, environment, (passed, failed, skipped)
CASES = [
    ('exit_zero_is_one_passed', 'exit 0', 10, {}, (1, 0, 0)),
    ('exit_one_is_one_failed', 'exit 1', 10, {}, (0, 1, 0)),
    ('exit_77_is_one_skipped', 'echo no kernel; exit 77', 10, {}, (0, 0, 1)),
    ('tap_counts_each_test', 'printf "1..3\\nok 1 - a\\nok 2 - b\\nnot ok 3 - c\\n"; exit 1', 10, {},
     (2, 1, 0)),
    ('tap_skip_of_cmocka_is_counted', 'printf "1..2\\nnot ok 1 # SKIP a\\nok 2 - b\\n"', 10, {},
     (1, 0, 1)),
    ('tap_skip_with_reason_is_counted', 'printf "1..1\\nok 1 - a # SKIP why\\n"', 10, {}, (0, 0, 1)),
    ('tap_result_after_babble_is_counted', 'printf "1..2\\nbabbleok 1 - a\\nok 7 - x\\nok 2 - b\\n"',
     10, {}, (2, 0, 0)),
    ('tap_of_two_groups_adds_up', 'printf "1..1\\nok 1 - a\\n1..1\\nok 1 - b\\n"', 10, {}, (2, 0, 0)),
    ('crash_after_plan_is_one_failed', 'printf "1..3\\nok 1 - a\\n"; kill -SEGV $$', 10, {},
     (1, 1, 0)),
    ('crash_before_plan_is_one_failed', 'kill -SEGV $$', 10, {}, (0, 1, 0)),
    ('early_exit_is_one_failed', 'printf "1..2\\nok 1 - a\\n"; exit 0', 10, {}, (1, 1, 0)),
    ('bad_exit_after_all_passed_is_one_failed', 'printf "1..1\\nok 1 - a\\n"; exit 23', 10, {},
     (1, 1, 0)),
    ('hang_is_killed_and_failed', 'sleep 30', 0.2, {}, (0, 1, 0)),
    ('left_over_child_does_not_hold_the_runner', 'sleep 30 & exit 0', 10, {}, (1, 0, 0)),
    ('backend_that_is_refused_is_skipped', 'exit 0', 10, {'CELADON_BACKEND': 'uring'}, (0, 0, 1)),
    ('backend_that_is_there_runs', 'test "$CELADON_BACKEND" = epoll', 10,
     {'CELADON_BACKEND': 'epoll'}, (1, 0, 0)),
]


def main():
    runtests = load()
    args = types.SimpleNamespace(slower=1, sanitizer_env={}, kernel_env={}, build='.')
    failed = 0
    print(f'1..{len(CASES)}')
    for i, (name, text, limit, env, wanted) in enumerate(CASES, 1):
        test = {'name': name, 'cmd': ['sh', '-c', text], 'env': env, 'timeout': limit,
                'workdir': None}
        outcome = runtests.run_program(test, args, 'EPERM')
        got = (outcome.passed, len(outcome.failed), len(outcome.skipped))
        failed += got != wanted
        print(f'{"ok" if got == wanted else "not ok"} {i} - {name}')
        if got != wanted:
            print(f'#   wanted {wanted}, got {got}: {outcome.failed}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
