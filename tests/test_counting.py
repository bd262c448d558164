"""Counts against second witnesses: sums written out by hand, PyTorch's own tensors, and the ledger's exact rows."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize
from torch.utils.flop_counter import FlopCounterMode

from companion import (
    ParameterCount,
    batchnorm_parameters,
    conv_parameters,
    count_parameters,
    embedding_parameters,
    gru_parameters,
    layer_table,
    linear_parameters,
    load_claims,
    lstm_parameters,
)


def pytorch_count(module):
    return sum(p.numel() for p in module.parameters())


def value_of(formula):
    """The number that a formula with digits gives: (3·3·2 + 1)·4 → 76."""
    return eval(formula.replace("·", "*")) if formula else 0


def convolution_and_norm():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 5))


# ------------------------------------------------------------------------------------------------------- by formula


def test_a_convolution_of_two_by_three_channels_has_57_parameters():
    assert conv_parameters(2, 3, 3) == 3 * (3 * 3 * 2) + 3 == 57


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("kernel_size", [1, 3, (3, 5)])
def test_the_convolution_formula_equals_pytorch(kernel_size, groups, bias):
    layer = nn.Conv2d(4, 8, kernel_size, groups=groups, bias=bias)
    assert conv_parameters(4, 8, kernel_size, bias, groups) == pytorch_count(layer)


def test_convolutions_in_one_and_three_dimensions_follow_the_same_formula():
    assert conv_parameters(4, 8, (5,)) == pytorch_count(nn.Conv1d(4, 8, 5))
    assert conv_parameters(4, 8, (3, 3, 3)) == pytorch_count(nn.Conv3d(4, 8, 3))


def test_stride_padding_and_dilation_add_no_parameters():
    layer = nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2)
    assert pytorch_count(layer) == conv_parameters(4, 8, 3)


@pytest.mark.parametrize("bias", [True, False])
def test_the_linear_formula_equals_pytorch(bias):
    assert linear_parameters(7, 5, bias) == pytorch_count(nn.Linear(7, 5, bias)) == 7 * 5 + 5 * bias


@pytest.mark.parametrize("affine", [True, False])
def test_the_batch_norm_formula_equals_pytorch(affine):
    assert batchnorm_parameters(6, affine) == pytorch_count(nn.BatchNorm2d(6, affine=affine)) == 12 * affine


def test_the_embedding_formula_equals_pytorch():
    assert embedding_parameters(100, 16) == pytorch_count(nn.Embedding(100, 16)) == 1600


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
@pytest.mark.parametrize("layer, formula", [(nn.LSTM, lstm_parameters), (nn.GRU, gru_parameters)])
def test_the_recurrent_formulas_equal_pytorch(layer, formula, num_layers, bias, bidirectional):
    settings = {"num_layers": num_layers, "bias": bias, "bidirectional": bidirectional}
    assert formula(10, 20, **settings) == pytorch_count(layer(10, 20, **settings))


def test_an_lstm_by_hand_has_four_gates_with_two_biases_each():
    assert lstm_parameters(10, 20) == 4 * (10 * 20 + 20 * 20 + 20 + 20)


# ------------------------------------------------------------------------------------------------- count_parameters


def test_shared_weights_are_counted_once():
    embedding, decoder = nn.Embedding(10, 4), nn.Linear(4, 10)
    decoder.weight = embedding.weight
    assert count_parameters(nn.ModuleList([embedding, decoder])).total == 10 * 4 + 10


def test_a_module_used_twice_is_counted_once():
    layer = nn.Linear(3, 3)
    assert count_parameters(nn.Sequential(layer, nn.ReLU(), layer)).total == 12


def test_frozen_parameters_are_counted_apart():
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    count = count_parameters(model)
    assert (count.trainable, count.frozen, count.total) == (10, 16, 26)


def test_the_running_averages_of_batch_norm_are_buffers_and_not_parameters():
    count = count_parameters(nn.BatchNorm2d(6))
    assert (count.trainable, count.buffers) == (12, 6 + 6 + 1)  # mean, variance, num_batches_tracked
    assert count.total == 12


def test_bytes_are_those_of_parameters_and_buffers():
    state = nn.BatchNorm2d(6).state_dict().values()
    expected = (12 + 12) * 4 + 8  # float32, and one 64-bit integer
    assert count_parameters(nn.BatchNorm2d(6)).bytes == expected == sum(t.nbytes for t in state)


def test_half_precision_takes_half_the_bytes():
    assert count_parameters(nn.Linear(7, 5)).bytes == 4 * 40
    assert count_parameters(nn.Linear(7, 5).half()).bytes == 2 * 40


def test_mixed_precision_is_summed_tensor_by_tensor():
    model = nn.Sequential(nn.Linear(7, 5).half(), nn.Linear(5, 5).double())
    assert count_parameters(model).bytes == 2 * 40 + 8 * 30


def test_a_module_without_parameters_counts_nothing():
    assert count_parameters(nn.ReLU()) == ParameterCount(0, 0, 0, 0)


def test_a_lazy_module_is_refused_until_its_shapes_are_known():
    with pytest.raises(ValueError, match="uninitialized"):
        count_parameters(nn.LazyLinear(3))


# ------------------------------------------------------------------------------------------------------ layer_table


def test_the_rows_add_up_to_the_whole():
    model = convolution_and_norm()
    model[0].requires_grad_(False)
    assert layer_table(model, (3, 8, 8)).count == count_parameters(model)


def test_every_formula_gives_the_parameters_of_its_row():
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=2, bias=False),
        nn.ConvTranspose2d(8, 6, 3),
        nn.BatchNorm2d(6),
        nn.PReLU(),
        nn.Flatten(2),
        nn.LayerNorm(64),
        nn.Linear(64, 7, bias=False),
        nn.LSTM(7, 5, num_layers=2, bidirectional=True),
    )
    rows = layer_table(model, (4, 8, 8))
    assert [value_of(row.formula) for row in rows] == [pytorch_count(layer) for layer in model]


def test_formulas_are_written_with_their_digits():
    rows = layer_table(convolution_and_norm(), (3, 8, 8))
    assert [row.formula for row in rows] == ["(3·3·3 + 1)·4", "2·4", "", "", "(144 + 1)·5"]


def test_a_tiny_convolution_by_hand():
    (row,) = layer_table(nn.Conv2d(2, 3, 3), (2, 6, 5))
    assert row.output_shape == (3, 4, 3)
    assert row.activations == 3 * 4 * 3
    assert row.multiply_adds == (3 * 3 * 2) * 3 * (4 * 3)  # weights of a filter × filters × positions


def test_a_grouped_convolution_does_a_share_of_the_multiply_adds():
    whole, grouped = (layer_table(nn.Conv2d(4, 8, 3, groups=g), (4, 6, 6)).multiply_adds for g in (1, 4))
    assert whole == 4 * grouped


def test_multiply_adds_of_a_linear_layer_are_its_weights_at_each_position():
    assert layer_table(nn.Linear(7, 5), (7,)).multiply_adds == 35
    assert layer_table(nn.Linear(7, 5), (10, 7)).multiply_adds == 350


def test_multiply_adds_of_an_lstm_are_its_weights_at_each_step():
    layer = nn.LSTM(10, 20, batch_first=True)
    assert layer_table(layer, (7, 10)).multiply_adds == 4 * (10 + 20) * 20 * 7


def test_layers_in_place_and_views_add_no_activations():
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.ReLU(), nn.Unflatten(1, (2, 3)))
    assert [row.activations for row in layer_table(model, (4,))] == [6, 0, 6, 0]


def test_a_layer_that_runs_twice_has_two_rows_and_one_count():
    layer = nn.Linear(3, 3)
    first, second = layer_table(nn.Sequential(layer, layer), (3,))
    assert (first.parameters, second.parameters) == (12, 0)
    assert first.multiply_adds == second.multiply_adds == 9
    assert second.formula == "counted in 0"


def test_tied_weights_are_counted_where_they_are_first_used():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10))
    model[1].weight = model[0].weight
    rows = layer_table(model, (7,), dtype=torch.long)
    assert [row.parameters for row in rows] == [40, 10]
    assert rows[1].formula == "10 (rest counted in 0)"
    assert rows.count == count_parameters(model)


def test_parameters_outside_leaf_layers_are_counted_too():
    model = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    assert layer_table(model, (5, 16)).count == count_parameters(model)


def test_a_layer_that_never_runs_comes_last_without_a_shape():
    class Forgetful(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.used = nn.Linear(2, 2), nn.Linear(3, 1)

        def forward(self, x):
            return self.used(x)

    rows = layer_table(Forgetful(), (3,))
    assert [(row.name, row.output_shape) for row in rows] == [("used", (1,)), ("unused", None)]
    assert rows.count == count_parameters(Forgetful())


def test_the_mode_of_every_module_is_restored():
    model = convolution_and_norm().train()
    model[1].eval()  # as in fine-tuning: a frozen batch norm inside a network in training
    layer_table(model, (3, 8, 8))
    assert [layer.training for layer in model] == [True, False, True, True, True]


def test_the_model_is_left_as_it_was_even_when_the_input_does_not_fit():
    model = convolution_and_norm()
    with pytest.raises(RuntimeError):
        layer_table(model, (3, 9, 9))
    assert model.training and not any(layer._forward_hooks for layer in model)


def test_running_averages_and_random_numbers_are_left_alone():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5))
    state = torch.get_rng_state()
    layer_table(model, (3,))
    assert model[0].num_batches_tracked == 0
    assert torch.equal(torch.get_rng_state(), state)


def test_the_input_has_the_number_format_of_the_model():
    assert layer_table(nn.Linear(3, 2).double(), (3,)).count.bytes == 8 * 8


def test_a_model_without_memory_gives_the_same_table():
    with torch.device("meta"):
        model = convolution_and_norm()
    assert layer_table(model, (3, 8, 8)) == layer_table(convolution_and_norm(), (3, 8, 8))


def test_the_printed_table_ends_with_the_totals():
    table = layer_table(convolution_and_norm(), (3, 8, 8))
    last = repr(table).splitlines()[-1].split()
    assert last == ["total", f"{table.count.total:,}", f"{table.activations:,}", f"{table.multiply_adds:,}"]
    assert table._repr_html_().count("<tr") == 1 + len(table) + 1


# ------------------------------------------------------------------------------------ layers of every kind, by what they are


def flops(model, *input_size):
    """The floating point operations that PyTorch's own counter sees: two for each multiply-add."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, *input_size))
    return counter.get_total_flops()


class Subclass(nn.Linear):
    """A linear layer with a name of its own."""


class Pairs(nn.Module):
    """A bilinear layer on the two halves of its input."""

    def __init__(self, bias=True):
        super().__init__()
        self.bilinear = nn.Bilinear(2, 3, 4, bias)

    def forward(self, x):
        return self.bilinear(x[..., :2], x[..., 2:])


@pytest.mark.parametrize(
    ("model", "input_size"),
    [
        (nn.Linear(7, 5), (3, 7)),
        (Subclass(7, 5), (7,)),
        (nn.Conv1d(2, 3, 4, stride=2), (2, 11)),
        (nn.Conv2d(4, 6, 3, groups=2, padding=1), (4, 5, 6)),
        (nn.Conv3d(2, 3, 2), (2, 4, 5, 3)),
        (nn.ConvTranspose2d(3, 2, 3, stride=2), (3, 4, 5)),
        (nn.LSTMCell(4, 3), (4,)),
        (nn.GRUCell(4, 3), (4,)),
        (nn.RNNCell(4, 3), (4,)),
        (parametrizations.weight_norm(nn.Linear(4, 3)), (4,)),
        (parametrizations.spectral_norm(nn.Conv2d(2, 3, 3)), (2, 5, 6)),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(), nn.Flatten(), nn.Linear(64, 2)), (3, 6, 6)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_multiply_adds_are_half_the_operations_that_pytorchs_own_counter_sees(model, input_size):
    table = layer_table(model, input_size)
    assert table.multiply_adds > 0
    assert 2 * table.multiply_adds == flops(model, *input_size)


def test_multiply_adds_of_recurrent_cells_are_their_weights():
    assert layer_table(nn.LSTMCell(4, 3), (4,)).multiply_adds == 4 * (4 + 3) * 3 == 84
    assert layer_table(nn.GRUCell(4, 3), (4,)).multiply_adds == 3 * (4 + 3) * 3
    assert layer_table(nn.RNNCell(4, 3), (4,)).multiply_adds == (4 + 3) * 3


def test_a_cell_does_in_one_step_what_its_layer_does_at_each():
    for layer, cell in ((nn.LSTM, nn.LSTMCell), (nn.GRU, nn.GRUCell), (nn.RNN, nn.RNNCell)):
        whole, one = layer_table(layer(4, 3, batch_first=True), (7, 4)), layer_table(cell(4, 3), (4,))
        assert whole.multiply_adds == 7 * one.multiply_adds
        assert whole[0].formula == one[0].formula


@pytest.mark.parametrize("bias", [True, False])
def test_a_bilinear_layer_multiplies_each_weight_once_at_each_position(bias):
    model = Pairs(bias)
    row = layer_table(model, (6, 5))[0]
    assert row.multiply_adds == 6 * (2 * 3 * 4)
    assert row.formula == ("(2·3 + 1)·4" if bias else "2·3·4")
    assert row.parameters == pytorch_count(model)


@pytest.mark.parametrize(
    ("layer", "input_size"),
    [
        (nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True), (7, 4)),
        (nn.LSTM(4, 3, proj_size=2, batch_first=True), (7, 4)),
        (nn.GRU(4, 3, bias=False, batch_first=True), (7, 4)),
        (nn.RNN(4, 3, num_layers=3, batch_first=True), (7, 4)),
        (nn.GRUCell(4, 3, bias=False), (4,)),
        (parametrizations.weight_norm(nn.LSTM(4, 3, batch_first=True), "weight_hh_l0"), (7, 4)),
    ],
)
def test_recurrent_layers_of_every_form_have_a_right_formula_and_all_their_products(layer, input_size):
    (row,) = layer_table(layer, input_size)
    assert value_of(row.formula) == row.parameters == pytorch_count(layer)
    plain = [n for n in dict(layer.named_parameters()) if n.startswith("weight")]
    names = {
        n.split(".")[0] if "parametrizations" not in n else n.split(".")[1] for n in dict(layer.named_parameters())
    }
    weights = sum(getattr(layer, name).numel() for name in names if name.startswith("weight"))
    assert plain
    assert row.multiply_adds == weights * (input_size[0] if len(input_size) == 2 else 1)


@pytest.mark.parametrize(
    "norm", [parametrizations.weight_norm, parametrizations.spectral_norm, parametrizations.orthogonal]
)
def test_a_reparametrised_layer_is_one_row_with_the_parameters_that_it_has(norm):
    model = nn.Sequential(norm(nn.Linear(4, 3)))
    (row,) = layer_table(model, (4,))
    assert (row.name, row.kind) == ("0", "Linear")
    assert value_of(row.formula) == row.parameters == pytorch_count(model)
    assert (row.multiply_adds, row.activations) == (12, 3)
    assert layer_table(model, (4,)).count == count_parameters(model)


def test_the_older_weight_norm_has_a_right_formula_too():
    with pytest.warns(FutureWarning):
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3)))
    (row,) = layer_table(model, (4,))
    assert value_of(row.formula) == row.parameters == pytorch_count(model) == 18
    assert row.multiply_adds == 12


def test_a_parametrisation_with_parameters_of_its_own_is_counted_with_its_layer():
    class LowRank(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right = nn.Parameter(torch.zeros(3, 1)), nn.Parameter(torch.zeros(1, 4))

        def forward(self, weight):
            return weight + self.left @ self.right

    layer = nn.Linear(4, 3)
    parametrize.register_parametrization(layer, "weight", LowRank())
    (row,) = layer_table(layer, (4,))
    assert value_of(row.formula) == row.parameters == 12 + 3 + 3 + 4
    assert row.multiply_adds == 12


class Scaled(nn.Linear):
    """A linear layer with one parameter more than its kind has."""

    def __init__(self):
        super().__init__(4, 3)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * super().forward(x)


def test_the_formula_of_a_layer_with_further_parameters_counts_these_too():
    (row,) = layer_table(Scaled(), (4,))
    assert value_of(row.formula) == row.parameters == 16


class Raw(nn.Module):
    """Multiplies by a matrix of its own, without a layer."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(4, 3))

    def forward(self, x):
        return x @ self.matrix


@pytest.mark.parametrize(
    ("model", "input_size"), [(Raw(), (4,)), (nn.TransformerEncoderLayer(4, 2, 6, batch_first=True), (5, 4))]
)
def test_products_of_an_unknown_kind_are_not_called_none(model, input_size):
    table = layer_table(nn.Sequential(model, nn.Linear(input_size[-1] if input_size[1:] else 3, 2)), input_size)
    assert None in [row.multiply_adds for row in table]
    assert table.multiply_adds is None
    assert repr(table).splitlines()[-1].endswith("?")
    assert table.count.total > 0


@pytest.mark.parametrize(
    "layer",
    [nn.BatchNorm1d(4), nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.RMSNorm(4), nn.PReLU(), nn.ReLU(), nn.Dropout()],
)
def test_norms_and_activations_have_no_multiply_adds(layer):
    assert layer_table(layer, (4,)).multiply_adds == 0


@pytest.mark.parametrize("layer", [nn.Embedding(9, 4), nn.EmbeddingBag(9, 4)])
def test_looking_up_words_multiplies_nothing(layer):
    assert layer_table(layer, (7,), dtype=torch.long).multiply_adds == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [count_parameters, lambda model: layer_table(model, (4,))])
def test_a_quantised_model_is_refused_with_advice(count):
    quantise = pytest.importorskip("torch.ao.quantization").quantize_dynamic
    model = quantise(nn.Sequential(nn.ReLU(), nn.Linear(4, 3)), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(ValueError, match=r"1 \(Linear\) is quantised: .* Count the model before it is quantised"):
        count(model)


# ------------------------------------------------------------------------------------------- the ledger of report A

SHAPES = {  # layer of configuration D: channels or features in and out; 3×3 convolutions throughout
    "conv1-1": (3, 64),
    "conv1-2": (64, 64),
    "conv2-1": (64, 128),
    "conv2-2": (128, 128),
    "conv3-1": (128, 256),
    "conv3-2": (256, 256),
    "conv4-1": (256, 512),
    "conv4-2": (512, 512),
    "fc1": (7 * 7 * 512, 4096),
    "fc2": (4096, 4096),
    "fc3": (4096, 1000),
}
TIMES = {"conv3-2": 2, "conv4-2": 5}  # the ledger has one row for equal layers


@pytest.fixture(scope="module")
def vgg16():
    from torchvision.models import vgg16

    with torch.device("meta"):
        return vgg16()


def ledger(name):
    return load_claims(chapter="vgg-parameters")[f"A-vgg-{name}"].correct


def by_formula(name):
    return linear_parameters(*SHAPES[name]) if name.startswith("fc") else conv_parameters(*SHAPES[name], 3)


@pytest.mark.parametrize("name", SHAPES)
def test_the_formulas_give_the_ledger_row(name):
    assert by_formula(name) == ledger(name)


def test_the_formulas_give_the_ledger_totals():
    total = sum(by_formula(name) * TIMES.get(name, 1) for name in SHAPES)
    assert total == ledger("total")
    assert 4 * total == ledger("bytes")


def test_torchvision_gives_the_ledger_rows(vgg16):
    names = [name for name in SHAPES for _ in range(TIMES.get(name, 1))]
    counts = [row.parameters for row in layer_table(vgg16, (3, 224, 224)) if row.parameters]
    assert counts == [ledger(name) for name in names]


def test_torchvision_gives_the_ledger_totals(vgg16):
    count = count_parameters(vgg16)
    assert (count.total, count.bytes, count.buffers) == (ledger("total"), ledger("bytes"), 0)


def test_multiply_adds_of_vgg16_equal_the_sum_written_out(vgg16):
    sides = {"1": 224, "2": 112, "3": 56, "4": 28, "5": 14}
    convs = ["1-1", "1-2", "2-1", "2-2", "3-1", "3-2", "3-2", "4-1", "4-2", "4-2"]
    expected = sum(9 * math.prod(SHAPES[f"conv{name}"]) * sides[name[0]] ** 2 for name in convs)
    expected += 3 * 9 * 512 * 512 * sides["5"] ** 2
    expected += sum(math.prod(SHAPES[name]) for name in ("fc1", "fc2", "fc3"))
    assert layer_table(vgg16, (3, 224, 224)).multiply_adds == expected
