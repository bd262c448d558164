"""Makes `import torchvision` work beside a CPU build of PyTorch on Linux; run once after installation.

The public Linux wheel of torchvision is linked to three CUDA libraries that a CPU build of PyTorch does not bring. Its
extension then fails to load, silently, and the import dies with "operator torchvision::nms does not exist". This script
puts three empty stand-ins beside torchvision, with the names and the few symbols that the extension asks for, and a .pth
file that loads them when Python starts. No CUDA code is ever called: there is no CUDA device. Where torchvision is
healthy it does nothing.
"""

import contextlib
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

CHECK = "import torch, torchvision; torchvision.ops.nms(torch.tensor([[0, 0, 1, 1.0]]), torch.ones(1), 0.5)"
FOLDER, HOOK = "torchvision_cpu_stubs", "torchvision_cpu_stubs.pth"


def healthy():
    """Whether torchvision and its compiled operators work in a fresh Python."""
    return subprocess.run([sys.executable, "-c", CHECK], capture_output=True).returncode == 0


def wanted_symbols(torchvision_folder):
    """{stand-in library: names of the functions it must have}, read from torchvision's extensions with nm."""
    undefined = set()
    for library in ("_C.so", "image.so"):
        command = ["nm", "-D", "--undefined-only", str(torchvision_folder / library)]
        undefined |= set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    return {
        "libcudart.so.13": {name.split("@")[0] for name in undefined if name.endswith("@libcudart.so.13")},
        "libc10_cuda.so": {n for n in undefined if n.startswith(("_ZN3c104cuda", "_ZNK3c104cuda", "_ZN2at4cuda"))},
        "libtorch_cuda.so": set(),
    }


def build_stub(path, symbols):
    """Compile a shared library whose functions do nothing."""
    functions = "".join(f".globl {s}\n.type {s},@function\n{s}:\nret\n" for s in sorted(symbols))
    source = f'.text\n{functions}.section .note.GNU-stack,"",@progbits\n'
    versions = path.with_name("versions.map")
    versions.write_text(f"{path.name} {{ global: *; }};\n")
    flags = [f"-Wl,--version-script,{versions}"] if path.name.startswith("libcudart") else []
    command = [
        "gcc",
        "-shared",
        "-nostdlib",
        f"-Wl,-soname,{path.name}",
        *flags,
        "-x",
        "assembler",
        "-",
        "-o",
        str(path),
    ]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)


def cuda_library(site_packages):
    """Where a CUDA build of PyTorch has the library that a CPU build lacks."""
    return site_packages / "torch" / "lib" / "libtorch_cuda.so"


def repair(site_packages):
    """Put the stand-ins and the hook that loads them into this environment."""
    folder = site_packages / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = wanted_symbols(site_packages / "torchvision")
    for name, symbols in wanted.items():
        build_stub(folder / name, symbols)
    paths = [str(folder / name) for name in wanted]
    cuda = cuda_library(site_packages)  # a CUDA build that is installed later must not meet the stand-ins
    hook = f"import ctypes, os; os.path.exists({str(cuda)!a}) or list(map(ctypes.CDLL, {paths!a}))\n"
    (site_packages / HOOK).write_text(hook, encoding="utf-8")


def main():
    """Returns the exit code; says what was done, or in one sentence what the user can do."""
    if healthy():
        print("torchvision: works as installed, nothing to repair")
        return 0
    advice = (
        "torchvision does not work beside this PyTorch: install both as CPU builds, as 'Get started' on pytorch.org shows, "
        "or install gcc and binutils and run this again."
    )
    site_packages = Path(sysconfig.get_paths()["purelib"])
    tools = shutil.which("gcc") and shutil.which("nm")
    if not sys.platform.startswith("linux") or not tools or cuda_library(site_packages).exists():
        print(advice, file=sys.stderr)
        return 1
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        repair(site_packages)
    if not healthy():
        (site_packages / HOOK).unlink(missing_ok=True)
        print(advice, file=sys.stderr)
        return 1
    print("torchvision: now works beside the CPU build of PyTorch")
    return 0


if __name__ == "__main__":
    sys.exit(main())
