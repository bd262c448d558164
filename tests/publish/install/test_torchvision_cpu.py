"""The repair of torchvision beside a CPU build of PyTorch: where it acts, and where it keeps its hands off."""

import shutil
import sys

import pytest

from companion.publish.install import torchvision_cpu


def test_torchvision_works_with_its_compiled_operators():
    assert torchvision_cpu.healthy()


def test_the_torchvision_repair_does_nothing_where_torchvision_is_healthy(monkeypatch, capsys):
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: True)
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.repair", lambda folder: pytest.fail("must not repair")
    )
    assert torchvision_cpu.main() == 0 and "nothing to repair" in capsys.readouterr().out


def test_a_repair_that_fails_takes_its_hook_back_and_says_what_to_do(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: False)
    monkeypatch.setattr(torchvision_cpu.sys, "platform", "linux")
    monkeypatch.setattr(torchvision_cpu.shutil, "which", lambda name: name)
    monkeypatch.setattr(
        torchvision_cpu, "repair", lambda folder: (tmp_path / torchvision_cpu.HOOK).write_text("import x")
    )
    monkeypatch.setattr(torchvision_cpu.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    assert torchvision_cpu.main() == 1
    assert not (tmp_path / torchvision_cpu.HOOK).exists()
    assert "Get started" in capsys.readouterr().err


def test_a_cuda_build_is_never_repaired_and_never_meets_the_stand_ins(monkeypatch, capsys, tmp_path):
    cuda = torchvision_cpu.cuda_library(tmp_path)
    cuda.parent.mkdir(parents=True)
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.wanted_symbols", lambda folder: {"libnothing.so": set()}
    )
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.build_stub", lambda path, symbols: None)
    torchvision_cpu.repair(tmp_path)
    hook = (tmp_path / torchvision_cpu.HOOK).read_text()
    with pytest.raises(OSError, match="libnothing"):
        exec(hook)  # the stand-in was never built here: the hook tries to load it
    cuda.touch()
    exec(hook)  # now a CUDA build is there, and the hook leaves it alone
    monkeypatch.setattr("companion.publish.install.torchvision_cpu.healthy", lambda: False)
    monkeypatch.setattr(torchvision_cpu.sysconfig, "get_paths", lambda: {"purelib": str(tmp_path)})
    monkeypatch.setattr(
        "companion.publish.install.torchvision_cpu.repair", lambda folder: pytest.fail("must not repair")
    )
    assert torchvision_cpu.main() == 1 and "Get started" in capsys.readouterr().err


@pytest.mark.skipif(not (sys.platform == "linux" and shutil.which("gcc")), reason="needs gcc on Linux")
def test_a_stand_in_library_has_the_functions_it_is_asked_for(tmp_path):
    import ctypes

    torchvision_cpu.build_stub(tmp_path / "libcudart.so.13", {"cudaFree", "cudaMalloc"})
    library = ctypes.CDLL(str(tmp_path / "libcudart.so.13"))
    assert library.cudaFree and library.cudaMalloc
    with pytest.raises(AttributeError):
        _ = library.cudaNothing
