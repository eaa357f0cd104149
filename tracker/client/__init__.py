"""A typed client of the API: what the pages do, from Python.

Examples
--------
>>> from tracker.client import Client
>>> client = Client("https://study.example.org", "aff_…")
>>> client.address
'https://study.example.org/api/v1'
"""

from tracker.client.calling import Problem as Problem
from tracker.client.calling import ProblemError as ProblemError
from tracker.client.calling import UnreachableError as UnreachableError
from tracker.client.choices import Proof as Proof
from tracker.client.whole import Client as Client
