"""The playgrounds for dropout, convolution and augmentation, in a real browser, against PyTorch and the package."""

import random
import re
import shutil

import pytest
import torch
import torch.nn.functional as F
from axe_playwright_python.sync_playwright import Axe
from books import ROOT

from companion import load_claims, shift_images
from companion.publish.pages import ideas
from companion.publish.project import repository

pytestmark = pytest.mark.browser
WHERE = {"dropout-masks": "dropout", "vgg-convolution": "vgg-parameters", "augmentation": "augmentation"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("playgrounds")
    shutil.copytree(ROOT / "book" / "scripts", made / "scripts")
    (made / "book").mkdir()
    style = "".join(
        (ROOT / "book" / "static" / f"{name}.css").read_text(encoding="utf-8") for name in ("custom", "form")
    )
    head = '<!doctype html><html lang=en data-theme=light><meta charset=utf-8><meta name=viewport content="width=device-width"><title>t</title>'
    for picture, chapter in WHERE.items():
        source = (ROOT / "book" / f"{chapter}.md").read_text(encoding="utf-8")
        (shown,) = re.findall(rf"^!\[.*/{picture}\.svg\)$", source, re.M)
        block = (
            ideas.put_in(ROOT, repository(ROOT), shown, chapter).removeprefix("```{raw} html\n").removesuffix("\n```")
        )
        page = f"{head}<style>{style}</style><body><main><h1>t</h1>{block}</main>"
        (made / "book" / f"{picture}.html").write_text(page, encoding="utf-8")
    return made


@pytest.fixture
def visit(browser, folder):
    contexts, complaints = [], []

    def visit(picture, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((folder / "book" / f"{picture}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def choose(page, **wanted):
    for name, value in wanted.items():
        page.locator(f"[data-name={name}]").fill(str(value))


def words(page):
    return page.locator(".explorable-words").inner_text()


def test_dropout_does_with_a_mask_what_pytorch_does(visit):
    page = visit("dropout-masks")
    for seed, rate in enumerate((0.0, 0.1, 0.5, 0.9)):
        torch.manual_seed(seed)
        kept = F.dropout(torch.ones(20, dtype=torch.float64), rate) > 0
        torch.manual_seed(seed)
        values = torch.linspace(-2, 3, 20, dtype=torch.float64)
        torch.manual_seed(seed)
        wanted = F.dropout(values, rate)
        found = page.evaluate("([v, k, r]) => DropoutMasks.apply(v, k, r)", [values.tolist(), kept.tolist(), rate])
        assert found == pytest.approx(wanted.tolist(), rel=1e-12)


def test_a_mask_keeps_each_unit_with_the_stated_probability(visit):
    page = visit("dropout-masks")
    share = page.evaluate("DropoutMasks.mask(200000, 0.3, Math.random).filter(Boolean).length / 200000")
    assert share == pytest.approx(0.7, abs=0.006)  # five standard deviations


def test_dropout_shows_the_drawing_s_own_masks_first_and_then_draws_others(visit):
    page = visit("dropout-masks")
    first = words(page)
    assert first.startswith("4 of 8 units are off") and "Over 2 masks" in first
    page.get_by_role("button", name="100 masks").click()
    assert "Over 102 masks" in words(page)
    choose(page, rate=0)
    assert words(page).startswith("0 of 8 units are off") and "1.00 to 1.00" in words(page)


def test_a_kernel_reads_what_pytorch_reads_and_the_output_has_its_size(visit):
    page, rng = visit("vgg-convolution"), random.Random(1)
    for _ in range(60):
        n, k, s, p = rng.randint(4, 32), rng.randint(1, 7), rng.randint(1, 4), rng.randint(0, 3)
        picture = torch.ones(1, 1, n, n, requires_grad=True)
        if n + 2 * p < k:
            assert page.evaluate("a => Convolution.side(...a)", [n, k, s, p]) == 0
            continue
        output = F.conv2d(picture, torch.ones(1, 1, k, k), stride=s, padding=p)
        output.sum().backward()
        assert page.evaluate("a => Convolution.side(...a)", [n, k, s, p]) == output.shape[-1]
        counts = page.evaluate("a => Convolution.reads(...a)", [n, k, s, p])
        assert [[a * b for b in counts] for a in counts] == picture.grad[0, 0].int().tolist()
        assert page.evaluate("a => Convolution.unread(...a)", [n, k, s, p]) == int((picture.grad == 0).sum())


def test_the_alexnet_that_skips_pixels_is_one_click_away(visit):
    page = visit("vgg-convolution")
    assert "8 × 8 places" in words(page) and "Every pixel is read" in words(page)
    page.get_by_role("button", name="AlexNet").click()
    picture = torch.ones(1, 1, 32, 32, requires_grad=True)
    F.conv2d(picture, torch.ones(1, 1, 3, 3), stride=4).sum().backward()
    assert int((picture.grad == 0).sum()) == load_claims()["E-alexnet-unread"].correct
    assert f"{int((picture.grad == 0).sum())} of 1024 pixels are never read" in words(page)
    choose(page, input=4, kernel=7, padding=0)
    assert "does not fit" in words(page)


def test_a_moved_picture_is_what_the_package_moves(visit):
    page, rng = visit("augmentation"), random.Random(2)
    rows = torch.randint(0, 9, (7, 9), generator=torch.Generator().manual_seed(0))
    for _ in range(20):
        right, down = rng.randint(-8, 8), rng.randint(-8, 8)
        found = page.evaluate("([r, x, y]) => Moves.shifted(r, x, y)", [rows.tolist(), right, down])
        assert found == shift_images(rows, right, down).tolist()
    assert page.evaluate("r => Moves.mirrored(r)", rows.tolist()) == rows.flip(-1).tolist()


def test_the_boat_that_is_moved_back_is_the_boat(visit):
    page = visit("augmentation")
    shown = "all => all.map(r => r.dataset.value).join('')"
    before = page.eval_on_selector_all(".explorable-grid rect", shown)
    choose(page, right=3)
    assert page.eval_on_selector_all(".explorable-grid rect", shown) != before
    choose(page, right=0)
    assert page.eval_on_selector_all(".explorable-grid rect", shown) == before and "144 of 144" in words(page)


@pytest.mark.parametrize("picture", WHERE)
def test_a_playground_fits_a_phone_works_by_keyboard_and_axe_finds_nothing(picture, visit):
    page = visit(picture, viewport={"width": 358, "height": 800})
    wide = "all => all.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    assert page.eval_on_selector_all("body *", wide) == []
    before = words(page)
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert words(page) != before
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("picture", WHERE)
def test_without_scripts_the_drawing_stands_alone(picture, visit):
    page = visit(picture, java_script_enabled=False)
    assert page.get_by_role("img").is_visible() and page.locator("input").count() == 0
