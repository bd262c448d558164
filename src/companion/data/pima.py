"""Tests for diabetes among Pima women, and the embedded stand-in: tumours, with holes made by a seed."""

import numpy as np

from companion.data.files import DataError
from companion.data.splits import Splits, check_split, fingerprint
from companion.data.tables import fold_parts, load_table

PIMA_COLUMNS = (
    "pregnancies",
    "glucose",
    "blood pressure",
    "skin thickness",
    "insulin",
    "BMI",
    "pedigree",
    "age",
)
PIMA_NAMES = (
    "Pregnancies",
    "Glucose",
    "BloodPressure",
    "SkinThickness",
    "Insulin",
    "BMI",
    "DiabetesPedigreeFunction",
    "Age",
    "Outcome",
)
PIMA_MEASURED = (1, 2, 3, 4, 5, 6, 7)  # columns in which a zero means "not measured": all but the pregnancies
PIMA_ROWS = 768
PIMA_PLACES = ("tabular/pima_diabetes.csv", "tabular/pima-indians-diabetes.data.csv")
PIMA_URLS = tuple(
    f"https://raw.githubusercontent.com/jbrownlee/Datasets/{ref}/pima-indians-diabetes.data.csv"
    for ref in ("d20fcb6402ae", "master")
)
PIMA_FINGERPRINT = (
    "200257034d5512ae2b547458cfa46047ea60045cd82718a9a334ef2cbce99785"  # 768 rows, 8 columns and the label
)


def load_pima(fold=0, repeat=0, missing="zeros", root=None):
    """Pima Indians Diabetes (1988): 8 columns of 768 women (N, 8), and whether diabetes was found, 0 or 1 (N,).

    Fold number `fold` of five, with the same share of each class as near as can be, is for validation; `repeat` is the seed of
    the folds. In all columns but the pregnancies a zero means "not measured"; `missing` says what becomes of it, see
    `fill_zeros`. Nothing is scaled: see `standardise`. Reads `tabular/pima_diabetes.csv` or
    `tabular/pima-indians-diabetes.data.csv` below `root`; downloads the second when neither is there. Raises `DataError`.
    """
    table, source = load_table("pima", PIMA_PLACES, PIMA_URLS, PIMA_NAMES, PIMA_ROWS, PIMA_FINGERPRINT, root)
    return _splits(
        table[:, :-1],
        whole_labels(table[:, -1]),
        (fold, repeat, missing),
        PIMA_MEASURED,
        columns=PIMA_COLUMNS,
        name="Pima diabetes",
        fingerprint=PIMA_FINGERPRINT,
        source=source,
    )


def whole_labels(values):
    """The labels (N,) as whole numbers. Raises DataError, naming the row, on one that is neither 0 nor 1."""
    values = np.asarray(values)
    strange = np.flatnonzero((values != 0) & (values != 1))
    if len(strange):
        raise DataError(f"A label is 0 or 1, and row {strange[0] + 1} has {values[strange[0]]:g}.")
    return values.astype(np.int64)


def load_tumours(fold=0, repeat=0, missing="zeros", holes=0.3, seed=0):
    """scikit-learn's breast cancer table: 8 measures of 569 tumours (N, 8), and whether they were malignant, 0 or 1 (N,).

    The stand-in for Pima: in each column but the first, a share `holes` of the cells, drawn by `seed`, was set to 0, "not
    measured". So here holes fall at random. The columns are the first eight means of the original. `fold`, `repeat` and
    `missing` as in `load_pima`.
    """
    from sklearn.datasets import load_breast_cancer

    check_split(seed)
    if not 0 <= holes <= 1:
        raise DataError(f"holes is the share of the cells that are set to 0, from 0 to 1, not {holes!r}.")
    bunch = load_breast_cancer()
    table, labels = np.array(bunch.data[:, :8], np.float64), 1 - np.asarray(bunch.target, np.int64)
    table = np.maximum(table, 1e-3)  # a few measures are true zeros, and a zero is to mean "not measured" alone
    table[:, 1:][np.random.RandomState(seed).random_sample((len(table), 7)) < holes] = 0
    return _splits(
        table,
        labels,
        (fold, repeat, missing),
        tuple(range(1, 8)),
        columns=tuple(map(str, bunch.feature_names[:8])),
        name="tumours with holes",
        fingerprint=fingerprint(table, labels),
        source="scikit-learn's load_breast_cancer, with holes",
    )


def _splits(table, labels, choice, measured, *, columns, **what):
    train, val = fold_parts(table, labels, *choice, measured, columns)
    return Splits(train=train, val=val, classes=("no", "yes"), columns=columns, **what)
