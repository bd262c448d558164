"""The search of the built site, for the words that lead to a chapter."""

import json
import re

import pytest
import snowballstemmer


@pytest.fixture(scope="session")
def search(html):
    """search(words) -> the pages that hold all of them in their texts or titles, by the index that the browser searches."""
    index = json.loads((html / "searchindex.js").read_text(encoding="utf-8").partition("(")[2].rpartition(")")[0])
    stem = snowballstemmer.stemmer("porter").stemWord

    def pages(word):
        found = [index[kind].get(stem(word), []) for kind in ("terms", "titleterms")]
        numbers = {number for some in found for number in ([some] if isinstance(some, int) else some)}
        return {index["docnames"][number] for number in numbers}

    return lambda words: set.intersection(*(pages(word) for word in re.findall(r"\w+", words.lower())))
