"""The fixtures that the tests of data sets share."""

from data_files import shared_folder
from made_up_sets import archived, imdb, names, spoken
from servers import closed_port, no_proxy, serve

__all__ = ["archived", "closed_port", "imdb", "names", "no_proxy", "serve", "shared_folder", "spoken"]
