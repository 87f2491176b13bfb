"""The table of verbs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from provisioner.cli import app
from provisioner.cli.verbs import VERBS, Group

EVERY_VERB = [
    *((word,) for word in VERBS),
    *((word, verb) for word, group in VERBS.items() if isinstance(group, Group) for verb in group.verbs),
]


@pytest.mark.parametrize("words", EVERY_VERB, ids=" ".join)
def test_every_verb_is_there_and_says_what_it_does(words: tuple[str, ...]):
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(f"Usage: root {' '.join(words)} ")
    assert done.output.splitlines()[2].strip(), "no sentence"


def test_a_word_that_is_nearly_a_verb_is_answered_with_the_verb():
    done = CliRunner().invoke(app, ["uplods"])
    assert done.exit_code == 2
    assert "Did you mean 'uploads'?" in done.output


def test_a_verb_that_needs_no_server_loads_none():
    run = (
        "import sys\n"
        "from provisioner.cli import app\n"
        "app(['token', 'list', '--help'], standalone_mode=False)\n"
        "print([name for name in sys.modules if name in ('provisioner.app', 'sip', 'aiohttp')])"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
