"""What an alarm says of a number that does not ring as it is configured."""

from __future__ import annotations

from itertools import chain

from provisioner.operations.proofs import Proof, ProvedCall
from provisioner.web.call_report.sentences import sentences_of
from provisioner.web.call_report.words import Words

_MOST = 3
"Things to blame that are told: the test call itself has all of them."


def alarm_of(proof: Proof, words: Words) -> str:
    """The number, in how many calls, and what is to blame, each once, with the first that was found of it."""
    wrong: list[ProvedCall | Proof] = [*proof.calls, proof]
    first: dict[str, str] = {}
    for sentence in chain.from_iterable(sentences_of(each, words) for each in wrong):
        first.setdefault(sentence.blames, sentence.text)
    told = [f"{text} {words.at_fault}: {blames}." for blames, text in list(first.items())[:_MOST]]
    failed = sum(not call.passed for call in proof.calls)
    if failed:
        told.append(words.failed_of.format(failed=failed, calls=len(proof.calls)))
    return " ".join([words.failed.format(number=proof.number), *told])
