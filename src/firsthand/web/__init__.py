"""The lab: a server on this machine (server/) and the page that it serves (page/)."""

__all__: list[str] = []
