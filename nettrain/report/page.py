"""A page as one HTML file that needs nothing else."""

from pathlib import Path

import jinja2

from nettrain.report.section import Page, shown
from nettrain.version import __version__

TEMPLATES = Path(__file__).parent / "templates"


def render(page: Page) -> bytes:
    """The page as HTML. Every text is escaped; pictures are inserted as they are."""
    template = template_environment().get_template("page.html")
    return template.render(page=page, version=__version__).encode()


def template_environment() -> jinja2.Environment:
    """Where the templates of all pages come from: every text that they insert is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    return environment
