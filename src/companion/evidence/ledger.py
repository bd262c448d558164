"""The ledger: every number and finding of the five reports, one row each."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

from companion import uses

FOLDER = Path(str(files("companion.evidence"))) / "claims"


@dataclass(frozen=True)
class Claim:
    """One row of the ledger. `reported` keeps the digits as printed: an int, a Decimal, a list of them, or None."""

    id: str
    report: str
    chapter: str
    kind: str
    quantity: str = ""
    statement: str = ""
    dataset: str = ""
    setup: str = ""
    metric: str = ""
    split: str = ""
    reported: object = None
    correct: object = None
    about: bool = False
    note: str = ""

    @property
    def text(self):
        """The claim in words, without its number."""
        return self.statement or self.quantity or f"{self.setup}: {self.split} {self.metric}"


@cache
def ledger_rows():
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads 0.90 as Decimal("0.90"): how many digits a report printed is part of what it says."""

    Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node)))
    rows = {}
    for path in sorted(FOLDER.glob("*.yml")):
        rows |= {row["id"]: Claim(**row) for row in yaml.load(path.read_text(encoding="utf-8"), Loader)}
    return rows


def load_claims(chapter=None):
    """{id: Claim} of the whole ledger, or of one chapter."""
    uses.note("claims", chapter or "*")
    return {key: claim for key, claim in ledger_rows().items() if chapter in (None, claim.chapter)}


def find_claim(claim_id, kind):
    claim = ledger_rows().get(claim_id)
    if claim is None:
        raise ValueError(f"the ledger has no row {claim_id!r}")
    if claim.kind != kind:
        raise ValueError(f"{claim_id} is a row of kind {claim.kind!r}, not {kind!r}")
    uses.note("claims", claim.chapter)
    return claim
