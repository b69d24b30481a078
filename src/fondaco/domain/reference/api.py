"""What other rooms and doors may ask of this one: the trading calendar. The operations that set
limits, states and the kill switch are declared where accounts have theirs, in trading."""

from fondaco.domain.reference.calendar import check_time_zone as check_time_zone
from fondaco.domain.reference.calendar import instants_of as instants_of
from fondaco.domain.reference.calendar import is_open as is_open
from fondaco.domain.reference.calendar import local_day as local_day
from fondaco.domain.reference.calendar import session_day_and_close as session_day_and_close
from fondaco.domain.reference.calendar import settlements as settlements
from fondaco.domain.reference.holidays import CLOSED as CLOSED
