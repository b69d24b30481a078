"""The whole house in one thread under a seed, among clients, faults and crashes: `fondaco sim`.

Every promise that it makes is held against it, while it runs and when all is quiet. The same seed
gives the same journal. `docs/simulation.md` says what is simulated, and what is not.
"""

from fondaco.app.simulation.report import Report as Report
from fondaco.app.simulation.report import text_of as text_of
from fondaco.app.simulation.world import STEPS as STEPS
from fondaco.app.simulation.world import simulate as simulate
