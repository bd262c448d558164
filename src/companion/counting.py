"""Counts what a network holds and does: parameters, buffers, bytes, activations and multiply-adds, in all and per layer."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils import parametrize

from companion.models.modes import evaluation_mode

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

    Raises ValueError for a lazy module that has not seen its first batch, since its shapes are not known yet, and for a
    quantised one, whose weights are packed and no parameters any more.
    """
    _refuse_quantised(model)
    return _count(list(model.parameters()), list(model.buffers()))


def _refuse_quantised(model):
    for name, module in model.named_modules():
        if ".quantized." in f"{type(module).__module__}.":
            raise ValueError(
                f"{name or 'the model'} ({type(module).__name__}) is quantised: its weights are packed where they cannot be "
                "counted. Count the model before it is quantised: the number of its weights stays the same."
            )


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
    convolutions, fully connected, bilinear and recurrent layers and cells. It is zero for a layer without parameters, a
    normalisation, an embedding and a PReLU, and None for a layer with parameters of another kind: what it does with them
    is not known.
    """

    name: str
    kind: str
    output_shape: tuple | None
    count: ParameterCount
    formula: str
    activations: int
    multiply_adds: int | None

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
        """Those of all rows, or None when those of one are not known."""
        known = [row.multiply_adds for row in self.rows]
        return None if None in known else sum(known)

    def to_frame(self):
        """The table with a last line of totals, as a pandas DataFrame of texts; "?" stands for what is not known."""
        import pandas as pd

        lines = [
            (r.name, r.kind, _shape(r.output_shape), r.formula, r.parameters, r.activations, r.multiply_adds)
            for r in self.rows
        ]
        lines.append(("total", "", "", "", self.count.total, self.activations, self.multiply_adds))
        columns = ["name", "layer", "output", "formula", "parameters", "activations", "multiply-adds"]
        return pd.DataFrame([(*line[:4], *map(_thousands, line[4:])) for line in lines], columns=columns)

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
    multiply-adds: what a module computes beyond them (additions, attention) is not seen. A reparametrised layer, such as
    `weight_norm(nn.Linear(...))`, is one layer, with the parameters that its weight is made of.
    """
    _refuse_quantised(model)
    inside = {part for module in model.modules() for part in _parametrizations(module)}
    names = {module: name for name, module in model.named_modules() if module not in inside}
    table = _Rows(names)
    holders = [module for module in names if not _children(module) or _own(module, "parameters")]
    handles = [module.register_forward_hook(table.add) for module in holders]
    device, own_dtype = _device_and_dtype(model)
    try:
        with torch.no_grad(), evaluation_mode(model):
            model(torch.zeros(1, *input_size, device=device, dtype=dtype or own_dtype))
    finally:
        for handle in handles:
            handle.remove()
    for module in names:
        if any(tensor not in table.first_use for tensor in [*_own(module, "parameters"), *_own(module, "buffers")]):
            table.add(module)
    return LayerTable(tuple(table.rows))


class _Rows:
    """The rows of a `LayerTable` while it grows: `add` is called, as a hook, each time a module of {module: name} has run."""

    def __init__(self, names):
        self.names, self.rows, self.first_use = names, [], {}  # the module that first used a tensor

    def add(self, module, inputs=(), output=None):
        own = _own(module, "parameters")
        parameters = [p for p in own if p not in self.first_use]
        buffers = [b for b in _own(module, "buffers") if b not in self.first_use]
        counted_in = {self.names[self.first_use[p]] for p in own if p in self.first_use}
        self.first_use.update((t, module) for t in [*parameters, *buffers])
        output = _first_tensor(output)
        is_leaf = output is not None and not _children(module)
        self.rows.append(
            LayerRow(
                name=self.names[module],
                kind=parametrize.type_before_parametrizations(module).__name__,
                output_shape=None if output is None else tuple(output.shape[1:]),
                count=_count(parameters, buffers),
                formula=_shared_formula(parameters, counted_in) if counted_in else _formula(module, parameters),
                activations=output.numel() if is_leaf and not _same_memory(inputs, output) else 0,
                multiply_adds=_multiply_adds(module, inputs, output),
            )
        )


def _parametrizations(module):
    """The modules that make a reparametrised module's weights: they are part of it, not layers of their own."""
    return list(module.parametrizations.modules()) if parametrize.is_parametrized(module) else []


def _children(module):
    return [child for child in module.children() if child not in _parametrizations(module)]


def _own(module, what):
    """The "parameters" or "buffers" of the module without its children, each once."""
    parts = [module, *_parametrizations(module)]
    return list(dict.fromkeys(tensor for part in parts for tensor in getattr(part, what)(recurse=False)))


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


WITHOUT_PRODUCTS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.PReLU, nn.Embedding, nn.EmbeddingBag)


def _multiply_adds(module, inputs, output):
    """Each weight is used once at each position: of the output, or of the input when a convolution is transposed."""
    weights = _weights(module)
    if weights is None:
        return None if _own(module, "parameters") and not isinstance(module, WITHOUT_PRODUCTS) else 0
    if output is None:
        return 0  # it never ran
    if isinstance(module, _ConvNd):
        image = inputs[0] if isinstance(module, _ConvTransposeNd) else output
        return weights * math.prod(image.shape[2:])
    return weights * (output.numel() // output.shape[-1])


def _weights(module):
    """How many weights the layer multiplies its inputs by; None where it is of no kind that is known."""
    if isinstance(module, _ConvNd | nn.Linear | nn.Bilinear):
        return module.weight.numel()
    if isinstance(module, nn.RNNBase):
        names = [name for layer in module._all_weights for name in layer]
    elif isinstance(module, nn.RNNCellBase):
        names = ["weight_ih", "weight_hh"]
    else:
        return None
    return sum(getattr(module, name).numel() for name in names if name.startswith("weight"))


def _formula(module, parameters):
    """The parameters as a formula with digits, such as (3·3·64 + 1)·128; empty if there are none.

    Where the formula of the layer's kind gives another number, since it has further parameters, it is the sum of their shapes.
    """
    formula, number = _formula_of_kind(module)
    return formula if number == sum(p.numel() for p in parameters) else _shapes_formula(parameters)


def _formula_of_kind(module):
    """The formula of a layer of this kind, and the number that it gives."""
    bias = getattr(module, "bias", None) is not None
    if isinstance(module, _ConvNd) and not isinstance(module, _ConvTransposeNd):
        of_one_filter = "·".join(str(n) for n in [*module.kernel_size, module.in_channels // module.groups])
        sizes = (module.in_channels, module.out_channels, module.kernel_size, bias, module.groups)
        return _per_output(of_one_filter, module.out_channels, bias), conv_parameters(*sizes)
    if isinstance(module, nn.Linear):
        sizes = (module.in_features, module.out_features, bias)
        return _per_output(*sizes), linear_parameters(*sizes)
    if isinstance(module, nn.Bilinear):
        text = _per_output(f"{module.in1_features}·{module.in2_features}", module.out_features, bias)
        return text, linear_parameters(module.in1_features * module.in2_features, module.out_features, bias)
    if isinstance(module, _BatchNorm):
        return f"2·{module.num_features}", batchnorm_parameters(module.num_features)
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        return _recurrent_formula(module)
    return "", 0


def _shapes_formula(parameters):
    return " + ".join("·".join(str(n) for n in p.shape) or "1" for p in parameters)


def _shared_formula(parameters, counted_in):
    elsewhere = f"counted in {', '.join(sorted(counted_in))}"
    return f"{_shapes_formula(parameters)} (rest {elsewhere})" if parameters else elsewhere


def _per_output(weights, outputs, bias):
    return f"({weights} + 1)·{outputs}" if bias else f"{weights}·{outputs}"


def _recurrent_formula(module):
    gates = 4 if isinstance(module, nn.LSTM | nn.LSTMCell) else 3 if isinstance(module, nn.GRU | nn.GRUCell) else 1
    layers, both = getattr(module, "num_layers", 1), getattr(module, "bidirectional", False)  # a cell has one of each
    hidden, bias = module.hidden_size, " + 2" if module.bias else ""
    factor = ("2·" if both else "") + (f"{gates}·" if gates > 1 else "")
    inputs = [str(module.input_size)] + [f"2·{hidden}" if both else f"{hidden}"] * (layers - 1)
    text = " + ".join(f"{factor}({size} + {hidden}{bias})·{hidden}" for size in inputs)
    return text, _recurrent_parameters(gates, module.input_size, hidden, layers, module.bias, both)


def _thousands(number):
    return "?" if number is None else f"{number:,}"


def _shape(output_shape):
    return "–" if output_shape is None else " × ".join(str(n) for n in output_shape)
