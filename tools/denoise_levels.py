"""Make the drawing of the chapter on the denoising autoencoder, and the pictures that its slider shows, from the chapter's record.

Writes book/static/ideas/denoising-autoencoder.svg and book/scripts/denoise-levels.js.
"""

import json
from pathlib import Path

import numpy as np

from companion import load_record
from companion.publish import project

ROOT = Path(__file__).parent.parent
DRAWING = ROOT / "book" / "static" / "ideas" / "denoising-autoencoder.svg"
DATA = ROOT / "book" / "scripts" / "denoise-levels.js"
SIGNS = "".join(map(chr, range(48, 112)))  # "0" is black, "o" white: one sign for each of 64 greys
LEVELS, DIGITS = 11, 3


def runs():
    """{"denoise": …, "no bottleneck": …}: the extras of the recorded runs that were asked at each level of noise."""
    found = {
        run.setting["network"]: run.extras
        for run in load_record("denoising-autoencoder").runs
        if "level_psnr" in run.extras
    }
    return {name: found[name] for name in ("denoise", "no bottleneck")}


def greys(numbers):
    """Pictures (N, 28, 28) of whole numbers from 0 to 63, of what the page's `as_grey` packed."""
    unpacked = np.reshape(numbers, (-1, 262, 1)).astype(int) // 64 ** np.arange(3) % 64
    return unpacked.reshape(-1, 786)[:, :784].reshape(-1, 28, 28)


def signs(pictures):
    """{level: {digit: its picture as 784 signs}} as nested lists."""
    rows = ["".join(SIGNS[grey] for grey in picture.ravel()) for picture in pictures]
    return [rows[at : at + DIGITS] for at in range(0, LEVELS * DIGITS, DIGITS)]


def data():
    """What the slider shows, as a script."""
    found = runs()
    content = {
        "inputs": signs(greys(found["denoise"]["level_inputs"])),
        "outputs": {name: signs(greys(extras["level_outputs"])) for name, extras in found.items()},
        "psnr": {name: [round(value, 1) for value in extras["level_psnr"]] for name, extras in found.items()},
    }
    text = json.dumps(content, ensure_ascii=True)
    return f"/* Pictures and PSNR of recorded networks at noise of 0, 0.1, … 1; made by tools/denoise_levels.py. */\nwindow.DenoiseLevels = {text};\n"


def drawing():
    """A noisy digit, its code and what is drawn from it again, as an SVG."""
    extras = runs()["denoise"]
    level = 5  # a standard deviation of 0.5
    noisy, drawn = (greys(extras[f"level_{side}"])[level * DIGITS] for side in ("inputs", "outputs"))
    code = np.reshape(extras["level_codes"], (LEVELS, DIGITS, 4, 4))[level, 0]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 380 176" font-family="sans-serif">',
        "<title>A denoising autoencoder</title>",
        "<desc>A noisy digit, its code of four by four numbers as squares, and the digit that the network draws from the code: a blurred one.</desc>",
        '<rect width="380" height="176" fill="var(--idea-paper,#ffffff)"/>',
    ]
    for x, words in ((8, "noisy digit"), (154, "its code"), (260, "drawn again")):
        parts.append(
            f'<text x="{x}" y="22" font-size="14" fill="var(--idea-ink,#1b1b1b)" font-weight="600">{words}</text>'
        )
    parts += squares(noisy / 63, 8, 34, 4) + squares(code / code.max(), 154, 58, 16) + squares(drawn / 63, 260, 34, 4)
    for x in (124, 230):
        parts.append(
            f'<path d="M{x} 90h18m-5 -5l5 5l-5 5" stroke="var(--idea-ink,#1b1b1b)" stroke-width="1.8" fill="none"/>'
        )
    for x, words in ((8, "28 × 28"), (154, "4 × 4 numbers"), (260, "28 × 28")):
        parts.append(f'<text x="{x}" y="166" font-size="13" fill="var(--idea-ink,#1b1b1b)">{words}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def squares(picture, left, top, side, shades=6):
    """A picture from 0 (black) to 1 as paths, one for each of a few greys."""
    height, width = picture.shape
    edge = f'width="{width * side}" height="{height * side}"'
    parts = [f'<rect x="{left}" y="{top}" {edge} fill="var(--idea-ink,#1b1b1b)"/>']
    steps = np.rint(picture * (shades - 1)).astype(int)
    for shade in range(1, shades):
        moves = "".join(
            f"M{left + x * side} {top + y * side}h{side}v{side}h-{side}z" for y, x in np.argwhere(steps == shade)
        )
        if moves:
            parts.append(
                f'<path d="{moves}" fill="var(--idea-paper,#ffffff)" fill-opacity="{shade / (shades - 1):.1f}"/>'
            )
    parts.append(f'<rect x="{left}" y="{top}" {edge} fill="none" stroke="var(--idea-ink,#1b1b1b)"/>')
    return parts


if __name__ == "__main__":
    project.write_whole(DRAWING, drawing())
    project.write_whole(DATA, data())
