"""Evaluation mode for a while."""

from contextlib import contextmanager


@contextmanager
def evaluation_mode(model):
    """Inside the block the model is in evaluation mode; afterwards each module has its own mode back, whatever happened."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield model
    finally:
        for module, training in modes.items():
            module.training = training
