"""The room of raters and of those who adjudicate: its pages, put together on one blueprint."""

from webui.rate import agreeing, clips, deciding, faces, keys, me, troubles
from webui.rate.room import pages

__all__ = ["agreeing", "clips", "deciding", "faces", "keys", "me", "pages", "troubles"]
