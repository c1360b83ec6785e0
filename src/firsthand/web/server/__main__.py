"""`python -m firsthand.web.server`: the lab, with its usual settings."""

from .serving import serve

serve()
