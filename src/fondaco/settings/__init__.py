"""Every knob of the house, and the values that one is started with.

A later source goes before an earlier one: default, then the file fondaco.toml in the data
directory, then the environment (FONDACO_PORT), then the command line (--port). `fondaco doctor`
prints `effective`; docs/settings.md is what `python -m fondaco.settings` prints.
"""

from fondaco.settings.knobs import PREFIX as PREFIX
from fondaco.settings.places import REFERENCE as REFERENCE
from fondaco.settings.places import fits as fits
from fondaco.settings.places import referable as referable
from fondaco.settings.places import without_secrets as without_secrets
from fondaco.settings.reading import Effective as Effective
from fondaco.settings.reading import Knob as Knob
from fondaco.settings.reading import effective as effective
from fondaco.settings.reading import knobs as knobs
from fondaco.settings.reading import load as load
from fondaco.settings.reading import page as page
from fondaco.settings.terms import LOOPBACK as LOOPBACK
from fondaco.settings.terms import Settings as Settings
