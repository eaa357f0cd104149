"""The web app for participants: server-rendered pages, our own small scripts, nothing from elsewhere.

`create_app` is the way in; `webui.server.serve` runs it.
"""

from webui.app import create_app

__all__ = ["create_app"]
