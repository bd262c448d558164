"""The search of the built site, for the words that lead to a chapter."""

import json
import re

import pytest
import snowballstemmer


@pytest.fixture(scope="session")
def search(html):
    """search(words) -> the pages that hold all of them in their texts or titles, by the index and the rule of the page's script.

    A word that stands in no text (or in no title) is looked for as a part of other words there, as the script does.
    """
    index = json.loads((html / "searchindex.js").read_text(encoding="utf-8").partition("(")[2].rpartition(")")[0])
    stem = snowballstemmer.stemmer("porter").stemWord

    def pages(word):
        found = []
        for terms in (index["terms"], index["titleterms"]):
            found += [terms[word]] if word in terms else [files for term, files in terms.items() if word in term]
        numbers = {number for files in found for number in ([files] if isinstance(files, int) else files)}
        return {index["docnames"][number] for number in numbers}

    return lambda words: set.intersection(*(pages(stem(word)) for word in re.findall(r"\w+", words.lower())))
