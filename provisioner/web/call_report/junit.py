"""The result of test calls as CI systems read it: JUnit XML, a test case for each call."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from provisioner.operations.proofs import Proof, ProvedCall
from provisioner.web.call_report.sentences import sentences_of
from provisioner.web.call_report.words import EN


def junit(proof: Proof) -> bytes:
    """The document. Its sentences are English, as are those of the tools that show them."""
    return _written(_suite(proof))


def junit_of_many(proofs: Iterable[Proof]) -> bytes:
    """A document of many numbers, each a suite."""
    suites = [_suite(proof) for proof in proofs]
    whole = etree.Element("testsuites", name="centralka")
    for count in ("tests", "failures", "errors"):
        whole.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    whole.extend(suites)
    return _written(whole)


def _written(element: etree._Element) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _suite(proof: Proof) -> etree._Element:
    results: list[tuple[str, ProvedCall | Proof]] = [
        (f"{place}. {call.scenario}", call) for place, call in enumerate(proof.calls, start=1)
    ]
    if proof.findings:
        results.append(("all calls", proof))
    wrong = sum(bool(each.findings) for _, each in results)
    suite = etree.Element(
        "testsuite",
        name=f"{proof.customer} {proof.number}{' live' if proof.live else ''}",
        tests=str(len(results)),
        failures=str(wrong),
        errors="0",
    )
    for name, each in results:
        case = etree.SubElement(
            suite, "testcase", classname=f"centralka.{proof.customer}.{proof.number}", name=name
        )
        said = sentences_of(each, EN)
        if said:
            failure = etree.SubElement(case, "failure", type=each.findings[0].code, message=said[0].text)
            failure.text = "\n".join(f"{sentence.text} To blame: {sentence.blames}." for sentence in said)
    return suite
