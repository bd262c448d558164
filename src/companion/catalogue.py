"""Where each public name and each data set lives, so that nothing has to be imported to find it.

A new name or set is one line here. It makes no chapter's outputs stale: a notebook depends on `entries_of` the modules that
its run loaded, not on this file.
"""

from collections import namedtuple

NAMES = {  # module of the package: the names that `from companion import ...` offers
    "data": ["load_dataset"],
    "data.ages": ["AGE_GROUPS", "AgedSplit", "age_labels"],
    "data.boston": ["load_boston", "load_diabetes_table"],
    "data.cifar": ["load_cifar10"],
    "data.cifar100": ["SuperclassSplits", "load_cifar100"],
    "data.digits": ["load_digit_rows", "load_digits", "load_photo_digits"],
    "data.faces": ["load_faces", "near_duplicates"],
    "data.files": ["DataError"],
    "data.invented_reviews": ["best_answers", "load_invented_reviews", "synonym_pairs", "word_log_odds"],
    "data.mnist": ["load_mnist"],
    "data.names": ["encode_names", "language_label", "load_names"],
    "data.noise": ["add_noise"],
    "data.permutation": ["inverse_permutation", "permute", "permuted", "pixel_permutation"],
    "data.pima": ["load_pima", "load_tumours"],
    "data.reviews": ["encode_texts", "load_imdb", "read_reviews", "vocabulary", "words"],
    "data.shares": ["training_share"],
    "data.speech": ["load_spoken_digits", "load_tones", "log_mel", "read_recording"],
    "data.splits": ["Split", "Splits", "standardise"],
    "data.tables": ["fill_zeros", "stratified_folds"],
    "data.tokens": ["check_tokens", "shuffle_words"],
    "data.tree_rings": ["load_tree_rings"],
    "data.two_classes": ["SizedSplit", "load_fours_and_nines", "load_planes_and_motorbikes"],
    "models.dense_or_conv": ["conv_net", "dense_net", "same_conv"],
    "models.images": ["conv_block", "small_cnn", "small_gap_cnn", "small_mlp"],
    "models.sequences": ["AttentionPool", "ConvNet", "RecurrentNet", "last_step", "sequence_lengths"],
    "models.squeezenet": ["load_squeezenet", "squeezenet_backbone"],
    "models.text": ["BagOfWords", "keras_norm"],
    "training.augmentation": ["crop_and_flip", "shift_accuracy", "shift_images"],
    "training.batches": ["length_buckets"],
    "training.checkpoints": ["load_checkpoint", "save_checkpoint"],
    "training.engine": ["evaluate", "features", "fit", "pick_device", "predict", "set_up"],
    "training.history": ["History", "TrainingDiverged", "join_histories"],
    "training.likeness": ["psnr", "ssim"],
    "training.metrics": ["absolute_error", "accuracy", "binary_accuracy", "squared_error"],
    "training.one_hot": ["one_hot", "one_hot_accuracy", "one_hot_loss"],
    "training.penalty": ["kernels", "l2_penalty"],
    "training.shrinkage": ["shrink_factor"],
    "training.summaries": ["mean_history", "thin_history"],
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
    "plotting": [
        "GREEN",
        "INK",
        "PALETTE",
        "PLUM",
        "TRAIN",
        "VAL",
        "plot_confusion",
        "plot_history",
        "plot_readings",
        "plot_spread",
        "readings_table",
        "show_images",
        "use_style",
    ],
    "evidence.comparing": ["compare"],
    "evidence.ledger": ["Claim", "load_claims"],
    "evidence.profiles": ["use_full_profile"],
    "evidence.records": ["Record", "Run", "load_record", "record"],
    "evidence.table": ["claims_table"],
    "evidence.verdicts": [
        "Comparison",
        "CountMismatch",
        "Part",
        "Verdict",
        "about_same",
        "check_count",
        "check_metric",
        "check_metric_parts",
        "check_order",
        "judge",
        "larger",
        "placebo",
        "smaller",
    ],
}
MODULE_OF = {name: module for module, names in NAMES.items() for name in names}

Source = namedtuple("Source", "module loader places", defaults=((),))
Source.__doc__ = """Where a data set comes from: its module, its function there, and where it lies in the folder of the data.

Of the places, the first that is there is read; a set without places is embedded: made on the spot.
"""
SETS = {
    "photo_digits": Source("data.digits", "load_photo_digits"),
    "digits": Source("data.digits", "load_digits"),
    "digit_rows": Source("data.digits", "load_digit_rows"),
    "tones": Source("data.speech", "load_tones"),
    "tree_rings": Source("data.tree_rings", "load_tree_rings"),
    "diabetes_table": Source("data.boston", "load_diabetes_table"),
    "tumours": Source("data.pima", "load_tumours"),
    "fours_and_nines": Source("data.two_classes", "load_fours_and_nines"),
    "invented_reviews": Source("data.invented_reviews", "load_invented_reviews"),
    "cifar10": Source("data.cifar", "load_cifar10", ("cifar-10-batches-py", "cifar-10-python.tar.gz")),
    "mnist": Source("data.mnist", "load_mnist", ("MNIST/raw",)),
    "cifar100": Source("data.cifar100", "load_cifar100", ("cifar-100-python", "cifar-100-python.tar.gz")),
    "spoken_digits": Source("data.speech", "load_spoken_digits", ("fsdd/recordings", "fsdd.tar.gz")),
    "names": Source("data.names", "load_names", ("names",)),
    "imdb": Source("data.reviews", "load_imdb", ("aclImdb", "aclImdb_v1.tar.gz")),
    "faces": Source("data.faces", "load_faces", ("UTKFace",)),
    "boston": Source("data.boston", "load_boston", ("tabular/boston_housing.csv", "tabular/housing.data")),
    "pima": Source("data.pima", "load_pima", ("tabular/pima_diabetes.csv", "tabular/pima-indians-diabetes.data.csv")),
    "planes_and_motorbikes": Source(
        "data.two_classes", "load_planes_and_motorbikes", ("caltech101/101_ObjectCategories", "caltech-101.zip")
    ),
}


def entries_of(modules):
    """What this catalogue says of these modules (names without "companion."): all that a run which loaded them saw of it."""
    names = {name: module for name, module in MODULE_OF.items() if module in modules}
    sets = {name: list(source) for name, source in SETS.items() if source.module in modules}
    return {"names": dict(sorted(names.items())), "sets": dict(sorted(sets.items()))}
