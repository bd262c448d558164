"""House prices in Boston, and the embedded stand-in: the course of a disease over a year."""

import numpy as np

from companion.data.files import DataError
from companion.data.splits import Splits, fingerprint
from companion.data.tables import load_table, part, rows_of

BOSTON_COLUMNS = ("CRIM", "ZN", "INDUS", "CHAS", "NOX", "RM", "AGE", "DIS", "RAD", "TAX", "PTRATIO", "B", "LSTAT")
BOSTON_PRICE = "MEDV"
BOSTON_ROWS = 506
BOSTON_PLACES = ("tabular/boston_housing.csv", "tabular/housing.data")
BOSTON_URLS = tuple(
    f"https://raw.githubusercontent.com/jbrownlee/Datasets/{ref}/housing.data" for ref in ("d20fcb6402ae", "master")
)
BOSTON_FINGERPRINT = (
    "7a72669ad819c9a6c39b790c19b9acbb42f706ccefd66ba616f229154f7a49c0"  # 506 rows, 13 columns and the price
)


def load_boston(split="keras", root=None):
    """Boston housing (1970): 13 columns of 506 census tracts (N, 13), and the median price of a house in $1000, (N, 1).

    One of the columns, B, is computed from the share of Black residents, as if race were a property of houses. That is why
    libraries no longer ship this set; it is here because a report uses it, and the chapter that does leaves the column out, too.

    The last fifth (102 rows) of a permutation is for the test, here called `val`. `split` is "keras" for the split that Keras
    makes by default, or a whole number, the seed of another permutation. Nothing is scaled: see `standardise`. Reads
    `tabular/boston_housing.csv` or `tabular/housing.data` below `root`; downloads the second when neither is there. Raises
    `DataError`.
    """
    if split == "keras":
        order = np.arange(BOSTON_ROWS)
        np.random.RandomState(113).shuffle(order)
        train, test = order[:404], order[404:]
    elif isinstance(split, str):
        raise DataError(f"split is 'keras' or a whole number, the seed of a split: 0, 1, 2, ..., not {split!r}.")
    else:
        train, test = rows_of(split, BOSTON_ROWS, 102)
    columns = (*BOSTON_COLUMNS, BOSTON_PRICE)
    table, source = load_table("boston", BOSTON_PLACES, BOSTON_URLS, columns, BOSTON_ROWS, BOSTON_FINGERPRINT, root)
    inputs, prices = table[:, :-1], table[:, -1:]
    return Splits(
        train=part(inputs[train], prices[train]),
        val=part(inputs[test], prices[test]),
        name="Boston housing",
        fingerprint=BOSTON_FINGERPRINT,
        source=source,
        columns=BOSTON_COLUMNS,
    )


def load_diabetes_table(split=0):
    """scikit-learn's diabetes table: 10 columns of 442 patients, unscaled (N, 10), and the disease a year later (N, 1).

    The stand-in for Boston housing. The target is a score from 25 to 346. `split` is the seed of the permutation whose last 88
    rows are for the test, here called `val`.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    inputs, scores = np.asarray(bunch.data, np.float64), np.asarray(bunch.target, np.float64)[:, None]
    train, test = rows_of(split, len(inputs), 88)
    return Splits(
        train=part(inputs[train], scores[train]),
        val=part(inputs[test], scores[test]),
        name="diabetes table",
        fingerprint=fingerprint(inputs, scores),
        source="scikit-learn's load_diabetes",
        columns=tuple(bunch.feature_names),
    )
