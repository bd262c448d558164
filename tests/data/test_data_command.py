"""`companion data`: what is there, and what it fetches and verifies."""

import pytest
from data_files import everything_in, write
from made_up_sets import PAGE

from companion import catalogue
from companion.data.names import load_names
from companion.publish import cli


@pytest.fixture
def three_sets(spoken, imdb, names, serve, monkeypatch, tmp_path):
    """An empty folder of data, and a server that has the three sets."""
    server = serve({"fsdd.tar.gz": spoken.archive, "aclImdb_v1.tar.gz": imdb.archive})
    monkeypatch.setattr("companion.data.speech.SPOKEN_URLS", (server.url + "fsdd.tar.gz",))
    monkeypatch.setattr("companion.data.reviews.IMDB_URLS", (server.url + "aclImdb_v1.tar.gz",))
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    return tmp_path


def test_the_data_command_knows_every_real_set_and_no_other():
    assert list(cli.REAL_SETS) == [name for name, source in catalogue.SETS.items() if source.places]


def test_the_data_command_fetches_and_verifies_by_name_and_says_what_is_there(three_sets, capsys):
    assert cli.main(["data"]) == 0
    before = capsys.readouterr().out.splitlines()
    assert before[:-1] == [f"{name}: not there" for name in cli.REAL_SETS]
    assert str(three_sets) in before[-1]

    assert cli.main(["data", "spoken_digits", "names", "imdb"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "spoken_digits: 20 training and 20 validation examples, verified (archive fsdd.tar.gz)",
        f"names: {len(load_names().train)} training and {len(load_names().val)} validation examples, verified (18 files in names)",
        "imdb: 24 training and 24 validation examples, verified (archive aclImdb_v1.tar.gz, 24 + 24 reviews)",
    ]

    assert cli.main(["data"]) == 0
    after = capsys.readouterr().out
    assert "cifar10: not there" in after
    assert "spoken_digits: there, not verified (fsdd.tar.gz)" in after
    assert "names: there, not verified (names)" in after
    assert "imdb: there, not verified (aclImdb_v1.tar.gz)" in after


def test_the_data_command_finds_unpacked_folders(spoken, imdb, monkeypatch, tmp_path, capsys):
    write(write(tmp_path, spoken.folder, spoken.files), imdb.folder, imdb.files)
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path))
    assert cli.main(["data"]) == 0
    out = capsys.readouterr().out
    assert "spoken_digits: there, not verified (fsdd/recordings)" in out
    assert "imdb: there, not verified (aclImdb)" in out
    assert "names: not there" in out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imdb2", "There is no real data set named 'imdb2'; choose of cifar10, mnist, "),
        ("tones", "tones is made on the spot: there is nothing to fetch"),
    ],
)
def test_a_wrong_name_is_one_sentence_and_nothing_is_fetched(name, message, three_sets, capsys):
    assert cli.main(["data", "names", name]) == 1
    said = capsys.readouterr()
    assert said.err.startswith(f"companion: {message}")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert everything_in(three_sets) == {}


def test_damaged_data_are_one_sentence_on_the_command_line(three_sets, capsys):
    write(three_sets, "", {"fsdd.tar.gz": PAGE})
    write(three_sets, "aclImdb/train/pos", {"0_9.txt": b"caf\xe9"})
    write(three_sets, "names", {"Nowhere.txt": b"\xff"})
    for name in ("spoken_digits", "imdb", "names"):
        assert cli.main(["data", name]) == 1
        said = capsys.readouterr().err
        assert said.startswith("companion: ")
        assert said.count("\n") == 1
        assert f"`companion data {name}`" in said


def test_the_help_of_the_data_command_names_the_sets(capsys):
    with pytest.raises(SystemExit):
        cli.main(["data", "--help"])
    out = " ".join(capsys.readouterr().out.split())
    assert ", ".join(cli.REAL_SETS) in out
