import unittest

from playback.queue import Queue
from playback.search import Track


class QueueTest(unittest.TestCase):
    def test_first_in_first_out(self):
        queue = Queue()
        queue.add(Track("So What", "Miles Davis"))
        queue.add(Track("Naima", "John Coltrane"))
        self.assertEqual(queue.next().title, "So What")
        self.assertEqual(queue.next().title, "Naima")
        self.assertIsNone(queue.next())
