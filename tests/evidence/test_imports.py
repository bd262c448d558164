"""What importing the evidence costs."""

import subprocess
import sys


def test_the_evidence_is_read_without_torch_scipy_and_pandas():
    code = (
        "import sys\n"
        "from companion.evidence import digits, keeping, ledger, profiles, records, table, verdicts\n"
        "records.load_record('dropout')\n"
        "print(sorted({'torch', 'scipy', 'pandas', 'sklearn', 'IPython', 'filelock'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
