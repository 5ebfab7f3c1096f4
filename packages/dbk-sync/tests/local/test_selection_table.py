"""One rule of git a case: ignore files, the files planted, and those that are selected.

Git itself is asked too, so that a wrong expectation cannot stay.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from dbk_sync import select

# A case: what it shows, the root's `.gitignore` or ignore files by path, the files, the selected ones. Names are apart
# by spaces, or by semicolons where one of them has a space; `a->b` is a link.
CASES: list[tuple[str, bytes | dict[str, bytes], str, str]] = [
    ("a name matches at any depth", b"a\n", "a b d/a d/b", "b d/b"),
    ("a name matches a directory, and all below", b"d\n", "a d/a e/d/a", "a"),
    ("a trailing slash matches directories only", b"a/\n", "a d/a/x e/a", "a e/a"),
    ("a trailing slash does not match a link to a directory", b"l/\n", "d/a l->d", "d/a l->d"),
    ("a leading slash anchors", b"/a\n", "a d/a", "d/a"),
    ("a slash inside anchors", b"d/a\n", "d/a e/d/a", "e/d/a"),
    ("a slash inside and at the end", b"d/a/\n", "d/a/x e/d/a/x d/b", "e/d/a/x d/b"),
    ("a leading slash and a trailing one", b"/d/\n", "d/a e/d/a", "e/d/a"),
    ("two leading slashes match nothing", b"//a\n", "a d/a", "a d/a"),
    ("two trailing slashes match nothing", b"d//\n", "d/a", "d/a"),
    ("a lone slash matches nothing", b"/\n", "a d/b", "a d/b"),
    ("an empty pattern after a bang matches nothing", b"!\na\n", "a b", "b"),
    ("case counts", b"A\n", "a A", "a"),
    ("a star stays inside a name", b"*.py\n", "a.py d/b.py c.pyc", "c.pyc"),
    ("a star matches nothing too", b"a*b\n", "ab axb a d/ab", "a"),
    ("a star alone matches all", b"*\n", "a d/b", ""),
    ("a star does not cross a slash", b"d/*b\n", "d/ab d/e/b", "d/e/b"),
    ("a star as a component", b"*/b\n", "a/b a/c/b b", "a/c/b b"),
    ("a star between slashes", b"/*/c\n", "a/c a/b/c", "a/b/c"),
    ("two stars in a name are one", b"a**b\n", "ab axb d/axxb", ""),
    ("two stars after a literal start count as leading", b"a**/b\n", "a/b ax/b a/x/b ax/y/b b", "b"),
    ("two stars lead", b"**/b\n", "b a/b a/c/b bb", "bb"),
    ("two stars trail", b"d/**\n", "d/a d/e/b a", "a"),
    ("two stars in the middle", b"a/**/b\n", "a/b a/x/b a/x/y/b b c/a/b", "b c/a/b"),
    ("three stars are two", b"a/***/b\n", "a/b a/x/b", ""),
    ("two stars alone match all", b"**\n", "a d/b", ""),
    ("a slash and two stars match all", b"/**\n", "a d/b", ""),
    ("two stars before an escaped slash", b"**\\/b\n", "b a/b a/c/b", "b"),
    (
        "stars that could backtrack",
        b"*a*a*a*a*a*b\n",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa aaaaaab",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ),
    ("two stars next to a name", b"**foo\n", "foo afoo d/foo", ""),
    ("two stars behind a name", b"foo**\n", "foo foobar d/fooa", ""),
    ("a question mark is one byte", b"?.txt\n", "a.txt ab.txt .txt \xe9.txt", "ab.txt .txt \xe9.txt"),
    ("two question marks are two bytes", b"??.txt\n", "ab.txt \xe9.txt a.txt", "a.txt"),
    ("a question mark is no slash", b"a?b\n", "axb a/b", "a/b"),
    ("a question mark in a path is no slash", b"d/a?b\n", "d/axb d/a/b", "d/a/b"),
    ("a bracket", b"[ab]\n", "a b c", "c"),
    ("a range", b"[a-c]\n", "a b c d", "d"),
    ("a reversed range matches nothing", b"[c-a]\n", "a b c -", "a b -"),
    ("a bracket negated with a bang", b"[!a]\n", "a b", "a"),
    ("a bracket negated with a caret", b"[^a]\n", "a b", "a"),
    ("a negated bracket is no slash", b"a[!x]b\n", "ayb axb a/b", "axb a/b"),
    ("a closing bracket first is a member", b"[]a]\n", "] a b", "b"),
    ("a closing bracket after the bang is a member", b"[!]a]\n", "] a b", "] a"),
    ("an escaped closing bracket", b"[\\]]\n", "] a", "a"),
    ("a dash first", b"[-a]\n", "- a b", "b"),
    ("a dash last", b"[a-]\n", "- a b", "b"),
    ("an escaped dash", b"[a\\-c]\n", "- a b c", "b"),
    ("a range with an escaped end", b"[a-\\c]\n", "a b c d", "d"),
    ("a range of dashes", b"[--0]\n", "- .a 0 1", ".a 1"),
    ("an open bracket matches nothing", b"[a\n", "a [a", "a [a"),
    ("an open bracket behind a name", b"a[\n", "a a[", "a a["),
    ("a slash in a bracket anchors and never matches", b"a[/]b\n", "a/b ab d/a", "a/b ab d/a"),
    ("a class", b"[[:digit:]]\n", "1 a", "a"),
    ("a class among others", b"[[:digit:]x]\n", "1 x a", "a"),
    ("a class of upper case", b"[[:upper:]]\n", "A a", "a"),
    ("a class negated", b"[![:alpha:]]\n", "1 a", "a"),
    ("an unknown class matches nothing", b"[[:bad:]]\n", "b : a", "b : a"),
    ("an unfinished class is a set", b"[[:al]\n", "[ : a l b", "b"),
    ("an empty class matches nothing", b"[[::]]\n", ": [ ]", ": [ ]"),
    ("a class name alone is a set", b"[:digit:]\n", "1 d : i", "1"),
    ("a dash after a class", b"[[:digit:]-z]\n", "1 - z m", "m"),
    ("a bracket of a compiled file", b"*.py[cod]\n", "a.py a.pyc a.pyo a.pyd", "a.py"),
    ("an escaped star", b"\\*\n", "* a", "a"),
    ("an escaped bang", b"\\!a\n", "!a a", "a"),
    ("an escaped hash", b"\\#a\n", "#a a", "a"),
    ("an escaped letter is the letter", b"\\a\n", "a b", "b"),
    ("an escaped backslash", b"\\\\\n", "\\ a", "a"),
    ("a trailing backslash matches nothing", b"a\\\n", "a a\\", "a a\\"),
    ("an escaped slash", b"d\\/a\n", "d/a a", "a"),
    ("an escape before the trailing slash", b"d\\/\n", "d/a e", "d/a e"),
    ("a hash starts a comment", b"#a\nb\n", "#a b", "#a"),
    ("a hash behind a space is a pattern", b" #a\n", " #a;a", "a"),
    ("empty lines", b"\n\na\n\n", "a b", "b"),
    ("no newline at the end", b"a", "a b", "b"),
    ("trailing spaces are cut", b"a  \n", "a;a  ;b", "a  ;b"),
    ("an escaped trailing space stays", b"a\\ \n", "a;a ;b", "a;b"),
    ("two escaped trailing spaces stay", b"a\\ \\ \n", "a;a  ;b", "a;b"),
    ("an escaped and a bare trailing space", b"a\\  \n", "a;a ;a  ", "a;a  "),
    ("an escaped trailing space with CRLF", b"a\\ \r\n", "a;a ", "a"),
    ("a line of spaces", b"   \nb\n", "   ;b", "   "),
    ("a leading space counts", b" a\n", " a;a", "a"),
    ("a leading tab counts", b"\ta\n", "\ta;a", "a"),
    ("a trailing tab counts", b"a\t\n", "a;a\t", "a"),
    ("a trailing form feed counts", b"a\x0c\n", "a;a\x0c", "a"),
    ("CRLF", b"a\r\nb\r\n", "a;b;a\r", "a\r"),
    ("a CR at the end of the file", b"a\r", "a;a\r", "a\r"),
    ("only one CR goes", b"a\r\r\n", "a;a\r", "a"),
    ("a CR inside stays", b"a\rb\n", "a;b;a\rb", "a;b"),
    ("a byte-order mark", b"\xef\xbb\xbfa\n", "a;b", "b"),
    ("a byte-order mark and a comment", b"\xef\xbb\xbf#c\na\n", "a b", "b"),
    ("a NUL ends a pattern", b"a\x00b\n", "a;ab;b", "ab;b"),
    ("invalid UTF-8", b"\xff*\n", "a;\udcff;\udcffx", "a"),
    ("Latin-1", b"\xe9\n", "a;\udce9;\xe9", "a;\xe9"),
    ("UTF-8", b"\xc3\xa9\n", "a;\xe9", "a"),
    ("a later rule takes back", b"*.log\n!keep.log\n", "a.log keep.log d/keep.log", "keep.log d/keep.log"),
    ("an earlier negation does nothing", b"!keep.log\n*.log\n", "a.log keep.log", ""),
    ("nothing below an excluded directory comes back", b"d/\n!d/keep\n", "d/keep d/a", ""),
    ("nor below one excluded by name", b"d\n!d/keep\n", "d/keep a", "a"),
    ("nor below one excluded by a star", b"*\n!*.py\n", "a.py d/c.py b", "a.py"),
    ("a star below a directory leaves it open", b"d/*\n!d/keep\n", "d/keep d/a", "d/keep"),
    ("two stars below a directory leave it open", b"foo/**\n!foo/a\n", "foo/a foo/b foo/c/a", "foo/a"),
    ("a whitelist of directories", b"*\n!*/\n!*.py\n", "a.py b d/c.py d/e/f.py d/g", "a.py d/c.py d/e/f.py"),
    ("a whitelist of one path", b"/*\n!/foo\n/foo/*\n!/foo/bar\n", "a foo/bar/x foo/b bar", "foo/bar/x"),
    ("a negated directory rule does not touch a file", b"a\n!a/\n", "a d/a/x", "d/a/x"),
    ("a bang twice", b"!!a\n!a\n", "!a a", "!a a"),
    ("a bang and a slash", b"*\n!/a\n", "a d/a", "a"),
    ("a nested file adds", {".gitignore": b"a\n", "d/.gitignore": b"b\n"}, "a b d/a d/b d/c", "b d/c"),
    ("a nested file is anchored at its directory", {"d/.gitignore": b"/a\n"}, "a d/a d/e/a", "a d/e/a"),
    ("a nested path rule is anchored at its directory", {"d/.gitignore": b"e/a\n"}, "e/a d/e/a d/f/e/a", "e/a d/f/e/a"),
    (
        "a nested file overrules",
        {".gitignore": b"*.log\n", "d/.gitignore": b"!keep.log\n"},
        "keep.log d/keep.log d/a.log",
        "d/keep.log",
    ),
    ("a nested file is overruled by no rule above", {".gitignore": b"!a\n", "d/.gitignore": b"a\n"}, "a d/a", "a"),
    ("a nested file hides itself", {"d/.gitignore": b"*\n!.gitignore\n"}, "a d/b", "a"),
    ("the file in an excluded directory is not read", {".gitignore": b"d/\n", "d/.gitignore": b"!a\n"}, "a d/a", "a"),
    (
        "three levels",
        {".gitignore": b"a\n", "d/.gitignore": b"!a\n", "d/e/.gitignore": b"a\n"},
        "a d/a d/e/a d/e/f/a",
        "d/a",
    ),
    ("a star rule in a nested file", {"d/.gitignore": b"*/x\n"}, "d/e/x d/x e/x d/e/f/x", "d/x e/x d/e/f/x"),
    ("info/exclude", {".git/info/exclude": b"a\n"}, "a d/a b", "b"),
    (
        "info/exclude is overruled by a file",
        {".git/info/exclude": b"*.log\n", ".gitignore": b"!keep.log\n"},
        "a.log keep.log",
        "keep.log",
    ),
    ("info/exclude is anchored at the root", {".git/info/exclude": b"/d/a\n"}, "d/a e/d/a", "e/d/a"),
    ("an ignore file in the repository directory is not read", {".git/.gitignore": b"a\n"}, "a b", "a b"),
]


def split(text: str, files: str) -> list[str]:
    return [name for name in text.split(";" if ";" in files else " ") if name]


@pytest.mark.parametrize(("rules", "files", "kept"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_selection_is_gits(
    rules: bytes | dict[str, bytes],
    files: str,
    kept: str,
    repository: Path,
    plant: Callable[..., None],
    git_selection: Callable[..., list[bytes]],
):
    links = [name.partition("->") for name in split(files, files)]
    ignore_files = rules if isinstance(rules, dict) else {".gitignore": rules}
    plant(repository, {name: f"-> {target}" if target else b"" for name, _, target in links})
    plant(repository, ignore_files)

    selected = select(repository)

    planted = [os.fsencode(name) for name, _, _ in links]
    assert [path for path in planted if path in selected] == [
        os.fsencode(n.partition("->")[0]) for n in split(kept, files)
    ]
    assert selected == git_selection(repository)
