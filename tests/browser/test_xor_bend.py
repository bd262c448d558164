"""The two XOR networks that a reader moves and trains below the picture, against PyTorch as a second witness."""

import shutil

import pytest
import torch
from books import ROOT

from companion.publish.pages import ideas

SCRIPTS = ROOT / "book" / "scripts"
CORNERS = {"±1": [[-1, -1], [-1, 1], [1, -1], [1, 1]], "0 and 1": [[0, 0], [0, 1], [1, 0], [1, 1]]}
TARGETS = torch.tensor([-1, 1, 1, -1], dtype=torch.float64)

pytestmark = pytest.mark.browser


class Network(torch.nn.Module):
    """2-2-1, or one hidden unit beside the inputs, of PyTorch's own layers in double precision."""

    def __init__(self, skip, w, b, v, c):
        super().__init__()
        self.skip, units = skip, len(b)
        self.hidden, self.output = torch.nn.Linear(2, units), torch.nn.Linear(len(v), 1)
        values = {"hidden.weight": w, "hidden.bias": b, "output.weight": [v], "output.bias": [c]}
        self.double().load_state_dict(
            {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
        )

    def forward(self, points):
        hidden = torch.tanh(self.hidden(points))
        return torch.tanh(self.output(torch.cat([hidden, points], 1) if self.skip else hidden))[:, 0]

    def numbers(self):
        parameters = [parameter.detach().flatten().tolist() for parameter in self.parameters()]
        return [number for parameter in parameters for number in parameter]


def flat(network):
    return [*[x for row in network["w"] for x in row], *network["b"], *network["v"], network["c"]]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What the site puts where the chapter shows the picture, as a page of its own."""
    folder = tmp_path_factory.mktemp("xor")
    shutil.copytree(SCRIPTS, folder / "scripts")
    (folder / "book").mkdir()
    shown = ideas.put_in(
        ROOT, "https://github.com/O/c", f"![A hill.]({ideas.address('https://github.com/O/c')}xor-bend.svg)", "c"
    )
    block = shown.removeprefix("```{raw} html\n").removesuffix("```")
    page = folder / "book" / "page.html"
    page.write_text(f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><body>{block}", encoding="utf-8")
    return page.as_uri()


@pytest.fixture
def visit(browser, place):
    contexts, complaints = [], []

    def visit(width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(place)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def random_network(skip, generator):
    units, reads = (1, 3) if skip else (2, 2)
    shapes = {"w": (units, 2), "b": (units,), "v": (reads,), "c": ()}
    drawn = {n: torch.randn(s, generator=generator, dtype=torch.float64).tolist() for n, s in shapes.items()}
    return {"skip": skip, **drawn}


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("coding", CORNERS)
def test_outputs_losses_and_three_hundred_steps_are_those_of_pytorch(visit, skip, coding):
    page, generator = visit(), torch.Generator().manual_seed(3)
    points = torch.tensor(CORNERS[coding], dtype=torch.float64)
    for _ in range(4):
        drawn = random_network(skip, generator)
        got = page.evaluate(
            "([network, coding]) => { const X = XorNetworks, corners = X.cornersOf(X.CODINGS[coding]);"
            " return {outputs: corners.map(p => X.forward(network, p).output), loss: X.loss(network, corners),"
            " corners, after: X.train(network, corners, 0.1, 300)}; }",
            [drawn, coding],
        )
        model = Network(**drawn)
        assert got["corners"] == CORNERS[coding]
        assert got["outputs"] == pytest.approx(model(points).tolist(), abs=1e-12)
        assert got["loss"] == pytest.approx((model(points) - TARGETS).square().mean().item(), abs=1e-12)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(300):
            optimizer.zero_grad()
            (model(points) - TARGETS).square().mean().backward()
            optimizer.step()
        assert flat(got["after"]) == pytest.approx(model.numbers(), abs=1e-8)


def test_a_fresh_start_is_glorots_with_biases_of_zero_and_the_same_for_one_number(visit):
    starts = visit().evaluate(
        "() => [false, true].map(skip => Array.from({length: 400}, (_, i) => XorNetworks.fresh(skip, i + 1)))"
    )
    for skip, networks in zip((False, True), starts, strict=True):
        for name, ins, outs in (("w", 2, 1 if skip else 2), ("v", 3 if skip else 2, 1)):
            drawn = torch.tensor([network[name] for network in networks]).abs()
            bound = (6 / (ins + outs)) ** 0.5
            assert 0.97 * bound < drawn.max() <= bound and abs(drawn.mean() / bound - 0.5) < 0.03
        assert all(set(network["b"]) == {0} and network["c"] == 0 for network in networks)
    assert visit().evaluate("() => XorNetworks.fresh(true, 7)") == starts[1][6]


def numbers_shown(page):
    return page.locator(".xor-slider output").all_text_contents()


def test_each_number_has_a_slider_with_a_name_and_the_keyboard_moves_it(visit):
    page = visit()
    assert page.locator(".xor-panel").first.locator("input[type=range]").count() == 9
    assert page.locator(".xor-panel").last.locator("input[type=range]").count() == 7
    names = page.locator(".xor-slider input").evaluate_all("all => all.map(input => input.ariaLabel)")
    assert len(set(names)) == 16
    page.locator("summary").first.press("Enter")
    slider = page.get_by_role("slider", name="two hidden units: output, bias")
    before = page.locator(".xor-words").all_text_contents()
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "0.05"
    after = page.locator(".xor-words").all_text_contents()
    assert before[0] != after[0] and before[1] == after[1]


def test_training_lowers_both_losses_is_announced_and_a_new_start_begins_again(visit):
    page = visit()
    losses = "() => document.getElementById('xor-bend').xor.map(p => parseFloat(p.words.textContent.split(' ')[1]))"
    before, first = page.evaluate(losses), numbers_shown(page)
    page.get_by_role("button", name="Train 1,000 steps").press("Enter")
    after = page.evaluate(losses)
    assert all(new < old for old, new in zip(before, after, strict=True))
    assert page.get_by_role("status").inner_text().startswith("After 1,000 steps. two hidden units: loss ")
    page.get_by_role("button", name="Next start").press("Enter")
    assert page.get_by_label("start number").input_value() == "2" and numbers_shown(page) != first
    page.get_by_label("start number").fill("-3")
    page.get_by_label("start number").press("Enter")
    assert page.get_by_label("start number").input_value() == "1" and numbers_shown(page) == first
    page.get_by_role("combobox", name="inputs").select_option("0 and 1")
    assert "(0, 0): " in page.get_by_role("img", name="one and a skip").get_attribute("aria-label")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_its_place_at_every_width(visit, width):
    page = visit(width)
    page.locator("summary").first.click()
    sides = "all => all.map(part => part.getBoundingClientRect().right)"
    assert max(page.locator("#xor-bend, #xor-bend :not(.xor-status)").evaluate_all(sides)) <= width


def test_without_scripts_and_on_paper_the_picture_stands_alone(browser, place, visit):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(place)
    assert page.locator("svg.idea").is_visible() and page.locator("#xor-bend").count() == 0
    context.close()
    page = visit()
    page.emulate_media(media="print")
    assert page.locator("svg.idea").is_visible() and not page.locator("#xor-bend").is_visible()
