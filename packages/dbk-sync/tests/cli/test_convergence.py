"""Random trees of every kind of entry, one pushed over the other, and some pushes killed between two requests."""

import os
import random
import shutil

import pytest
from dbk_sync import _http

NOTEBOOK = b"# Databricks notebook source\n"
NAMES = ["a", "b", "a.py", "c", "n.sql"]
CONTENTS = [None, b"1", b"22", NOTEBOOK, NOTEBOOK + b"1"]


class Killed(BaseException):
    """What no part of a push can catch and make good."""


@pytest.fixture
def killed_after(monkeypatch):
    """A function that lets so many requests pass; None is any number."""
    left = [None]
    real = _http.Http.request

    def request(self, *arguments, **options):
        if left[0] is not None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
        return real(self, *arguments, **options)

    monkeypatch.setattr(_http.Http, "request", request)
    return lambda requests: left.__setitem__(0, requests)


def is_below(one, other):
    return f"{one}/".startswith(f"{other}/")


def names_there(tree, kind):
    """What the tree is called at the target: a notebook has no extension in the workspace."""

    def is_notebook(path, content):
        return kind == "workspace" and path.endswith(".py") and content is not None and content.startswith(NOTEBOOK)

    return [path.removesuffix(".py") if is_notebook(path, content) else path for path, content in tree.items()]


def random_tree(chance, kind):
    """A few files, scripts, notebooks and directories without files (None), all of which the target can keep."""
    tree = {}
    for _ in range(chance.randrange(8)):
        path = "/".join(chance.choices(NAMES, k=chance.randint(1, 3)))
        larger = {**tree, path: chance.choice(CONTENTS)}
        names = names_there(larger, kind)
        clash = any(is_below(one, other) for one in (*names, *larger) for other in (*names, *larger) if one != other)
        if not clash and len(set(names)) == len(names):
            tree = larger
    return tree


def lay_out(project, tree):
    shutil.rmtree(project)
    project.mkdir()
    os.chdir(project)
    for path, content in tree.items():
        whole = project / path
        (whole if content is None else whole.parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            whole.write_bytes(content)


@pytest.mark.parametrize("kind", ["workspace", "volume", "dbfs files"])
@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_there_and_was_interrupted_the_next_push_converges(
    dbk_sync, project, target_of, killed_after, kind, seed
):
    chance = random.Random(f"{seed} {kind}")
    target = target_of(kind)
    words = [".", *target.words, "--keep-empty-dirs", "--max-delete", "100%", "--break-lock"]
    for _ in range(15):
        tree = random_tree(chance, kind)
        lay_out(project, tree)
        if chance.random() < 0.5:
            killed_after(chance.randrange(12))
            try:
                dbk_sync("push", *words)
            except Killed:
                killed_after(None)
                tree = random_tree(chance, kind)
                lay_out(project, tree)
            killed_after(None)

        ran = dbk_sync("push", *words, *(["--full"] if chance.random() < 0.2 else []))

        assert ran.code == 0, ran.err
        found = target.files(dirs=True)
        assert set(found) == set(names_there(tree, kind))
        if kind != "workspace":  # where notebooks are given in another form
            assert found == tree
