"""The contents by question, and what the pages of the parts say of the present records and networks."""

import re
from statistics import stdev

import nbformat
import pytest
from books import NAMES, ROOT

from companion import load_record
from companion.publish import project
from companion.publish.pages import parts

PAGES = [page for page in project.toc_pages(ROOT) if page.startswith("book/parts/")]
BASE = {
    "rate": 0.0,
    "hidden": 32,
    "learning_rate": 1e-3,
}  # report A's network, two blocks, in the record of the chapter on dropout


def says(page, words):
    """Whether the page of a part says this; a sentence that is asked here cannot be changed alone."""
    return words in " ".join((ROOT / "book" / "parts" / f"{page}.md").read_text(encoding="utf-8").split())


def last(chapter, metric="val_accuracy", **setting):
    return load_record(chapter).values(metric, **setting)


def differences(first, second):
    shared = set(first) & set(second)
    assert len(shared) >= 3
    return [first[seed] - second[seed] for seed in shared]


# ------------------------------------------------------------------------------------------------------- their form


@pytest.mark.parametrize("page", PAGES)
def test_a_part_says_what_one_can_do_afterwards_how_its_chapters_hang_together_and_what_to_take_away(page):
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    assert re.findall(r"^##? (.+)$", text, re.M)[1:] == ["The chapters", "How they hang together", "When you are done"]
    before, after = text.split("## When you are done")
    assert 2 <= len(re.findall(r"^- ", before, re.M)) <= 6 and 3 <= len(re.findall(r"^- ", after, re.M)) <= 6
    assert f"% {parts.CHAPTERS}\n" in before and "REPLACE" not in text
    (own,) = (part for part in project.contents(ROOT)[1] if page in part.pages)
    assert text.startswith(f"# {own.caption}\n")
    for name in own.pages[1:]:
        name = name.removeprefix("book/")
        assert f"(../{name})" in text or len(own.pages) == 2, f"{page} does not say how {name} belongs to it"


@pytest.mark.parametrize("page", PAGES)
def test_a_part_quotes_no_result(page):
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8").replace("a rate of 0.5", "that rate")
    assert re.findall(r"\d+\.\d+|\d+ ?%|\bof (?:five|seven|\d+) (?:seeds|runs)", text) == []


def test_the_contents_have_every_chapter_once_with_its_reports_and_only_parts_with_chapters():
    executed = {name: nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"# {name}")]) for name in NAMES}
    found = parts.contents(ROOT, executed)
    assert [entry.name for _, _, entries in found for entry in entries] == NAMES
    assert all(entry.reports for _, _, entries in found for entry in entries)
    assert {page for _, page, _ in found} == set(PAGES)
    only = parts.contents(ROOT, {"depth": executed["depth"]})
    assert [(caption, [entry.name for entry in entries]) for caption, _, entries in only] == [
        ("What structure buys", ["depth"])
    ]


def test_the_question_time_and_level_of_a_chapter_come_from_its_head():
    head = "- **Question:** What does *depth* buy,\n  and [where](x.md)?\n- **Time:** about 20 minutes to read, 9 s to run\n- **Level:** first steps"
    cells = [
        nbformat.v4.new_markdown_cell("# Depth: one?"),
        nbformat.v4.new_markdown_cell(head, metadata={"tags": ["head"]}),
    ]
    found = parts.entry(nbformat.v4.new_notebook(cells=cells), "depth")
    assert found == parts.Entry(
        "depth", "Depth: one?", "What does depth buy, and where?", ("A",), "about 20 minutes", "first steps"
    )
    html = parts.render("contents", parts=[("Part", "book/parts/p", [found])], up="")
    assert '<a href="parts/p.html">Part</a>' in html and "about 20 minutes, first steps" in html and ">A</span>" in html


# ------------------------------------------------------------------------------- what they say of records and networks


def test_one_layer_of_vgg_holds_more_than_all_others_and_the_convolutions_do_nearly_all_of_the_arithmetic():
    import torch
    from torchvision.models import vgg16

    with torch.device("meta"):
        model = vgg16()
    weights = {name: parameter.numel() for name, parameter in model.named_parameters()}
    largest = weights["classifier.0.weight"]
    assert largest > sum(weights.values()) - largest
    products, side = 0, 224
    for layer in model.features:
        side //= 2 if isinstance(layer, torch.nn.MaxPool2d) else 1
        products += layer.weight.numel() * side**2 if isinstance(layer, torch.nn.Conv2d) else 0
    connected = sum(n for name, n in weights.items() if name.startswith("classifier") and name.endswith("weight"))
    assert products > 50 * connected
    assert says("costs", "In VGG-16 one fully connected layer holds more parameters than all other layers together")


def test_a_second_block_helped_in_every_run_and_a_third_did_not():
    one, two, three = last("depth", blocks=1), last("dropout", **BASE), last("depth", blocks=3)
    assert min(differences(two, one)) > 0 and min(differences(three, two)) < 0 < max(differences(three, two))
    assert says(
        "structure", "a second block raised the validation accuracy in every run of ours. A third did not in every run"
    )


def test_the_fully_connected_network_of_equal_size_stayed_behind_in_every_run():
    assert min(differences(last("depth", blocks=3), last("mlp-vs-cnn", network="mlp-12"))) > 0
    assert says("structure", "stayed behind it on new images in every run")


def test_the_network_with_a_gap_head_learns_more_slowly():
    connected = {run.seed: run.history.val_accuracy for run in load_record("depth").select(blocks=3)}
    averaged = {run.seed: run.history.val_accuracy for run in load_record("gap-head").select(head="gap")}
    for epoch in (0, 4, 9):
        assert (
            min(differences(*({seed: curve[epoch] for seed, curve in runs.items()} for runs in (connected, averaged))))
            > 0
        )
    assert says("structure", "paid for with slower learning")


def test_the_split_moved_the_error_of_a_line_many_times_as_much_as_the_seed():
    runs = load_record("linear-regression")
    usual = {"inputs": "standardised", "learning_rate": 0.1}
    by_split, by_seed = (runs.select(partition=kind, **usual) for kind in ("seed", "fixed"))
    assert min(len(by_split), len(by_seed)) >= 10
    for reading in (lambda run: run.extras["lowest"], lambda run: run.last("val_loss")):
        assert stdev(map(reading, by_split)) > 5 * stdev(map(reading, by_seed))
    assert says("gradients", "On a small table the split moved the test error many times as much as the seed did")


def test_dropout_narrowed_the_gap_in_every_run():
    def gap(rate):
        setting = {**BASE, "rate": rate}
        train, val = last("dropout", "train_accuracy", **setting), last("dropout", **setting)
        return {seed: train[seed] - val[seed] for seed in val}

    assert max(differences(gap(0.5), gap(0.0))) < 0
    assert says("overfitting", "Dropout at a rate of 0.5 narrowed the gap in every run of ours")


def test_training_the_whole_network_named_the_groups_better_and_fitted_better_in_every_run():
    for metric in ("val_accuracy", "train_accuracy"):
        full, head = (last("transfer-learning", metric, labels="group", arm=arm) for arm in ("full", "last"))
        assert min(differences(full, head)) > 0
    assert says("transfer", "more often rightly than a new head alone, in every run")


def test_transfer_says_how_the_autoencoder_stands_beside_a_filter_and_a_network_without_a_bottleneck():
    assert says(
        "transfer",
        "trained for six epochs, restored noisy digits less well than a median filter, in every run; a network without a "
        "bottleneck was far ahead",
    )
    record = load_record("denoising-autoencoder")
    coded = [run.extras for run in record.select(network="denoise", epochs=6)]
    free = [run.extras["psnr"] for run in record.select(network="no bottleneck", epochs=2)]
    median = coded[0]["filter_psnr"][3]  # the first three: noisy, black, mean picture
    assert len(coded) == len(free) == 5
    assert max(found["psnr"] for found in coded) < median < min(free) - 3
