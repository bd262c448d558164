"""The ledger's rows: each once, with the digits that a report printed."""

from companion import load_claims
from companion.evidence import ledger as evidence_ledger


def test_the_ledger_has_every_row_once_and_keeps_the_printed_digits():
    ledger = load_claims()
    assert len(ledger) == sum(
        line.startswith("- {id:")
        for path in evidence_ledger.FOLDER.glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    assert str(ledger["C-rnn-acc-train"].reported) == "0.90"
    assert {claim.kind for claim in ledger.values()} == {"count", "metric", "order", "text"}
    assert {claim.report for claim in ledger.values()} == set("ABCDE")


def test_report_a_has_the_rows_of_its_two_first_chapters():
    assert len(load_claims("vgg-parameters")) == 15
    assert len(load_claims("dropout")) == 10
