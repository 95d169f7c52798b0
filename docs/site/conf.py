"""Sphinx's settings; `wmlearn build --for site` puts this file beside the pages, and runs Sphinx there."""

import gc

from wmlearn import __version__

gc.disable()  # Sphinx keeps all pages until it ends: looking for garbage among them is a quarter of its time

project = "wmlearn"
author = "The wmlearn authors"
copyright = "the wmlearn authors. Text: CC BY 4.0, code: Apache-2.0"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "wmlearn.course.authoring.mathml",
    "wmlearn.course.authoring.metadata",
]
exclude_patterns = ["_static"]
nb_execution_mode = "off"  # the notebooks were executed when they were built
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/png", 10)]
myst_enable_extensions = ["dollarmath", "html_image", "deflist"]
myst_heading_anchors = 4
myst_heading_slug_func = "wmlearn.course.authoring.website.anchor"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
default_role = "code"  # a docstring's `name`
toc_object_entries = False

html_theme = "furo"
html_title = "Whose model is it?"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_show_sphinx = False
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2c5282", "color-brand-content": "#2c5282"},
    "dark_css_variables": {"color-brand-primary": "#9cc4f0", "color-brand-content": "#9cc4f0"},
}


def setup(app):
    """Let the sidebar ask for two levels of titles: it shows no more, and Furo would copy every section."""
    app.connect("html-page-context", _two_levels, priority=400)  # before Furo's own, at 500


def _two_levels(app, page, template, context, tree):
    whole = context.get("toctree")
    if whole:
        context["toctree"] = lambda **options: whole(**options | {"maxdepth": 2})
