"""The chapter on recurrent and convolutional networks: what its own tests know of it."""

from statistics import mean, stdev

import pytest
from networks import reach
from reading import counted
from scipy.stats import ttest_rel
from torch import nn

from companion import load_record

VOICES, NAMES, REVIEWS = SETS = ("spoken digits", "names", "IMDB")
READINGS = {
    "training": lambda curves: curves.train_accuracy[-1],
    "test": lambda curves: curves.val_accuracy[-1],
    "best test": lambda curves: max(curves.val_accuracy),
    "best by accuracy": lambda curves: curves.val_accuracy.index(max(curves.val_accuracy)) + 1,
    "best by loss": lambda curves: curves.val_loss.index(min(curves.val_loss)) + 1,
    "lowest loss": lambda curves: min(curves.val_loss),
    "last loss": lambda curves: curves.val_loss[-1],
    "seconds": lambda curves: min(curves.seconds),
}


def every_run(data, network, reading):
    """{(speaker, seed): the reading} of the recorded runs; of names and reviews, the speaker is always 0."""
    runs = load_record("rnn-vs-cnn").select(data=data, network=network)
    return {(run.setting["held_out"], run.seed): READINGS[reading](run.history) for run in runs}


def each(data, network, reading):
    """The reading of each speaker, a mean over seeds, or of each seed where there are no speakers: a list."""
    found = every_run(data, network, reading)
    if data != VOICES:
        return [found[key] for key in sorted(found)]
    speakers = sorted({speaker for speaker, _ in found})
    return [mean(value for (other, _), value in found.items() if other == speaker) for speaker in speakers]


def compared(data, first, second, reading):
    """1 where the first is surely larger, -1 where it is surely smaller, 0 where a paired t test at 5 % cannot tell."""
    one, other = each(data, first, reading), each(data, second, reading)
    difference = ttest_rel(one, other)
    return 0 if difference.pvalue > 0.05 else 1 if difference.statistic > 0 else -1


def test_the_number_that_a_reader_counts_is_found_in_another_way():
    assert counted("rnn-vs-cnn") == [reach(*(nn.Conv1d(1, 1, 3, dilation=d) for d in (1, 2, 4)), flat=True)]


def test_the_reading_of_the_best_epoch_turns_what_the_page_says_it_turns():
    """By loss the convolution on the reviews is best where the report says, and the LSTM later; by accuracy the reverse."""
    assert set(every_run(REVIEWS, "conv", "best by loss").values()) == {3}
    assert compared(NAMES, "lstm", "conv", "best by loss") == compared(REVIEWS, "lstm", "conv", "best by loss") == 1
    assert compared(REVIEWS, "lstm", "conv", "best by accuracy") == -1
    assert mean(each(REVIEWS, "conv", "last loss")) > 1.9 * mean(each(REVIEWS, "conv", "lowest loss"))


def test_a_better_result_of_the_recurrent_network_is_reversed_on_two_sets_by_either_reading():
    assert [compared(data, "lstm", "conv", "best test") for data in SETS] == [-1, -1, 0]
    assert [compared(data, "lstm", "conv", "lowest loss") for data in SETS] == [1, 1, 0]


def test_both_networks_are_better_in_training_and_far_from_the_reports_test_where_the_page_says_so():
    for data in SETS:
        for network in ("lstm", "conv"):
            assert ttest_rel(each(data, network, "training"), each(data, network, "test")).statistic > 2.5
    tests = [mean(each(data, network, "test")) for data in (NAMES, REVIEWS) for network in ("lstm", "conv")]
    assert min(tests) > 0.6 + 0.15


def test_the_convolution_takes_longer_on_every_set_and_the_gru_longer_than_the_lstm():
    assert [compared(data, "conv", "lstm", "seconds") for data in SETS] == [1, 1, 1]
    assert all(mean(each(data, "gru", "seconds")) > mean(each(data, "lstm", "seconds")) for data in (VOICES, NAMES))


def test_dropout_and_layers_do_what_the_page_says_of_the_proposals():
    assert (compared(VOICES, "conv-dropout", "conv", "test"), compared(NAMES, "conv-dropout", "conv", "test")) == (
        -1,
        1,
    )
    assert compared(NAMES, "lstm-dropout", "lstm", "test") == -1
    assert all(
        compared(data, deep, "conv", "test") < 1 for deep in ("conv-3", "conv-dilated") for data in (VOICES, NAMES)
    )


def test_the_variants_do_what_the_page_says_of_its_own_choices():
    assert (compared(VOICES, "gru", "lstm", "test"), compared(NAMES, "gru", "lstm", "test")) == (1, -1)
    assert compared(VOICES, "lstm-attention", "lstm", "test") == 1
    assert compared(VOICES, "conv-narrow", "lstm", "test") == 1 and compared(NAMES, "conv-narrow", "lstm", "test") < 1
    assert all(mean(each(d, "conv-fast", "test")) > mean(each(d, "lstm-fast", "test")) for d in (VOICES, NAMES))


def test_the_lstm_that_reads_the_padding_guesses_on_the_voices_and_loses_on_the_names():
    assert all(0.095 < score < 0.105 for score in every_run(VOICES, "lstm-padded", "test").values())
    assert compared(NAMES, "lstm-padded", "lstm", "test") == -1


@pytest.mark.parametrize("network", ["lstm", "conv"])
def test_another_speaker_moves_the_accuracy_far_more_than_another_seed(network):
    found = every_run(VOICES, network, "test")
    seeds = [stdev(value for (other, _), value in found.items() if other == speaker) for speaker in range(6)]
    assert stdev(each(VOICES, network, "test")) > 2 * mean(seeds)


WORDS = ["padding", "LSTM", "speech", "spectrogram", "vanishing gradient", "backpropagation", "softmax"]


@pytest.mark.slow
@pytest.mark.parametrize("words", WORDS)
def test_the_search_finds_the_page_by_the_words_that_a_student_types(search, words):
    assert "book/rnn-vs-cnn" in search(words)
