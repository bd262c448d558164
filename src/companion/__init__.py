"""Helpers of the course companion: data, small networks, training, counting, plots, and the comparison with the reports.

Importing the package is fast: each name is looked up in its module when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "data": [
        "DataError",
        "Split",
        "Splits",
        "load_cifar10",
        "load_dataset",
        "load_digits",
        "load_mnist",
        "load_photo_digits",
    ],
    "sequences": [
        "encode_names",
        "encode_texts",
        "language_label",
        "load_digit_rows",
        "load_imdb",
        "load_names",
        "load_spoken_digits",
        "load_tones",
        "log_mel",
        "read_recording",
        "vocabulary",
        "words",
    ],
    "faces": [
        "AGE_GROUPS",
        "AgedSplit",
        "age_labels",
        "features",
        "load_faces",
        "load_squeezenet",
        "load_tree_rings",
        "near_duplicates",
        "squeezenet_backbone",
    ],
    "models": [
        "AttentionPool",
        "ConvNet",
        "RecurrentNet",
        "conv_block",
        "last_step",
        "sequence_lengths",
        "small_cnn",
        "small_gap_cnn",
        "small_mlp",
    ],
    "training": [
        "History",
        "TrainingDiverged",
        "crop_and_flip",
        "evaluate",
        "fit",
        "join_histories",
        "length_buckets",
        "pick_device",
        "set_up",
        "shift_accuracy",
        "shift_images",
    ],
    "counting": [
        "LayerRow",
        "LayerTable",
        "ParameterCount",
        "batchnorm_parameters",
        "conv_parameters",
        "count_parameters",
        "embedding_parameters",
        "gru_parameters",
        "layer_table",
        "linear_parameters",
        "lstm_parameters",
    ],
    "plotting": ["plot_confusion", "plot_history", "plot_spread", "show_images", "use_style"],
    "claims": [
        *[
            "Claim",
            "Comparison",
            "CountMismatch",
            "Verdict",
            "about_same",
            "check_count",
            "check_metric",
            "check_metric_parts",
            "check_order",
        ],
        *["claims_table", "judge", "larger", "load_claims", "smaller"],
    ],
    "profiles": ["use_full_profile"],
    "records": ["Record", "Run", "load_record", "record"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        return getattr(import_module(f"companion.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'companion' has no attribute {name!r}")


def __dir__():
    return __all__
