"""Counts what a network holds and does: parameters, buffers, bytes, activations and multiply-adds, in all and per layer."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

# ------------------------------------------------------------------------------------------------------- by formula


def conv_parameters(in_channels, out_channels, kernel_size, bias=True, groups=1):
    """Weights and biases of a convolution; `kernel_size` is the side of a square, or a tuple with all its sides.

    Each of the `out_channels` filters covers all input channels of its group and has one bias. Stride, padding and
    dilation do not matter: they move the filter, or spread it, and add no weights.
    """
    sides = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
    return (math.prod(sides) * (in_channels // groups) + bias) * out_channels


def linear_parameters(in_features, out_features, bias=True):
    """Weights and biases of a fully connected layer: each output has one weight per input, and one bias."""
    return (in_features + bias) * out_features


def batchnorm_parameters(num_features, affine=True):
    """Scale and shift of each channel. The running mean and variance are buffers and are not counted here."""
    return 2 * num_features if affine else 0


def embedding_parameters(num_embeddings, embedding_dim):
    """One vector per word of the vocabulary."""
    return num_embeddings * embedding_dim


def lstm_parameters(input_size, hidden_size, num_layers=1, bias=True, bidirectional=False):
    """Weights and biases of an LSTM: four gates, each with two bias vectors, as PyTorch keeps them."""
    return _recurrent_parameters(4, input_size, hidden_size, num_layers, bias, bidirectional)


def gru_parameters(input_size, hidden_size, num_layers=1, bias=True, bidirectional=False):
    """Weights and biases of a GRU: three gates, each with two bias vectors, as PyTorch keeps them."""
    return _recurrent_parameters(3, input_size, hidden_size, num_layers, bias, bidirectional)


def _recurrent_parameters(gates, input_size, hidden_size, num_layers, bias, bidirectional):
    directions = 2 if bidirectional else 1
    inputs = [input_size] + [directions * hidden_size] * (num_layers - 1)  # deeper layers read both directions below
    return sum(directions * gates * (size + hidden_size + 2 * bias) * hidden_size for size in inputs)


# ------------------------------------------------------------------------------------------------------- by PyTorch


@dataclass(frozen=True)
class ParameterCount:
    """How many numbers a module holds, and the bytes that they take.

    `trainable` parameters receive gradients, `frozen` ones (`requires_grad=False`) do not. `buffers` are state that
    moves without gradients, such as batch normalisation's running averages: PyTorch does not call them parameters
    (Keras calls them non-trainable ones), so `total` leaves them out. `bytes` covers parameters and buffers, each in
    its own number format: what the module occupies, and nearly what `torch.save` writes.
    """

    trainable: int = 0
    frozen: int = 0
    buffers: int = 0
    bytes: int = 0

    @property
    def total(self):
        """All parameters, trained or frozen."""
        return self.trainable + self.frozen

    def __add__(self, other):
        return ParameterCount(
            self.trainable + other.trainable,
            self.frozen + other.frozen,
            self.buffers + other.buffers,
            self.bytes + other.bytes,
        )


def count_parameters(model):
    """The `ParameterCount` of any module, on any device; a tensor used in several places counts once.

    Raises ValueError for a lazy module that has not seen its first batch: its shapes are not known yet.
    """
    return _count(list(model.parameters()), list(model.buffers()))


def _count(parameters, buffers):
    return ParameterCount(
        trainable=sum(p.numel() for p in parameters if p.requires_grad),
        frozen=sum(p.numel() for p in parameters if not p.requires_grad),
        buffers=sum(b.numel() for b in buffers),
        bytes=sum(t.numel() * t.element_size() for t in [*parameters, *buffers]),
    )


# -------------------------------------------------------------------------------------------------- layer by layer


@dataclass(frozen=True)
class LayerRow:
    """One use of one layer.

    `output_shape` is that of its first output tensor for a batch of one, without the batch, or None if the layer never
    ran. `formula` gives the parameters with their digits. `activations` are the numbers that the output adds to memory:
    zero for a layer that writes in place or only reshapes. `multiply_adds` counts the products of weights and inputs in
    convolutions, fully connected and recurrent layers, and is zero for all others.
    """

    name: str
    kind: str
    output_shape: tuple | None
    count: ParameterCount
    formula: str
    activations: int
    multiply_adds: int

    @property
    def parameters(self):
        return self.count.total


@dataclass(frozen=True)
class LayerTable:
    """The `LayerRow`s of a network in the order in which they ran; it iterates over them and shows itself as a table."""

    rows: tuple

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    @property
    def count(self):
        """The `ParameterCount` of the whole network: the rows add up to it."""
        return sum((row.count for row in self.rows), ParameterCount())

    @property
    def activations(self):
        return sum(row.activations for row in self.rows)

    @property
    def multiply_adds(self):
        return sum(row.multiply_adds for row in self.rows)

    def to_frame(self):
        """The table with a last line of totals, as a pandas DataFrame of texts."""
        import pandas as pd

        lines = [
            (r.name, r.kind, _shape(r.output_shape), r.formula, r.parameters, r.activations, r.multiply_adds)
            for r in self.rows
        ]
        lines.append(("total", "", "", "", self.count.total, self.activations, self.multiply_adds))
        columns = ["name", "layer", "output", "formula", "parameters", "activations", "multiply-adds"]
        return pd.DataFrame([(*line[:4], *(f"{n:,}" for n in line[4:])) for line in lines], columns=columns)

    def __repr__(self):
        return self.to_frame().to_string(index=False)

    def _repr_html_(self):
        return self.to_frame().to_html(index=False, border=0)


def layer_table(model, input_size, dtype=None):
    """What each layer of the model holds and does for one input of shape `input_size` (without the batch).

    The model sees a batch of one, all zeros, in evaluation mode and on its own device, and is left as it was. On the
    "meta" device nothing is computed and nothing stored: `with torch.device("meta"): model = ...` is enough to count
    a large network. `dtype` is the number format of the input, by default the model's own; an embedding wants
    `torch.long`.

    A layer has one row each time it runs; weights that an earlier row has counted are not counted again, so the columns
    add up. Parameters of modules that never ran come last. Only layers without children have activations and
    multiply-adds: what a module computes beyond them (additions, attention) is not seen.
    """
    names = {module: name for name, module in model.named_modules()}
    modes = {module: module.training for module in names}
    rows, first_use = [], {}  # the module that first used a tensor

    def add_row(module, inputs=(), output=None):
        parameters = [p for p in module.parameters(recurse=False) if p not in first_use]
        buffers = [b for b in module.buffers(recurse=False) if b not in first_use]
        counted_in = {names[first_use[p]] for p in module.parameters(recurse=False) if p in first_use}
        first_use.update((t, module) for t in [*parameters, *buffers])
        output = _first_tensor(output)
        is_leaf = output is not None and not any(module.children())
        rows.append(
            LayerRow(
                name=names[module],
                kind=type(module).__name__,
                output_shape=None if output is None else tuple(output.shape[1:]),
                count=_count(parameters, buffers),
                formula=_shared_formula(parameters, counted_in) if counted_in else _formula(module),
                activations=output.numel() if is_leaf and not _same_memory(inputs, output) else 0,
                multiply_adds=_multiply_adds(module, inputs, output) if is_leaf else 0,
            )
        )

    holders = [m for m in names if not any(m.children()) or any(True for _ in m.parameters(recurse=False))]
    handles = [module.register_forward_hook(add_row) for module in holders]
    device, own_dtype = _device_and_dtype(model)
    try:
        model.eval()
        with torch.no_grad():
            model(torch.zeros(1, *input_size, device=device, dtype=dtype or own_dtype))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    for module in names:
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        if any(t not in first_use for t in own):
            add_row(module)
    return LayerTable(tuple(rows))


def _device_and_dtype(model):
    floats = [p for p in [*model.parameters(), *model.buffers()] if p.is_floating_point()]
    return (floats[0].device, floats[0].dtype) if floats else (None, None)


def _first_tensor(output):
    while isinstance(output, tuple | list):
        output = output[0]
    return output if isinstance(output, torch.Tensor) else None


def _same_memory(inputs, output):
    """Whether the output lies in the memory of an input: written in place, or the same numbers in another shape."""
    memory = output.untyped_storage()._cdata
    return any(isinstance(x, torch.Tensor) and x.untyped_storage()._cdata == memory for x in inputs)


def _multiply_adds(module, inputs, output):
    """Each weight is used once at each position: of the output, or of the input when a convolution is transposed."""
    if isinstance(module, _ConvNd):
        image = inputs[0] if isinstance(module, _ConvTransposeNd) else output
        return module.weight.numel() * math.prod(image.shape[2:])
    if isinstance(module, nn.Linear | nn.RNNBase):
        weights = sum(p.numel() for p in module.parameters() if p.dim() == 2)
        return weights * (output.numel() // output.shape[-1])
    return 0


def _formula(module):
    """The module's own parameters as a formula with digits, such as (3·3·64 + 1)·128; empty if it has none."""
    if isinstance(module, _ConvNd) and not isinstance(module, _ConvTransposeNd):
        of_one_filter = "·".join(str(n) for n in [*module.kernel_size, module.in_channels // module.groups])
        return _per_output(of_one_filter, module.out_channels, module.bias)
    if isinstance(module, nn.Linear):
        return _per_output(module.in_features, module.out_features, module.bias)
    if isinstance(module, _BatchNorm):
        return f"2·{module.num_features}" if module.affine else ""
    if isinstance(module, nn.LSTM | nn.GRU) and not module.proj_size:
        return _recurrent_formula(module)
    return _shapes_formula(module.parameters(recurse=False))


def _shapes_formula(parameters):
    return " + ".join("·".join(str(n) for n in p.shape) or "1" for p in parameters)


def _shared_formula(parameters, counted_in):
    elsewhere = f"counted in {', '.join(sorted(counted_in))}"
    return f"{_shapes_formula(parameters)} (rest {elsewhere})" if parameters else elsewhere


def _per_output(weights, outputs, bias):
    return f"{weights}·{outputs}" if bias is None else f"({weights} + 1)·{outputs}"


def _recurrent_formula(module):
    gates = 4 if isinstance(module, nn.LSTM) else 3
    factor = f"2·{gates}" if module.bidirectional else f"{gates}"
    hidden, bias = module.hidden_size, " + 2" if module.bias else ""
    below = f"2·{hidden}" if module.bidirectional else f"{hidden}"
    inputs = [str(module.input_size)] + [below] * (module.num_layers - 1)
    return " + ".join(f"{factor}·({size} + {hidden}{bias})·{hidden}" for size in inputs)


def _shape(output_shape):
    return "–" if output_shape is None else " × ".join(str(n) for n in output_shape)
