"""Makes .venv and installs the pinned requirements; called by make, and by hand where there is no make.

    python tools/bootstrap.py

It does nothing when the environment is already right. It must start under any Python, to say which one is needed.
"""

import hashlib
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
STAMP = os.path.join(VENV, "companion-installed")
OLDEST, NEWEST = (3, 11), (3, 13)


def problem_with_python(version):
    """What is wrong with this Python version, as a sentence, or None."""
    if OLDEST <= tuple(version[:2]) <= NEWEST:
        return None
    return (
        "The book needs Python 3.11, 3.12 or 3.13, and this is Python %d.%d: install one of them and run "
        "`make PYTHON=python3.12 book` (or `python3.12 tools/bootstrap.py`)." % tuple(version[:2])
    )


def fingerprint():
    """Changes when the requirements or their versions do."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def explain(output):
    """Why pip failed, as a sentence."""
    signs = (
        "NewConnectionError",
        "ConnectionError",
        "Name or service not known",
        "Temporary failure",
        "Network is unreachable",
    )
    signs += ("getaddrinfo failed", "nodename nor servname", "ConnectTimeout", "ProxyError", "Could not fetch URL")
    signs += ("ReadTimeout", "Connection broken", "SSLError")
    if any(sign in output for sign in signs) or "(from versions: none)" in output:
        return "The packages could not be fetched: connect to the network (or set a proxy for pip) and run the same command again."
    if "No space left" in output:
        return "The disk is full: the environment needs about 2 GB (several more with a CUDA build of PyTorch)."
    last = (
        [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-1:] or ["no message"]
    )
    return "pip could not install the requirements: %s" % last[0]


def run(command, what, explanation):
    """Run a step; its output is kept, and when it fails only one sentence, made by `explanation(output)`, is shown."""
    sys.stderr.write(what + "\n")
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        output = done.stdout.decode("utf-8", "replace")
        with open(os.path.join(ROOT, "install.log"), "w", encoding="utf-8") as file:
            file.write(output)
        sys.exit("%s The whole output is in install.log." % explanation(output))


def no_environment(output):
    """Takes back a half-made .venv, and says what this Python lacks."""
    shutil.rmtree(VENV, ignore_errors=True)
    return (
        "This Python cannot make environments: install its venv package (on Debian and Ubuntu: "
        "`sudo apt install python3-venv`) and run the same command again."
    )


def installed(wanted):
    """Whether .venv is complete and was made from the present requirements."""
    if not (os.path.exists(STAMP) and os.path.exists(PYTHON)):
        return False
    with open(STAMP) as file:
        return file.read() == wanted


def main():
    wanted = fingerprint()
    if installed(wanted):
        return  # whichever Python asks
    if not os.path.exists(PYTHON):
        problem = problem_with_python(sys.version_info)
        if problem:
            sys.exit(problem)
        run(
            [sys.executable, "-m", "venv", VENV],
            "making .venv with Python %d.%d ..." % sys.version_info[:2],
            no_environment,
        )
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
    run(pip + ["-r", "requirements.txt"], "installing the pinned requirements (one to five minutes) ...", explain)
    run([PYTHON, "-m", "companion.publish.install.torchvision_cpu"], "checking torchvision ...", str.strip)
    with open(STAMP, "w") as file:
        file.write(wanted)


if __name__ == "__main__":
    main()
