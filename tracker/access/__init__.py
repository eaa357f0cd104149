"""The gate: the one place that opens a unit of work on a person, and hands out permits inside it."""

from tracker.access.gate import Access as Access
from tracker.access.gate import open_access as open_access
from tracker.access.looks import Look as Look
from tracker.access.unit import Unit as Unit
