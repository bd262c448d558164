"""The table of verdicts: every row of the chapter once, cells as HTML."""

from decimal import Decimal

import pytest

from companion import claims_table, load_claims
from companion.evidence import table, verdicts
from companion.evidence.ledger import Claim


def test_the_table_wants_every_row_of_the_chapter_once(capsys):
    judged = [verdicts.Verdict(key, "not yet tested") for key in load_claims("dropout")]
    with pytest.raises(ValueError, match="A-drop-gap"):
        claims_table(judged[:-1])
    with pytest.raises(ValueError, match="exactly once"):
        claims_table([*judged, judged[0]])


def test_table_cells_are_escaped_and_numbers_keep_their_digits():
    claim = Claim("x", "A", "c", "metric", statement="a < b", reported=Decimal("0.90"), about=True)
    text, reported, measured, badge, evidence = table.table_row(
        claim, verdicts.Verdict("x", "agrees", 0.91234, "p < 0.1; q")
    )
    assert (text, reported, measured) == ("a &lt; b", "≈ 0.90", "0.912")
    assert "✓ agrees" in badge and evidence == "p &lt; 0.1<br>q"
