"""The page that counts layers in the browser, against PyTorch and `layer_table` as second witnesses."""

import contextlib
import io
import json
import random
import re
import shutil

import pytest
import torch
from torch import nn
from torchvision.models import alexnet, vgg16, vgg16_bn

from companion import count_parameters, layer_table, load_claims, small_cnn, small_gap_cnn, small_mlp
from companion.publish import project

ROOT = project.project_root(__file__ + "/..")
SCRIPTS = ROOT / "book" / "scripts"
PAUSE = 1000  # milliseconds; the page waits 700 before it speaks
REFUSALS = (IndexError, RuntimeError, ValueError)  # of PyTorch, for layers that do not fit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def script(browser):
    """Calls a function of layer-counting.js on a page that holds nothing else; big integers come back as integers."""
    page = browser.new_page()
    page.set_default_timeout(120_000)  # tests may share two cores with kernels
    page.add_script_tag(path=SCRIPTS / "layer-counting.js")

    def call(code, argument=None):
        plain = "(key, value) => typeof value === 'bigint' ? {big: String(value)} : value"
        text = page.evaluate(f"argument => JSON.stringify(({code})(argument), {plain}) ?? 'null'", argument)
        return json.loads(text, object_hook=lambda found: int(found["big"]) if list(found) == ["big"] else found)

    yield call
    page.close()


@pytest.fixture(scope="module")
def presets(script):
    return script("() => LayerCounting.PRESETS")


def network_of(script, text):
    return script("text => LayerCounting.decode(text)", text)["network"]


COUNT = "network => LayerCounting.count(network)"
NAMES = ("kind", "shape", "parameters", "buffers", "bytes", "activations", "multiplyAdds")


def counted(script, networks):
    """What the script counts of each network: a list of tuples and formulas like `witnessed`, or None with a problem."""
    results = script(f"networks => networks.map({COUNT})", networks)
    rows = [
        [(*(row[name] for name in NAMES), row["formulas"]["parameters"]) for row in result["rows"] if row]
        for result in results
    ]
    return [found if result["totals"] else None for found, result in zip(rows, results, strict=True)]


def witnessed(model, input_size):
    """The same from `layer_table`."""
    return [
        (
            *(row.kind, list(row.output_shape), row.count.total, row.count.buffers, row.count.bytes),
            *(row.activations, row.multiply_adds, row.formula),
        )
        for row in layer_table(model, input_size)
    ]


def pytorch_layer(layer, before, classes):
    """A PyTorch module for a layer of the list, by a reading of the list that owes nothing to the script."""
    channels, out = before.shape[1], layer.get("out")
    out = classes if out == "classes" else out
    if before.dim() == 2 and layer["kind"] in ("gap", "adaptive"):
        raise ValueError("PyTorch would average over the batch; the page wants an image")
    match layer["kind"]:
        case "conv":
            window = (layer["kernel"], layer["stride"], layer["padding"])
            return nn.Conv2d(channels, out, *window, bias=layer["bias"])
        case "maxpool":
            return nn.MaxPool2d(layer["kernel"], layer["stride"], layer["padding"])
        case "avgpool":
            return nn.AvgPool2d(layer["kernel"], layer["stride"], layer["padding"])
        case "linear":
            if before.dim() == 4:
                raise ValueError("the page has no fully connected layers along the columns of an image")
            return nn.Linear(channels, out, layer["bias"])
        case "batchnorm":
            return nn.BatchNorm2d(channels) if before.dim() == 4 else nn.BatchNorm1d(channels)
    simple = {"gap": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "relu": nn.ReLU(layer.get("inplace", False))}
    simple |= {"adaptive": nn.AdaptiveAvgPool2d(layer.get("side", 1)), "dropout": nn.Dropout(layer.get("rate", 0.5))}
    return simple[layer["kind"]]


def pytorch_model(network):
    """The network as `nn.Sequential` on the default device; raises one of REFUSALS where its layers do not fit."""
    x, model = torch.zeros(1, *input_size(network)), nn.Sequential().eval()
    for layer in network["layers"]:
        model.append(pytorch_layer(layer, x, network["classes"]).eval())
        x = model[-1](x)
    return model.to(memory_format=torch.channels_last) if network["channelsLast"] else model


def input_size(network):
    return tuple(network[name] for name in ("channels", "height", "width"))


# ------------------------------------------------------------------------------------------------------- the presets

SMALL = {
    "a-one-block": lambda: small_cnn((32,), dropout=0.5),
    "a-two-blocks": lambda: small_cnn((32, 64), dropout=0.5),
    "a-three-blocks": lambda: small_cnn((32, 64, 16), dropout=0.5),
    "a-gap": small_gap_cnn,
    "a-mlp-100": small_mlp,
    "a-mlp-12": lambda: small_mlp(hidden=12),
}
LARGE = {"vgg-16": vgg16, "vgg-16-bn": vgg16_bn, "alexnet": alexnet}


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
def test_a_preset_equals_the_network_of_the_chapters_or_of_torchvision_row_by_row(script, name):
    network = network_of(script, name)
    with torch.device("cpu" if name in SMALL else "meta"):
        model = (SMALL | LARGE)[name]()
    (found,) = counted(script, [network])
    if name in LARGE:  # torchvision flattens by a function, which adds nothing and has no row
        (flatten,) = (row for row in found if row[0] == "Flatten")
        assert flatten[2:] == (0, 0, 0, 0, 0, "")
        found.remove(flatten)
    assert found == witnessed(model, input_size(network))


def test_presets_have_the_numbers_of_the_ledger(script):
    def totals(name):
        return script(COUNT, network_of(script, name))["totals"]

    claims = load_claims()
    vgg = totals("vgg-16")
    assert (vgg["parameters"], vgg["bytes"]) == (claims["A-vgg-total"].correct, claims["A-vgg-bytes"].correct)
    assert totals("b-cnn")["parameters"] == claims["B-cnn-params"].correct
    for name, claim in {"e-dense": "E-dense-params", "e-alexnet": "E-alexnet-params"}.items():
        found, layers = totals(name), network_of(script, name)["layers"]
        averages = found["buffers"] - sum(layer["kind"] == "batchnorm" for layer in layers)  # PyTorch's own counters
        everything = found["parameters"] + averages
        assert [everything, found["parameters"], averages] == claims[claim].correct


def test_every_preset_has_a_witness(script, presets):
    assert set(presets) == {*SMALL, *LARGE, "b-cnn", "e-dense", "e-alexnet"}
    networks = [network_of(script, name) for name in ("b-cnn", "e-dense", "e-alexnet")]
    assert counted(script, networks) == [witnessed(pytorch_model(n), input_size(n)) for n in networks]


# ------------------------------------------------------------------------------------------------------ random lists


def random_network(rng, channels_last):
    def layer(is_flat):
        images = ["conv"] * 4 + ["maxpool", "avgpool", "adaptive", "gap", "flatten"]
        kind = rng.choice((["linear"] * 3 if is_flat else images) + ["relu", "dropout", "batchnorm", "flatten"])
        kind = rng.choice(["conv", "linear", "gap"]) if rng.random() < 0.03 else kind  # now and then out of place
        window = {
            "kernel": rng.choice([1, 2, 3, 5]),
            "stride": rng.choice([1, 1, 2, 3]),
            "padding": rng.choice([0, 0, 1, 2]),
        }
        out = rng.choice([1, 2, 3, 8, "classes"])
        settings = {
            "conv": {"out": out, **window, "bias": rng.random() < 0.7},
            "maxpool": window,
            "avgpool": window,
            "adaptive": {"side": rng.choice([1, 2, 3, 7])},
            "linear": {"out": out, "bias": rng.random() < 0.7},
            "relu": {"inplace": rng.random() < 0.5},
            "dropout": {"rate": rng.choice([0, 0.25, 0.5, 1])},
        }
        return {"kind": kind, **settings.get(kind, {})}

    layers = []
    for _ in range(rng.randint(1, 9)):
        layers.append(layer(any(made["kind"] == "flatten" for made in layers)))
    sides = {"channels": rng.choice([1, 2, 3]), "height": rng.choice([1, 5, 8, 13]), "width": rng.choice([2, 6, 8, 11])}
    return {**sides, "classes": 4, "channelsLast": channels_last, "layers": layers}


@pytest.mark.parametrize("channels_last", [False, True])
def test_random_lists_are_counted_or_refused_as_by_pytorch(script, channels_last):
    rng = random.Random(6)
    networks = [random_network(rng, channels_last) for _ in range(300)]
    witnesses = []
    for network in networks:
        try:
            witnesses.append(witnessed(pytorch_model(network), input_size(network)))
        except REFUSALS:
            witnesses.append(None)
    assert 100 < sum(witness is not None for witness in witnesses) < 290, "both kinds are tried"
    for network, found, witness in zip(networks, counted(script, networks), witnesses, strict=True):
        assert found == witness, network


def digits(formula):
    """The number that a formula gives: (3·3·2 + 1)·4 → 76; text after the digits is left out."""
    formula = re.sub(r"⌊(.*)⌋", r"(\1)", formula).replace("/", "//")
    return eval(formula.replace("·", "*").replace("−", "-").replace(",", "").split(" biases")[0])


def test_every_formula_gives_its_count(script, presets):
    rng = random.Random(7)
    networks = [network_of(script, name) for name in presets] + [random_network(rng, False) for _ in range(100)]
    seen = set()
    for result in script(f"networks => networks.map({COUNT})", networks):
        for row in filter(None, result["rows"]):
            values = {name: row[name] for name in ("parameters", "buffers", "activations", "multiplyAdds")}
            values |= {"split": row["parameters"], "memory": row["bytes"] + 4 * row["activations"]}
            for name, value in values.items():
                if (formula := row["formulas"][name]) and formula[0] in "(0123456789":
                    assert digits(formula) == value, (name, row)
                    seen.add(name)
            if "·" not in row["formulas"]["shape"] or "/" in row["formulas"]["shape"]:
                for side, formula in zip(row["shape"][1:], row["formulas"]["shape"].split(", "), strict=False):
                    assert not formula or digits(formula) == side
                    seen.add("shape")
    assert seen == {"parameters", "buffers", "activations", "multiplyAdds", "split", "memory", "shape"}


def test_what_does_not_fill_a_step_is_left_out(script):
    for side, kernel, stride, padding in [(15, 2, 2, 0), (15, 3, 2, 1), (14, 3, 2, 0), (11, 4, 3, 2), (55, 3, 2, 0)]:
        result = script(COUNT, network_of(script, f"1x{side}x{side},10,maxpool-{kernel}-{stride}-{padding}"))
        (row,) = result["rows"]
        x = nn.MaxPool2d(kernel, stride, padding)(torch.zeros(1, 1, side, side))
        assert row["shape"] == list(x.shape[1:])
        rounded = (side + 2 * padding - kernel) % stride != 0
        assert row["formulas"]["shape"].startswith("⌊") == rounded


def test_counts_are_exact_where_a_float_would_round(script):
    network = network_of(
        script, "99999x9999x9999,99999,conv-99999-999-1-499,conv-99997-997-1-498,flatten,linear-classes"
    )
    result = script(COUNT, network)
    first, second = 99999 * 99999 * 999**2, 99999 * 99997 * 997**2
    last = 99997 * 9999**2
    assert result["totals"]["multiplyAdds"] == (first + second) * 9999**2 + last * 99999
    assert result["totals"]["parameters"] == first + 99999 + second + 99997 + (last + 1) * 99999
    assert float(result["totals"]["multiplyAdds"]) != result["totals"]["multiplyAdds"]


@pytest.mark.parametrize(
    "number, text",
    [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (553430176, "527.8 MiB"), (3 << 60, "3.0 EiB")],
)
def test_bytes_are_written_in_units_of_1024(script, number, text):
    assert script("number => LayerCounting.bytesText(BigInt(number))", str(number)) == text


# -------------------------------------------------------------------------------------------------- what does not fit


def problems(script, network):
    result = script(COUNT, network)
    assert result["totals"] is None
    return [problem["text"] for problem in result["problems"]]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("3x8x8,10,relu,conv-4-11-1-1", "Layer 2 (convolution) has a kernel of 11 × 11, larger than its image of 8 × 8 (with padding 10 × 10): choose a smaller kernel or more padding."),
        ("3x8x2,10,maxpool-3-2-0", "Layer 1 (max pooling) has a kernel of 3 × 3, larger than its image of 8 × 2: choose a smaller kernel or more padding."),
        ("3x8x8,10,maxpool-3-2-2", "Layer 1 (max pooling) may be padded by at most half its kernel, here 1, not 2."),
        ("3x8x8,10,conv-64-3-1-1,linear-5", "Layer 2 (fully connected) needs a flat list of numbers and gets an image of 64 × 8 × 8: put a flatten before it."),
        ("3x8x8,10,flatten,avgpool-2-2-0", "Layer 2 (average pooling) needs an image and gets a flat list of 192 numbers: it has to stand before the flatten."),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_fit_is_named_and_pytorch_refuses_it_too(script, text, sentence):
    network = network_of(script, text)
    assert problems(script, network) == [sentence]
    with pytest.raises(REFUSALS):
        pytorch_model(network)


@pytest.mark.parametrize(
    "written", ["", " ", "0", "-3", "2.5", "1e3", "abc", "100001", "99999999999999999999", "3,000", "NaN", "0x10", None]
)
def test_a_field_without_a_whole_number_in_range_gets_a_sentence(script, written):
    network = network_of(script, "3x8x8,10,relu,conv-4-3-1-1")
    network["layers"][1]["out"] = written
    (sentence,) = problems(script, network)
    assert sentence.startswith("Layer 2 (convolution): channels ") and "a whole number from 1 to 100,000" in sentence
    assert ("is empty" in sentence) == (not (written or "").strip())
    assert len(sentence) < 110


@pytest.mark.parametrize("written, fits", [("0", True), ("0.5", True), (".25", True), ("1", True), ("1.5", False), ("-0.1", False), ("1e-7", False), ("", False)])  # fmt: skip
def test_a_rate_lies_between_0_and_1(script, written, fits):
    network = network_of(script, "3x8x8,10,dropout-0.5")
    network["layers"][0]["rate"] = written
    found = script(COUNT, network)["problems"]
    assert (found == []) == fits
    assert fits or found[0]["text"].startswith("Layer 1 (dropout): rate")


def test_every_bad_field_is_named_and_the_first_comes_first(script):
    network = network_of(script, "3x8x8,10,conv-4-3-1-1,maxpool-2-2-0")
    network["layers"][1]["stride"], network["layers"][0]["kernel"], network["height"] = "0", "x", ""
    network["classes"] = "-1"
    starts = [
        "Input: height is empty",
        "Output: the number of classes",
        "Layer 1 (convolution): kernel",
        "Layer 2 (max pooling): stride",
    ]
    assert [text.startswith(start) for text, start in zip(problems(script, network), starts, strict=True)] == [True] * 4


def test_too_many_layers_are_refused(script):
    limit = script("() => LayerCounting.MAX_LAYERS")
    full = network_of(script, "3x8x8,10" + ",relu" * limit)
    assert script(COUNT, full)["totals"]["parameters"] == 0
    full["layers"].append(full["layers"][0])
    assert problems(script, full) == [f"The list may hold at most {limit} layers."]
    assert f"at most {limit} layers" in script("t => LayerCounting.decode(t)", "3x8x8,10" + ",relu" * 5000)["problem"]


def test_an_empty_list_counts_nothing(script):
    result = script(COUNT, network_of(script, "3x8x8,10"))
    assert set(result["totals"].values()) == {0} and result["problems"] == []


# ------------------------------------------------------------------------------------------------ addresses and code


def test_a_list_comes_back_from_its_address(script, presets):
    rng = random.Random(8)
    networks = [random_network(rng, rng.random() < 0.5) for _ in range(100)]
    texts = script("networks => networks.map(LayerCounting.encode)", networks)
    assert script("texts => texts.map(text => LayerCounting.decode(text).network)", texts) == networks
    assert all(re.fullmatch(r"[\w.,-]+", text) for text in texts), "nothing that an address would have to escape"
    assert script(
        "names => names.map(n => LayerCounting.encode(LayerCounting.decode(n).network))", list(presets)
    ) == list(presets)


@pytest.mark.parametrize(
    "text",
    ["", "vgg", "3x8", "3x8x8", "3x8x8,", "3x8x8,10,conv", "3x8x8,10,conv-4-3-1", "3x8x8,10,conv-4-3-1-1-x", "3x8x8,10,", "3x8x8,10,relu-4",
     "3x8x8,10,toString", "__proto__", "3x8x8,10,linear-0", "3x8x8,10,<img src=x>", "3x8x8,10,maxpool-classes-2-0", "3x8x8,10,conv-4-3-1-1-inplace"],
)  # fmt: skip
def test_an_address_that_is_no_list_gets_a_sentence(script, text):
    found = script("text => LayerCounting.decode(text)", text)
    assert "network" not in found and found["problem"].endswith(".")


def test_the_code_runs_and_counts_the_same(script, presets):
    rng = random.Random(9)
    networks = [network_of(script, name) for name in presets] + [random_network(rng, i % 2 == 0) for i in range(60)]
    codes = script("networks => networks.map(LayerCounting.toPyTorch)", networks)
    ran = 0
    for network, code, found in zip(networks, codes, counted(script, networks), strict=True):
        assert (code is None) == (found is None)
        if code is None:
            continue
        names, printed = {}, io.StringIO()
        with torch.device("meta" if network["height"] > 100 else "cpu"), contextlib.redirect_stdout(printed):
            exec(code, names)
        assert witnessed(names["model"], input_size(network)) == found
        shape, total = printed.getvalue().splitlines()
        assert eval(shape) == (1, *found[-1][1])
        assert total == f"{count_parameters(names['model']).total:,}" == code.rsplit("# ", 1)[1].strip()
        ran += 1
    assert ran > len(presets) + 15


# ---------------------------------------------------------------------------------------------------------- the page


@pytest.fixture(scope="module")
def plain_page(tmp_path_factory):
    """The block of the chapter's page, and its scripts, as a page of its own: no build is needed to try it."""
    folder = tmp_path_factory.mktemp("calculator")
    shutil.copytree(SCRIPTS, folder / "scripts")
    source = (ROOT / "book" / "layer-calculator.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```\{raw\} html\n(.*?)```", source, re.S)
    (folder / "book").mkdir()
    page = folder / "book" / "page.html"
    page.write_text(f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><body>{block}", encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def visit(browser, plain_page):
    """Opens the page with some list in its address, on a clock that the test moves."""
    contexts, complaints = [], []

    def visit(address="", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.clock.install()
        page.goto(plain_page + address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def field(page, key):
    return page.locator(f'[data-key="{key}"]')


def summary(page):
    return page.locator(".lc-summary").inner_text()


def kinds(page):
    return page.eval_on_selector_all("[data-key$=':kind']", "all => all.map(select => select.value)")


def cells(page, row):
    return page.locator("tbody tr").nth(row).locator("td").all_inner_texts()[1:]


def test_the_page_shows_what_the_functions_count_and_follows_each_key(visit):
    page = visit()
    model = small_cnn((32, 64, 16))
    assert f"{count_parameters(model).total:,}" in summary(page)
    row = layer_table(model, (3, 32, 32))[3]
    shape, parameters, multiply_adds, *_ = cells(page, 3)
    assert shape.startswith("64 × 16 × 16") and row.formula in parameters
    assert parameters.startswith(f"{row.parameters:,}") and multiply_adds.startswith(f"{row.multiply_adds:,}")
    field(page, "3:out").fill("65")
    wider = small_cnn((32, 65, 16))
    assert f"{count_parameters(wider).total:,}" in summary(page)
    field(page, "input:classes").fill("7")
    assert f"{count_parameters(small_cnn((32, 65, 16), num_classes=7)).total:,}" in summary(page)
    assert field(page, "13:out").input_value() == "7"


def test_a_bad_field_is_marked_and_explained_until_it_is_mended(visit):
    page = visit()
    kernel = field(page, "3:kernel")
    for written, words in {"": "is empty", "0": "not “0”", "-2": "not “-2”", "99": "larger than its image"}.items():
        kernel.fill(written)
        assert summary(page).startswith("Layer 4 (convolution)") and words in summary(page)
        assert page.locator("#lc-problem-3").inner_text() == page.locator(".lc-summary p").inner_text()
        assert cells(page, 3)[0] == "–" and cells(page, 2)[0].startswith("32 × 16 × 16")
    kernel.fill("0")
    assert kernel.get_attribute("aria-invalid") == "true" and kernel.get_attribute("aria-describedby") == "lc-problem-3"
    kernel.fill("3")
    assert kernel.get_attribute("aria-invalid") is None and "37,178" in summary(page)
    field(page, "input:height").fill("-1")
    assert summary(page).startswith("Input: height")


def test_the_address_keeps_the_list_and_a_link_brings_it_back(visit):
    page = visit()
    assert "#" not in page.url
    field(page, "0:out").fill("33")
    page.clock.run_for(PAUSE)
    assert "#net=3x32x32,10,last,conv-33-3-1-1,maxpool" in page.url
    other = visit(page.url[page.url.index("#") :])
    assert field(other, "0:out").input_value() == "33" and summary(other) == summary(page)
    other.evaluate("location.hash = '#net=3x8x8%2C5%2Cflatten,linear-classes'")
    other.wait_for_function("document.querySelectorAll('tbody tr').length === 2")
    assert "965" in summary(other), "(3·8·8 + 1)·5"


def test_an_address_that_is_no_list_leaves_the_page_whole(visit):
    page = visit("#net=3x8x8,10,<img src=x onerror=alert(1)>")
    assert "cannot be read" in page.locator(".lc-note").inner_text() and page.locator("img").count() == 0
    assert "37,178" in summary(page)
    page = visit("#how-it-counts")
    assert page.locator(".lc-note").inner_text() == "" and "37,178" in summary(page)


def test_a_preset_replaces_a_list_of_ones_own_and_the_way_back_brings_it_back(visit):
    page = visit()
    menu = page.get_by_label("network")
    field(page, "1:remove").click()
    assert menu.input_value() == ""
    own = summary(page)
    menu.select_option("vgg-16")
    assert "138,357,544" in summary(page) and page.url.endswith("#net=vgg-16")
    menu.select_option("alexnet")
    assert "61,100,840" in summary(page) and menu.input_value() == "alexnet"
    page.evaluate("history.back()")
    page.wait_for_function("document.querySelectorAll('tbody tr').length === 13")
    assert summary(page) == own


def test_layers_are_added_moved_copied_changed_and_removed_by_keyboard_and_the_focus_stays(visit):
    page = visit("#net=3x8x8,10,conv-4-3-1-1,relu,flatten,linear-classes")
    focused = "document.activeElement.dataset.key"
    field(page, "1:up").focus()
    page.keyboard.press("Enter")
    assert kinds(page) == ["relu", "conv", "flatten", "linear"] and page.evaluate(focused) == "0:kind"
    field(page, "1:copy").press("Space")
    assert kinds(page) == ["relu", "conv", "conv", "flatten", "linear"] and page.evaluate(focused) == "2:kind"
    field(page, "2:kind").select_option("maxpool")
    assert field(page, "2:kernel").input_value() == "2" and page.evaluate(focused) == "2:kind"
    field(page, "2:remove").press("Enter")
    assert kinds(page) == ["relu", "conv", "flatten", "linear"] and page.evaluate(focused) == "2:remove"
    field(page, "3:classes").press("Space")
    assert field(page, "3:out").is_enabled() and page.evaluate(focused) == "3:classes"
    page.get_by_label("new layer at the end").select_option("dropout")
    page.get_by_role("button", name="Add", exact=True).press("Enter")
    assert kinds(page)[-1] == "dropout" and page.evaluate(focused) == "4:kind"
    for _ in range(5):
        field(page, "0:remove").press("Enter")
    assert kinds(page) == [] and page.evaluate("document.activeElement.id") == "lc-new"


def test_every_control_has_a_name_of_its_own_and_is_reached_by_tab(visit):
    page = visit("#net=3x8x8,10,conv-4-3-1-1,maxpool-2-2-0,relu,flatten,dropout-0.5,linear-classes")
    controls = page.locator("#layer-calculator :is(input, select, button):enabled")
    names = [line.strip() for line in page.locator("#layer-calculator").aria_snapshot().splitlines()]
    named = [re.search(r'(spinbutton|combobox|checkbox|button) "(.+?)"', line) for line in names]
    named = [found.group(1, 2) for found in named if found]
    assert len(set(named)) == len(named) >= controls.count() > 30
    page.evaluate("document.body.prepend(Object.assign(document.createElement('button'), {id: 'start'}))")
    page.locator("#start").focus()
    reached = set()
    for _ in range(controls.count() + 3):  # the table's box, the fold of the code, and its first line
        page.keyboard.press("Tab")
        page.evaluate("document.activeElement.dataset.reached = 1")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert page.locator("#layer-calculator :is(input, select, button):enabled:not([data-reached])").count() == 0
    assert {"INPUT", "SELECT", "BUTTON", "SUMMARY", "DIV"} <= reached


def test_a_pause_is_announced_once_and_typing_is_not(visit):
    page = visit()
    page.evaluate(
        "window.spoken = []; const place = document.querySelector('[role=status]');"
        "new MutationObserver(() => window.spoken.push(place.textContent)).observe(place, {childList: true})"
    )
    for written in ("1", "12", "128"):
        field(page, "0:out").fill(written)
        page.clock.run_for(300)
    assert page.evaluate("window.spoken") == []
    page.clock.run_for(PAUSE)
    field(page, "4:remove").click()
    page.clock.run_for(PAUSE)
    first, second = page.evaluate("window.spoken")
    assert first.startswith("14 layers, ") and "parameters" in first
    assert second.startswith("Removed layer 5, max pooling. 13 layers")


def test_a_full_list_takes_no_more_layers_and_says_so(visit):
    page = visit("#net=3x8x8,10" + ",relu" * 100)
    page.get_by_role("button", name="Add", exact=True).click()
    assert len(kinds(page)) == 100 and "at most 100 layers" in page.locator(".lc-note").inner_text()
    field(page, "5:copy").click()
    assert len(kinds(page)) == 100


def test_link_and_code_are_copied(visit):
    page = visit("#net=a-gap", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the link").click()
    page.get_by_text("The link to this list is copied.").first.wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    page.get_by_role("button", name="Copy as PyTorch code").click()
    page.get_by_text("The code is copied.").first.wait_for()
    code = page.evaluate("navigator.clipboard.readText()")
    assert code.replace("\r\n", "\n") == page.locator(".lc-code code").text_content()
    assert "nn.AdaptiveAvgPool2d(1)" in code
    field(page, "0:kernel").fill("0")
    page.get_by_role("button", name="Copy as PyTorch code").click()
    assert "Nothing is copied" in page.locator(".lc-note").inner_text()


BLOCKS = """() => [...document.querySelectorAll(".lc-block")].map(block => {
  const box = block.querySelector("rect"), side = name => Number(box.getAttribute(name));
  return [block.querySelector("title").textContent, side("width"), side("height")];
})"""


def test_the_picture_draws_the_layers_to_scale_and_follows_each_key(visit):
    page = visit("#net=3x64x64,10,conv-48-3-1-1,relu,maxpool-2-2-0,conv-12-3-1-1,flatten,linear-classes")
    (image, _, _), first, pool, second, last = blocks = page.evaluate(BLOCKS)
    assert image == "input: 3 × 64 × 64" and len(blocks) == 5  # no ReLU, no flatten
    assert first[0].startswith("layer 1, convolution: 48 × 64 × 64, ") and "% of the multiply-adds" in first[0]
    assert first[2] / second[2] == pytest.approx((64 / 32) ** 0.5)
    assert pool[1] / second[1] == pytest.approx((48 / 12) ** 0.5)
    field(page, "3:out").fill("3")
    assert page.evaluate(BLOCKS)[1][1] / page.evaluate(BLOCKS)[3][1] == pytest.approx((48 / 3) ** 0.5)
    assert last[0].startswith("layer 6, fully connected: 10")


def test_the_picture_has_words_and_shows_the_share_of_the_chosen_count(visit):
    page = visit("#net=vgg-16")
    picture = page.get_by_role("img")
    words = picture.get_attribute("aria-label")
    assert words.startswith("Blocks to scale: 3 × 224 × 224, then 64 × 224 × 224, then")
    page.get_by_role("combobox", name="the count that the picture shows").select_option("parameters")
    share = 100 * 102_764_544 / 138_357_544  # the first fully connected layer, (25088 + 1)·4096
    words = picture.get_attribute("aria-label")
    assert f"{int(10 * share) / 10} %, is that of layer 34, fully connected" in words
    fills = page.eval_on_selector_all(".lc-block rect", "all => all.map(rect => rect.style.fill)")
    assert [place for place, fill in enumerate(fills) if " 100%" in fill] == [
        place for place, (title, *_) in enumerate(page.evaluate(BLOCKS)) if title.startswith("layer 34,")
    ]


def test_the_picture_fits_its_place_at_every_width(visit):
    for width in (320, 390, 768, 1440):
        page = visit("#net=vgg-16-bn", width=width)
        room, drawn = page.evaluate(
            "() => [document.querySelector('.lc-picture').clientWidth, "
            "Math.max(...[...document.querySelectorAll('.lc-block rect')].map(r => r.getBoundingClientRect().right))]"
        )
        left = page.locator(".lc-picture").bounding_box()["x"]
        assert drawn <= left + room + 1, width


def test_a_layer_that_does_not_fit_is_marked_and_a_button_leads_to_it(visit):
    page = visit("#net=vgg-16")
    field(page, "input:height").fill("8")
    page.mouse.wheel(0, 50_000)
    wrong = page.locator("tr.lc-wrong-row")
    number = wrong.locator("th").inner_text()
    assert wrong.count() == 1 and wrong.locator("[aria-invalid]").get_attribute("aria-describedby")
    assert "?" in page.locator(".lc-picture text").all_text_contents()[-1]
    page.get_by_role("button", name=f"Show layer {number}").click()
    row, seen = wrong.bounding_box(), page.viewport_size["height"]
    assert 0 <= row["y"] <= seen - row["height"]
    assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
    field(page, "input:height").fill("224")
    assert wrong.count() == 0 and page.get_by_role("button", name="Show layer").count() == 0


def test_a_wrong_number_of_the_input_has_its_button_too_and_no_picture(visit):
    page = visit("#net=vgg-16")
    field(page, "input:height").fill("0")
    assert page.get_by_role("img").get_attribute("aria-label").startswith("No picture: ")
    page.get_by_role("button", name="Show the field").click()
    assert page.evaluate("document.activeElement.dataset.key") == "input:height"


def test_on_a_phone_each_layer_is_a_card_with_its_numbers_and_the_totals_stay_in_sight(visit):
    page = visit("#net=vgg-16", width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".lc-scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    card = page.locator("tbody tr").nth(2)
    room = card.bounding_box()
    for cell in card.locator("td").all():
        box = cell.bounding_box()
        assert room["x"] <= box["x"] and box["x"] + box["width"] <= room["x"] + room["width"] + 1
    labels = card.locator("td[data-label]").evaluate_all(
        "all => all.map(cell => getComputedStyle(cell, '::before').content)"
    )
    assert [label.split('"')[1].strip() for label in labels] == [
        "Output",
        "Parameters",
        "Multiply-adds",
        "Activations",
        "Memory",
    ]
    assert card.get_by_role("cell").count() == 6  # still a row of a table to a screen reader
    page.evaluate("document.querySelectorAll('tbody tr')[20].scrollIntoView()")
    box = page.locator(".lc-summary").bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= 901


def test_without_scripts_the_page_says_so_and_links_to_the_chapter(browser, plain_page):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(plain_page)
    assert page.get_by_text("when the browser runs the page's scripts").is_visible()
    assert page.get_by_role("link", name="the chapter on VGG-16").get_attribute("href") == "vgg-parameters.html"
    context.close()
