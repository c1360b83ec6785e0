"""The lab's server: the page, the API behind it, and what keeps others out."""

from .app import create_app
from .serving import serve

__all__ = ["create_app", "serve"]
