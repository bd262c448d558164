"""What the tests of training share: random pictures of three classes, two small networks, and one call of `fit`."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from companion.data.splits import Split, Splits
from companion.models.images import small_cnn
from companion.training.engine import fit

N_TRAIN, N_VAL, BATCH = 70, 41, 32  # both sets end in a short batch: 70 = 32 + 32 + 6, 41 = 32 + 9


def make_split(count, seed):
    """Random small pictures of three classes, brighter from class to class so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    images = torch.randint(0, 128, (count, 3, 8, 8), generator=generator) + 60 * labels.view(-1, 1, 1, 1)
    return Split(images.to(torch.uint8), labels)


def splits_of(train, val):
    """The two parts as a data set without a name."""
    return Splits(train=train, val=val, test=None, classes=(), name="", fingerprint="", source="")


def make_splits():
    return splits_of(make_split(N_TRAIN, 1), make_split(N_VAL, 2))


def make_mlp(dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(192, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))


def make_cnn(dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return small_cnn((4, 5), 6, dropout, num_classes=3, image_size=8)


def run(model, splits, *, epochs=2, lr=0.05, loss_fn=cross_entropy, seed=0, **options):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return fit(
        model, splits, epochs=epochs, batch_size=BATCH, optimizer=optimizer, loss_fn=loss_fn, seed=seed, **options
    )


def floats(images):
    return (images.float() - 127.5) / 127.5


def same_weights(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def full_batch(model, split):
    """Loss and accuracy in evaluation mode in one batch, by the formulas."""
    model.eval()
    with torch.no_grad():
        log_p = model(floats(split.images)).log_softmax(1)
    picked = log_p[torch.arange(len(split)), split.labels]
    return -picked.mean().item(), (log_p.argmax(1) == split.labels).double().mean().item()


def random_images(count, size=8, seed=0):
    return torch.randint(256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
