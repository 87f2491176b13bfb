"""What an alarm says of a number that does not ring as it is configured."""

from __future__ import annotations

from provisioner.operations.proofs import Proof, ProvedCall
from provisioner.web.call_report.sentences import sentences_of
from provisioner.web.call_report.words import Words

_MOST = 3
"Findings that are told: the test call itself has all of them."


def alarm_of(proof: Proof, words: Words) -> str:
    """The number, what was found, and what is to blame, in plain words: each finding once."""
    wrong: list[ProvedCall | Proof] = [*proof.calls, proof]
    said = dict.fromkeys(sentence for each in wrong for sentence in sentences_of(each, words))
    told = [f"{each.text} {words.at_fault}: {each.blames}." for each in list(said)[:_MOST]]
    return " ".join([words.failed.format(number=proof.number), *told])
