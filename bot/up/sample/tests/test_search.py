import unittest

from playback.search import Track, search

TRACKS = [Track("Blue in Green", "Miles Davis"), Track("So What", "Miles Davis"), Track("Naima", "John Coltrane")]


class SearchTest(unittest.TestCase):
    def test_every_word_counts(self):
        self.assertEqual(search(TRACKS, "miles blue"), [TRACKS[0]])

    def test_case_does_not_matter(self):
        self.assertEqual(search(TRACKS, "NAIMA"), [TRACKS[2]])

    def test_nothing_found(self):
        self.assertEqual(search(TRACKS, "monk"), [])
