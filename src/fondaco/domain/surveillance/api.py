"""What other floors, and other programs, use of surveillance."""

from fondaco.domain.surveillance.fix.behaviour.baseline import Baseline as Baseline
from fondaco.domain.surveillance.fix.behaviour.baseline import baseline_of as baseline_of
from fondaco.domain.surveillance.fix.limits import Thresholds as Thresholds
from fondaco.domain.surveillance.fix.sensor import Sensor as Sensor
from fondaco.domain.surveillance.model import Alert as Alert
from fondaco.domain.surveillance.model import Evidence as Evidence
from fondaco.domain.surveillance.model import Severity as Severity
