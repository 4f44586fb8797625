# SPDX-License-Identifier: MIT
"""The program of README.zh-CN.md, compiled and run on two pages that `celadon serve` serves (TAP).

    readme.py SOURCE BUILD
"""
import os
import re
import signal
import subprocess
import sys
import tempfile


def first_program(path):
    with open(path, encoding='utf-8') as f:
        return re.search(r'```c\n(.*?)```', f.read(), re.S).group(1)


def compiled(source, build, folder, text):
    program = os.path.join(folder, 'titles')
    subprocess.run(['cc', '-std=gnu11', '-I' + os.path.join(source, 'include'), '-x', 'c', '-', '-o',
                    program, '-L' + build, '-lceladon', '-Wl,-rpath,' + build],
                   input=text, text=True, check=True)
    return program


def site(folder):
    os.mkdir(folder)
    for name in ('a', 'b'):
        with open(os.path.join(folder, name + '.html'), 'w', encoding='utf-8') as f:
            f.write(f'<title> Page {name} </title><p>text')
    return folder


def served(build, folder):
    server = subprocess.Popen([os.path.join(build, 'celadon'), 'serve', folder, '-l', '127.0.0.1:0'],
                              stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        found = re.search(r'http://\S+', line)
        if found:
            return server, found.group(0)
    raise SystemExit('celadon serve did not say where it listens')


def titles(build, program, folder):
    server, base = served(build, folder)
    try:
        r = subprocess.run([program, base + 'a.html', base + 'b.html'], text=True,
                           stdout=subprocess.PIPE, timeout=20, check=False)
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate()
    wanted = [f'{base}{name}.html: Page {name}' for name in ('a', 'b')]
    return r.returncode == 0 and sorted(r.stdout.splitlines()) == wanted, r


def main():
    source, build = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        text = first_program(os.path.join(source, 'README.zh-CN.md'))
        program = compiled(source, build, folder, text)
        good, r = titles(build, program, site(os.path.join(folder, 'site')))
    print(f'1..1\n{"ok" if good else "not ok"} 1 - readme_program_prints_both_titles')
    if not good:
        print(f'#   exit code {r.returncode}, printed {r.stdout!r}')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
