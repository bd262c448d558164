"""Tables as text: how they are read and checked, and how their rows are cut into parts."""

import numpy as np
import torch

from companion.data.files import (
    DataError,
    damaged_file,
    data_folder,
    download_and_read,
    first_there,
    read_file,
    verify_fingerprint,
)
from companion.data.splits import Split, check_split, fingerprint, is_whole


def read_table(content, columns, rows):
    """The numbers (rows, columns) of a table in bytes: cells parted by commas or blanks, with or without a line of names.

    Raises ValueError, naming the place, on names that are not `columns` in their order (capitals do not matter), on another
    number of rows or columns, and on a cell that is no finite number.
    """
    lines = [line for line in content.decode("utf-8-sig", "replace").splitlines() if line.strip()]
    cells = [[cell.strip() for cell in (line.split(",") if "," in line else line.split())] for line in lines]
    if cells and not any(map(_is_number, cells[0])):
        names = cells.pop(0)
        if [name.lower() for name in names] != [name.lower() for name in columns]:
            raise ValueError(f"its columns are {', '.join(names)}, not {', '.join(columns)} in this order")
    if len(cells) != rows:
        raise ValueError(f"it has {len(cells):,} rows, not {rows:,}")
    for number, row in enumerate(cells, start=1):
        if len(row) != len(columns):
            raise ValueError(f"row {number} has {len(row)} cells, not {len(columns)}")
        for name, cell in zip(columns, row, strict=True):
            if not _is_number(cell) or not np.isfinite(float(cell)):
                raise ValueError(f"row {number} holds {cell or 'nothing'!r} under {name}, no finite number")
    return np.array(cells, dtype=np.float64)


def _is_number(cell):
    try:
        return float(cell) is not None
    except ValueError:
        return False


def load_table(dataset, places, urls, columns, rows, expected, root=None):
    """The numbers (rows, columns) of a known table, and its file's name.

    Reads the first of `places` that is there below `root`; downloads the last one when none is. Raises DataError where it is
    damaged, or is not the table with the fingerprint `expected`.
    """
    folder = data_folder(root)
    found = first_there(folder, places)
    path = folder / (found or places[-1])

    def read():
        try:
            table = read_table(read_file(path, dataset), columns, rows)
        except ValueError as error:
            raise damaged_file(path.name, dataset, error) from error
        verify_fingerprint(expected, fingerprint(table), f"file {path.name}", dataset)
        return table

    return (read() if found else download_and_read(urls, path, read)), f"file {path.name}"


def rows_of(split, count, held_out):
    """Row numbers for training and for the test: the last `held_out` of a permutation of `count` rows, whose seed is `split`."""
    check_split(split)
    order = np.random.RandomState(split).permutation(count)
    return order[: count - held_out], order[count - held_out :]


def part(inputs, targets):
    """Rows of a table as a split: floats of 32 bits, and whole numbers as classes."""
    targets = torch.tensor(targets)
    return Split(torch.tensor(inputs, dtype=torch.float32), targets.float() if targets.is_floating_point() else targets)


def stratified_folds(labels, folds=5, repeat=0):
    """The number of the fold, 0 to folds - 1, of each row (N,): each class is spread over the folds as evenly as can be.

    `repeat` is the seed of the shuffling. Raises DataError on fewer rows of a class than folds: a fold would be without it.
    """
    check_split(repeat)
    labels, numbers = np.asarray(labels), np.empty(len(labels), np.int64)
    random, start = np.random.RandomState(repeat), 0
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        if len(rows) < folds:
            raise DataError(f"{folds} folds need {folds} rows of each class, and class {label} has {len(rows)}.")
        numbers[rows] = (start + np.arange(len(rows))) % folds
        start += len(rows)
    return numbers


MISSING = ("zeros", "mean", "mean-before-split", "class-mean")


def fill_zeros(table, labels, train, missing, columns, names):
    """A copy of the table (N, F) in which the zeros of these columns, which mean "not measured", are filled in.

    `missing` says with what: "zeros" leaves them; "mean" is the mean of what was measured in the training rows `train`;
    "mean-before-split" that of all rows; and "class-mean" that of all rows of the row's own class, which writes the label into
    the inputs. Raises DataError where a column has nothing to take the mean of.
    """
    if missing not in MISSING:
        raise DataError(f"missing is one of {', '.join(map(repr, MISSING))}, not {missing!r}.")
    filled = np.array(table, dtype=np.float64)
    if missing == "zeros":
        return filled
    labels = np.asarray(labels)
    everywhere = np.ones(len(filled), bool)
    groups = [labels == label for label in np.unique(labels)] if missing == "class-mean" else [everywhere]
    for column in columns:
        holes = table[:, column] == 0
        for group in groups:
            sources = group & ~holes
            if missing == "mean":
                sources = sources & np.isin(np.arange(len(filled)), train)
            if not sources.any():
                raise DataError(
                    f"{names[column]} is 0, that is not measured, in all rows that its mean would be taken of: "
                    "there is no such mean, so leave the column out."
                )
            filled[group & holes, column] = table[sources, column].mean()
    return filled


def fold_parts(table, labels, fold, repeat, missing, columns, names):
    """The two parts, (training, held out), of one fold of five, with the holes filled in."""
    if not is_whole(fold) or fold not in range(5):
        raise DataError(f"fold is the number of the fold that is held out: 0 to 4, not {fold!r}.")
    held_out = stratified_folds(labels, 5, repeat) == fold
    train, val = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    filled = fill_zeros(table, labels, train, missing, columns, names)
    return [part(filled[rows], labels[rows]) for rows in (train, val)]
