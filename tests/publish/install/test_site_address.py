"""The address of the site: written down in one place."""

import shutil

from books import ROOT

from companion.publish import cli, project

ADDRESS = "https://owner.github.io/companion/"


def test_the_sites_address_stands_in_one_place_and_a_bad_one_is_refused(tmp_path, monkeypatch, capsys):
    (tmp_path / "book").mkdir()
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    before = (tmp_path / "_config.yml").read_text(encoding="utf-8")
    assert project.site_address(tmp_path) == project.site_address(ROOT)
    monkeypatch.chdir(tmp_path)
    repository = project.repository(tmp_path)
    for bad in ("owner.github.io", "https://a b/", 'https://x.example/"', "ftp://x.example/"):
        assert cli.main(["set-repository", repository, "--site", bad]) == 1
        assert "is no address of a site" in capsys.readouterr().err
    assert (tmp_path / "_config.yml").read_text(encoding="utf-8") == before
    assert cli.main(["set-repository", repository, "--site", ADDRESS.rstrip("/")]) == 0
    assert project.site_address(tmp_path) == ADDRESS
    after = (tmp_path / "_config.yml").read_text(encoding="utf-8")
    (changed,) = set(before.splitlines()) - set(after.splitlines())
    assert changed.startswith("  baseurl:")
