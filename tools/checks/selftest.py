# SPDX-License-Identifier: MIT
"""A linter that cannot fail proves nothing: each rule is shown a small tree that breaks it.

Every case starts from one clean tree, changes some files, and names the findings that must
come of it, and no others."""
import json
import os
import shutil
import subprocess
import tempfile

import clang

SPDX = '/* SPDX-License-Identifier: MIT */\n'

CLEAN = {
    'tools/FLOORS': 'base\nleft right\ntop(more)\n',
    'include/celadon/base.h': '''
#define CEL_PUBLIC __attribute__((visibility("default")))
/* One. */
CEL_PUBLIC int cel_one(void);
''',
    'include/celadon/more.h': '''
#include "celadon/base.h"
/* More. */
CEL_PUBLIC int cel_more(void);
''',
    'src/base/one.h': 'int cel__one_more(int n);\n',
    'src/base/one.c': '''
#include "base/one.h"
#include "celadon/base.h"
int cel_one(void)
{
    return 1;
}
int cel__one_more(int n)
{
    return n + 1;
}
''',
    'src/base/sys.h': 'struct cel__sys {\n    int (*fsync)(int fd);\n};\n'
                      'extern struct cel__sys cel__sys;\n',
    'src/base/sys.c': '''
#include "base/sys.h"
#include <unistd.h>
struct cel__sys cel__sys = {fsync};
''',
    'src/left/west.h': 'int cel__west(void);\n',
    'src/left/west.c': '''
#include "left/west.h"
#include "base/one.h"
int cel__west(void)
{
    return cel__one_more(1);
}
''',
    'src/right/east.h': 'int cel__east(void);\n',
    'src/right/east.c': '''
#include "right/east.h"
#include "base/sys.h"
int cel__east(void)
{
    return cel__sys.fsync(0);
}
''',
    'src/top/peak.c': '''
#include "celadon/more.h"
#include "left/west.h"
#include "right/east.h"
int cel_more(void)
{
    return cel__west() + cel__east();
}
''',
    'examples/user.c': '#include <celadon/more.h>\nint main(void)\n{\n    return cel_more();\n}\n',
}

MORE_H = CLEAN['include/celadon/more.h']
ONE_C, ONE_H = CLEAN['src/base/one.c'], CLEAN['src/base/one.h']
WEST_C, WEST_H = CLEAN['src/left/west.c'], CLEAN['src/left/west.h']
PEAK_C = CLEAN['src/top/peak.c']
USER_C = CLEAN['examples/user.c']


def inside(code, line):
    """`code` with a line put into its first function."""
    return code.replace('{\n', '{\n    ' + line + '\n', 1)


def own(name):
    """A file from the root of the project that this linter belongs to."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(root, name), encoding='utf-8') as f:
        return f.read()


# name, changed files, the findings as (path, rule)
CASES = [
    ('clean_tree_has_no_finding', {}, []),
    ('floor_upward_include_is_found',
     {'src/base/one.c': ONE_C + '#include "left/west.h"\n'}, [('src/base/one.c', 'floor'),
                                                              ('src/base/one.c', 'include-circle')]),
    ('floor_sideways_include_is_found',
     {'src/left/west.c': WEST_C + '#include "right/east.h"\n'}, [('src/left/west.c', 'floor')]),
    ('floor_upward_public_include_is_found',
     {'src/base/one.c': ONE_C + '#include "celadon/more.h"\n'}, [('src/base/one.c', 'floor')]),
    ('floor_of_unknown_folder_is_asked_for',
     {'src/attic/box.c': 'static int unused_box;\n'}, [('src/attic/box.c', 'floor')]),
    ('floor_of_unknown_public_header_is_asked_for',
     {'include/celadon/odd.h': 'struct cel_odd;\n'}, [('include/celadon/odd.h', 'floor')]),
    ('include_without_floor_is_found',
     {'src/left/west.c': WEST_C.replace('left/west.h', 'west.h')}, [('src/left/west.c', 'include')]),
    ('include_of_internal_by_public_is_found',
     {'include/celadon/more.h': MORE_H + '#include "left/west.h"\n'},
     [('include/celadon/more.h', 'include'), ('include/celadon/more.h', 'alone')]),
    ('include_circle_between_modules_is_found',
     {'src/base/two.h': '#include "base/one.h"\n', 'src/base/one.c': ONE_C + '#include "base/two.h"\n'},
     [('src/base/one.c', 'include-circle')]),
    ('own_header_late_is_found',
     {'src/left/west.c': WEST_C.replace('#include', '#include "base/one.h"\n#include', 1)},
     [('src/left/west.c', 'own-header')]),
    ('umbrella_in_library_and_incomplete_is_found',
     {'include/celadon/celadon.h': '#include "celadon/base.h"\n',
      'src/top/peak.c': PEAK_C + '#include "celadon/celadon.h"\n'},
     [('src/top/peak.c', 'umbrella'), ('include/celadon/celadon.h', 'umbrella')]),
    ('face_internal_include_in_example_is_found',
     {'examples/user.c': USER_C + '#include "base/one.h"\n'}, [('examples/user.c', 'face')]),
    ('face_internal_include_in_public_test_is_found',
     {'tests/top/meson.build': "public_tests += {'peak': files('test_peak.c')}\n",
      'tests/top/test_peak.c': '#include "base/one.h"\n'}, [('tests/top/test_peak.c', 'face')]),
    ('wrapped_library_in_two_files_is_found',
     {'src/base/one.c': ONE_C + '#include <zlib.h>\n',
      'src/left/west.c': WEST_C + '#include <zlib.h>\n'}, [('src/left/west.c', 'wrapped')]),
    ('stem_used_twice_is_found',
     {'src/right/west.h': 'int cel__two(void);\n',
      'src/right/east.c': CLEAN['src/right/east.c'] + '#include "right/west.h"\n'},
     [('src/right/west.h', 'stem')]),
    ('header_of_nobody_is_found', {'src/left/lost.h': 'struct cel__lost;\n'},
     [('src/left/lost.h', 'unused-file')]),
    ('header_that_needs_another_is_found',
     {'src/left/west.h': WEST_H + 'size_t cel__far(void);\n'}, [('src/left/west.h', 'alone')]),
    ('header_that_is_no_cpp_is_found',
     {'include/celadon/more.h': MORE_H + 'struct cel_new { int class; };\n'},
     [('include/celadon/more.h', 'alone')]),
    ('banned_call_is_found', {'src/top/peak.c': inside(PEAK_C, '(void)atoi("1");')},
     [('src/top/peak.c', 'banned')]),
    ('banned_word_in_comment_is_let_through',
     {'src/top/peak.c': PEAK_C + '/* atoi("1") */\n'}, []),
    ('banned_member_is_let_through',
     {'src/top/peak.c': PEAK_C + 'static inline int own(struct cel__x *x) { return x->signal(1); }\n'},
     []),
    ('malloc_outside_mem_is_found', {'src/top/peak.c': inside(PEAK_C, 'free(0);')},
     [('src/top/peak.c', 'malloc')]),
    ('malloc_with_reason_is_let_through',
     {'src/top/peak.c': inside(PEAK_C, 'free(0); /* lint: malloc: the library gave it so */')}, []),
    ('header_with_reason_at_its_head_is_let_through',
     {'src/left/west.h': '/* lint: alone: a template, included with its names set */\n' + WEST_H +
      'size_t cel__far(void);\n'}, []),
    ('system_call_past_the_seam_is_found', {'src/top/peak.c': inside(PEAK_C, 'fsync(0);')},
     [('src/top/peak.c', 'seam')]),
    ('entry_into_the_kernel_that_is_not_in_the_table_is_found',
     {'src/top/peak.c': inside(PEAK_C, 'usleep(1);')}, [('src/top/peak.c', 'seam')]),
    ('machine_path_is_found', {'README.md': 'see /wor' + 'k/here\n'}, [('README.md', 'phrase')]),
    ('registry_host_is_found', {'README.md': 'from deb.debia' + 'n.org\n'},
     [('README.md', 'phrase')]),
    ('left_to_do_is_found', {'src/top/peak.c': PEAK_C + '/* TO' + 'DO: more */\n'},
     [('src/top/peak.c', 'todo')]),
    ('missing_licence_line_is_found', {'src/top/peak.c': '\n\n\n' + PEAK_C, 'plain': ['src/top/peak.c']},
     [('src/top/peak.c', 'spdx')]),
    ('broken_script_is_found',
     {'tools/x': '#!/bin/bash\n# SPDX-License-Identifier: MIT\nif then\n'}, [('tools/x', 'script')]),
    ('library_without_package_is_found',
     {'tools/deps': '# SPDX-License-Identifier: MIT\nbuild pc:known  x\n',
      'src/top/meson.build': "deps += [dependency('known'), dependency('other')]\n"},
     [('src/top/meson.build', 'package')]),
]

# The page maker reads the tree that it lies in.
CASES.append(
    ('function_without_words_is_found',
     {'tools/man': own('tools/man'),
      'include/celadon/more.h': MORE_H.replace('/* More. */', '/* Of more. */\n')
      + '\nCEL_PUBLIC int cel_mute(void);\n'},
     [('include/celadon/more.h', 'man'), ('include/celadon/base.h', 'man')]))

# These run clang's tools with the project's own configuration.
CLANG_CASES = [
    ('format_of_another_taste_is_found',
     {'.clang-format': own('.clang-format'), 'src/top/peak.c': PEAK_C + 'static int  wide;\n'},
     [('src/top/peak.c', 'format')]),
    ('tidy_defect_is_found',
     {'.clang-tidy': own('.clang-tidy'),
      'src/top/peak.c': inside(PEAK_C, 'int *nowhere = 0;\n    *nowhere = 1;')},
     [('src/top/peak.c', 'tidy')]),
]

# These look at objects, so the tree is compiled.
OBJECT_CASES = [
    ('clean_objects_have_no_finding', {}, []),
    ('symbol_circle_is_found',
     {'src/left/north.h': 'int cel__north(void);\n',
      'src/left/north.c': '#include "left/north.h"\n#include "left/west.h"\n'
                          'int cel__north(void)\n{\n    return cel__west();\n}\n',
      'src/left/west.c': WEST_C.replace('return', 'int cel__north(void);\n    return cel__north() +')},
     [('src/left/north.c', 'symbol-circle'), ('src/left/west.c', 'naked-extern')]),
    ('naked_extern_is_found',
     {'src/top/peak.c': PEAK_C.replace('#include "left/west.h"', 'extern int cel__west(void);')},
     [('src/top/peak.c', 'naked-extern')]),
    ('symbol_of_one_object_is_found',
     {'src/left/west.h': WEST_H + 'int cel__lone(void);\n',
      'src/left/west.c': WEST_C + 'int cel__lone(void)\n{\n    return 0;\n}\n'},
     [('src/left/west.c', 'static')]),
    ('symbol_of_one_object_and_a_test_is_let_through',
     {'src/left/west.h': WEST_H + 'int cel__lone(void);\n',
      'src/left/west.c': WEST_C + 'int cel__lone(void)\n{\n    return 0;\n}\n',
      'tests/left/test_west.c': 'int check(void)\n{\n    return cel__lone();\n}\n'}, []),
    ('symbol_without_prefix_is_found',
     {'src/left/west.c': WEST_C + 'int stray;\n'}, [('src/left/west.c', 'name')]),
    ('public_name_without_declaration_is_found',
     {'src/left/west.c': WEST_C + 'int cel_stray;\n'}, [('src/left/west.c', 'name')]),
    ('declaration_without_definition_is_found',
     {'include/celadon/more.h': MORE_H + '/* None. */\nCEL_PUBLIC int cel_none(int a,\n int b);\n'},
     [('include/celadon/more.h', 'export')]),
    ('export_without_declaration_is_found',
     {'src/left/west.c': WEST_C + '__attribute__((visibility("default"))) int cel_stray;\n'},
     [('src/left/west.c', 'name'), ('src/celadon.map', 'export')]),
    ('source_outside_the_build_is_found',
     {'src/top/idle.c': 'struct idle;\n', 'unbuilt': ['src/top/idle.c']},
     [('src/top/idle.c', 'unused-file')]),
]


def write_tree(root, changes):
    plain = changes.get('plain', [])
    files = {**CLEAN, **{k: v for k, v in changes.items() if k not in ('plain', 'unbuilt')}}
    for path, text in files.items():
        if path.endswith('.h'):
            guard = 'H_' + path.replace('/', '_').replace('.', '_')
            text = f'{SPDX}#ifndef {guard}\n#define {guard}\n{text}#endif\n'
        elif path.endswith('.c') and path not in plain:
            text = SPDX + text
        os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
        with open(os.path.join(root, path), 'w', encoding='utf-8') as f:
            f.write(text)
    return files


def compile_tree(root, files, unbuilt):
    build = os.path.join(root, 'build')
    folder = os.path.join(build, 'libceladon.so.0.p')
    os.makedirs(folder)
    commands, objects = [], []
    for path in sorted(files):
        if not path.startswith('src/') or not path.endswith('.c') or path in unbuilt:
            continue
        output = os.path.join('libceladon.so.0.p', path.replace('/', '_') + '.o')
        command = ['gcc', '-std=gnu11', '-fPIC', '-fvisibility=hidden', '-w', '-D_GNU_SOURCE',
                   '-I' + os.path.join(root, 'include'), '-I' + os.path.join(root, 'src'),
                   '-c', os.path.join(root, path), '-o', os.path.join(build, output)]
        subprocess.run(command, check=True)
        objects.append(os.path.join(build, output))
        commands.append({'directory': build, 'file': os.path.join('..', path), 'output': output,
                         'command': ' '.join(command)})
    subprocess.run(['gcc', '-shared', '-o', os.path.join(build, 'libceladon.so.0.1.0'), *objects],
                   check=True)
    with open(os.path.join(build, 'compile_commands.json'), 'w', encoding='utf-8') as f:
        json.dump(commands, f)
    return build


OBJECT_RULES = {'symbol-circle', 'naked-extern', 'static', 'name', 'export', 'tidy'}


def run_case(open_project, run, case, with_objects):
    name, changes, wanted = case
    root = tempfile.mkdtemp(prefix='lint-')
    try:
        files = write_tree(root, changes)
        build = compile_tree(root, files, changes.get('unbuilt', [])) if with_objects else None
        found = {(f.path, f.rule) for f in run(open_project(root, build), True)}
        if with_objects:
            # These trees are about objects; what else a change causes is the other list's matter.
            found = {f for f in found if f[1] in OBJECT_RULES or f in wanted}
        if found != set(wanted):
            return [f'wanted {sorted(wanted)}', f'found  {sorted(found)}']
        return []
    finally:
        shutil.rmtree(root)


def run_all(open_project, run):
    """TAP. The rules that need clang's tools are skipped where those are not installed."""
    cases = [(c, False) for c in CASES] + [(c, True) for c in CLANG_CASES + OBJECT_CASES]
    have_clang = clang.tool('clang-tidy') and clang.tool('clang-format') and \
        clang.version(clang.tool('clang-format')) == clang.FORMAT_MAJOR
    failed = 0
    print(f'1..{len(cases)}')
    for i, (case, with_objects) in enumerate(cases, 1):
        if case in CLANG_CASES and not have_clang:
            print(f'ok {i} - {case[0]} # SKIP clang-format or clang-tidy is not installed')
            continue
        wrong = run_case(open_project, run, case, with_objects)
        failed += bool(wrong)
        print(f'{"not " if wrong else ""}ok {i} - {case[0]}')
        for line in wrong:
            print('#   ' + line)
    return 1 if failed else 0
