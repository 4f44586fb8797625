# SPDX-License-Identifier: MIT
"""snippets.py on a document with good and bad blocks (TAP)."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import snippets  # noqa: E402

MAIN = '#include <celadon/base.h>\n#include <stdio.h>\nint main(void)\n{\n    puts(%s);\n}\n'

# name, document, is each block good?
CASES = [
    ('whole_program_compiles', '```c\n' + MAIN % '"a"' + '```\n', [True]),
    ('block_without_includes_gets_the_umbrella', '```c\nint64_t soon = CEL_SECOND;\n```\n', [True]),
    ('unknown_name_is_found', '```c\nint64_t soon = CEL_ETERNITY;\n```\n', [False]),
    ('fragment_is_wrapped', '<!-- compile: fragment -->\n```c\nr = 1;\nputs("a");\n```\n', [True]),
    ('fragment_by_its_first_line_is_wrapped', '```c\n/* fragment */\nr = 1;\n```\n', [True]),
    ('fragment_takes_declarations',
     '<!-- compile: fragment\nstruct cel_str name;\n-->\n\n```c\nr = (int)name.len;\n…\n```\n', [True]),
    ('fragment_with_error_is_found', '<!-- compile: fragment -->\n```c\nr = nobody;\n```\n', [False]),
    ('warning_is_found', '<!-- compile: fragment -->\n```c\nprintf("%s", r);\n```\n', [False]),
    ('internal_block_sees_src',
     '<!-- compile: internal -->\n```c\n#include "base/buf.h"\nstruct cel__buf b;\n```\n', [True]),
    ('public_block_does_not_see_src', '```c\n#include "base/buf.h"\n```\n', [False]),
    ('run_compares_output', '<!-- run -->\n```c\n' + MAIN % '"a"' + '```\nprints\n```text\na\n```\n',
     [True]),
    ('run_finds_other_output',
     '<!-- run -->\n```c\n' + MAIN % '"a"' + '```\nprints\n```text\nb\n```\n', [False]),
    ('run_without_output_is_found', '<!-- run -->\n```c\n' + MAIN % '"a"' + '```\n', [False]),
    ('unknown_mark_is_found', '<!-- compile: never -->\n```c\nint x;\n```\n', [False]),
    ('other_comment_is_no_mark', '<!-- a note -->\n```c\nint x;\n```\n', [True]),
    ('other_languages_are_let_through', '```sh\nmake\n```\n```c\nint x;\n```\n', [True]),
    ('block_in_a_list_is_dedented', '- so:\n\n  ```c\n  int x;\n  ```\n', [True]),
]


def main():
    checker = snippets.Checker(*sys.argv[1:3])
    failed = 0
    print(f'1..{len(CASES)}')
    for i, (name, text, wanted) in enumerate(CASES, 1):
        errors = [checker.check(b) for b in snippets.read_blocks('doc.md', text)]
        good = [e is None for e in errors] == wanted
        failed += not good
        print(f'{"ok" if good else "not ok"} {i} - {name}')
        if not good:
            print('\n'.join('#   ' + l for e in errors for l in (e or 'no error').splitlines()))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
