# SPDX-License-Identifier: MIT
"""Writes the bench's web root: article pages of about 20 KiB, and bodies of exact sizes.

The pages look like the output of a blog engine: a head with meta tags, style and script, a
navigation, the article, comments, a side column, a footer. The same number always gives the
same page. `expected.json` holds, per page, the byte lengths of the four fields' texts, so that a
scraper's answer can be checked.
"""
import html
import json
import os
import random

WORDS = (
    "loop fiber task future socket page reader writer signal timer stack switch queue kernel "
    "buffer stream request answer header body cookie server client thread process memory cache "
    "lock wait park wake ready event poll ring batch submit complete cancel deadline scope error "
    "message origin trace value result promise parent child group nested simple quick careful "
    "often never always until because between without through against another several quiet "
    "measured plain honest small large early late first second last whole half few many every "
    "the a of to and in is that it for on with as are this be at by not from or an but which "
    "one you had were all their there been has when who more no out do so can if would about"
).split()
NAMES = ["Zoë Lindqvist", "Marek Dvořák", "Li Wei", "Ana Sousa", "Tom Baker", "Ngozi Okafor", "陈青"]

STYLE = "\n".join(
    f".c{i} {{ margin: {i % 9}px {i % 7}px; color: #{i * 4099 % 0xFFFFFF:06x}; }}" for i in range(30)
)
SCRIPT = "\n".join(
    f"window.stats.push({{ id: {i}, name: 'slot-{i}', at: {i * 977 % 1999} }}); // <b>{i}</b>"
    for i in range(25)
)


def sentence(rnd):
    words = [rnd.choice(WORDS) for _ in range(rnd.randint(8, 18))]
    return " ".join(words).capitalize() + rnd.choice([".", ".", ".", " &amp; so on.", " — done.", "?"])


def inline(rnd, text):
    """Wraps some words of a sentence in inline elements."""
    kind = rnd.randrange(6)
    words = text.split(" ")
    i = rnd.randrange(len(words))
    if kind == 0:
        words[i] = f'<a href="/tags/{i}?from=post&amp;n={i}" rel="tag nofollow">{words[i]}</a>'
    elif kind == 1:
        words[i] = f"<em>{words[i]}</em>"
    elif kind == 2:
        words[i] = f"<code>{words[i]}</code>"
    return " ".join(words)


def paragraph(rnd):
    plain = [sentence(rnd) for _ in range(rnd.randint(3, 6))]
    marked = " ".join(inline(rnd, s) for s in plain)
    return marked, html.unescape(" ".join(plain))


def comment(rnd, i):
    who = rnd.choice(NAMES)
    return (
        f'<li class="comment depth-{i % 3}" id="comment-{i}"><div class="comment-meta">'
        f'<img class="avatar" src="/avatars/{i}.png" alt="" width="32" height="32">'
        f'<span class="comment-author">{who}</span> <time datetime="2026-11-{i % 28 + 1:02d}">'
        f'{i % 28 + 1} November</time></div>\n<div class="comment-body"><p>{sentence(rnd)}</p></div></li>\n'
    )


def side(rnd, i):
    return (
        f'<li class="side-item c{i}"><a class="side-link" href="/posts/{i}" title="{rnd.choice(WORDS)}">'
        f"{sentence(rnd)}</a> <small>{i * 13 % 90} views</small></li>\n"
    )


def page(number):
    """Returns the page's text and the byte lengths of what a scraper must find in it."""
    rnd = random.Random(number)
    title = sentence(rnd).rstrip(".?")
    author = rnd.choice(NAMES)
    date = f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}T08:{number % 60:02d}:00Z"
    paragraphs = [paragraph(rnd) for _ in range(21)]
    body = "\n".join(f"      <p>{marked}</p>" for marked, _ in paragraphs)
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} | The Bench</title>
<meta name="description" content="{title}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="canonical" href="/pages/{number:04d}.html">
<style>
{STYLE}
</style>
<script>
{SCRIPT}
</script>
</head>
<body class="single post-{number}">
<nav class="nav"><ul>
{"".join(f'<li class="nav-item"><a href="/s/{i}">{WORDS[i]}</a></li>' for i in range(20))}
</ul></nav>
<main class="layout">
  <article class="post type-post">
    <header>
    <h1 class="entry post-title">
      {title}
    </h1>
    <p class="byline">by <a class="author-name" href="/authors/{number % 7}">{author}</a>
    on <time class="post-date" datetime="{date}">{date[:10]}</time></p>
    </header>
    <div class="post-content">
{body}
      <blockquote><p>{sentence(rnd)}</p></blockquote>
      <ul class="notes">{"".join(f"<li>{sentence(rnd)}</li>" for _ in range(4))}</ul>
    </div>
  </article>
  <section class="comments"><ol>
{"".join(comment(rnd, i) for i in range(8))}</ol></section>
  <aside class="side"><ul>
{"".join(side(rnd, i) for i in range(12))}</ul></aside>
</main>
<footer class="footer"><p>&copy; 2026 The Bench. All rights kept.</p></footer>
</body>
</html>
"""
    found = {
        "title": html.unescape(title),
        "content": "\n".join(plain for _, plain in paragraphs),
        "author": author,
        "date": date,
    }
    return text, {key: len(value.encode()) for key, value in found.items()}


def write_articles(folder, count):
    """The first `count` pages, for programs that read files."""
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        with open(os.path.join(folder, f"article-{number:02d}.html"), "w") as f:
            f.write(page(number)[0])


def write_big(path, size):
    """One page of at least `size` bytes: the articles of many, within the frame of the first."""
    frame = page(0)[0]
    parts, length, number = [frame[: frame.index("<article")]], 0, 0
    while length < size:
        text = page(number)[0]
        parts.append(text[text.index("<article") : text.index("</main>")])
        length += len(parts[-1].encode())
        number += 1
    parts.append(frame[frame.index("</main>") :])
    with open(path, "w") as f:
        f.write("".join(parts))


def write_root(root, count):
    """Writes `count` pages and two plain bodies under `root`; a second call finds them there."""
    stamp = os.path.join(root, "expected.json")
    if os.path.exists(stamp) and os.path.getmtime(stamp) > os.path.getmtime(__file__):
        with open(stamp) as f:
            expected = json.load(f)
        if len(expected) == count:
            return expected
    os.makedirs(os.path.join(root, "pages"), exist_ok=True)
    expected = []
    for number in range(count):
        text, lengths = page(number)
        expected.append(lengths)
        with open(os.path.join(root, "pages", f"{number:04d}.html"), "w") as f:
            f.write(text)
    for name, size in (("1k.bin", 1024), ("100k.bin", 100 * 1024), ("hello.txt", 13)):
        with open(os.path.join(root, name), "wb") as f:
            f.write((b"Hello, World!" * (size // 13 + 1))[:size])
    with open(stamp, "w") as f:
        json.dump(expected, f)
    return expected
