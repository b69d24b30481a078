"""The thresholds of the patterns. No law sets them: these are starting points to calibrate."""

from typing import Annotated

import msgspec
from msgspec import Meta


def _why(reason: str) -> Meta:
    return Meta(description=reason)


class Thresholds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every threshold, with its unit in its name. Times are of the capture's clock."""

    repeat_s: Annotated[int, _why("the same alert within this time only counts up")] = 900
    evidence_max: Annotated[int, _why("messages kept for one alert")] = 5
    logon_failures_minute: Annotated[int, _why("F01: failed logons in 60 s")] = 5
    logon_failures_hour: Annotated[int, _why("F01: failed logons in an hour")] = 20
    comp_ids_tried: Annotated[int, _why("F02: CompIDs that failed in 10 min")] = 5
    ttl_change: Annotated[int, _why("F06: change of TTL that a new route does not explain")] = 8
    gap_max: Annotated[int, _why("F08: messages missing at once")] = 100
    resets_per_day: Annotated[int, _why("F09: resets that a day may have")] = 2
    resends_minute: Annotated[int, _why("F10: resend requests in 60 s")] = 5
    resends_same: Annotated[int, _why("F10: requests for the same range")] = 3
    orders_kept: Annotated[int, _why("F11, F13: orders remembered, all sessions")] = 100_000
    dup_age_days: Annotated[int, _why("F12: age of a possible duplicate")] = 3
    poss_resends_minute: Annotated[int, _why("F12: PossResend in 60 s")] = 5
    garbled_minute: Annotated[int, _why("F14: garbled messages in 60 s")] = 3
    rejects_minute: Annotated[int, _why("F15: rejects in 60 s")] = 5
    rejected_tags: Annotated[int, _why("F15: different tags rejected in 60 s")] = 4
    undefined_tags: Annotated[int, _why("F15: different undefined tags in an hour")] = 5
    value_max: Annotated[int, _why("F15: bytes of a value that is no data field")] = 1024
    message_max: Annotated[int, _why("F15: bytes of a message")] = 65_536
    fields_max: Annotated[int, _why("F15: fields of a message")] = 1000
    group_max: Annotated[int, _why("F15: entries of a group")] = 1000
    admin_10s: Annotated[int, _why("F17: heartbeats and test requests in 10 s")] = 50
    connects_minute: Annotated[int, _why("F18: connections from one address in 60 s")] = 10
    silent_connects_minute: Annotated[int, _why("F18: of them without a byte")] = 5
    logon_wait_s: Annotated[int, _why("F18: time within which a logon comes")] = 10
    skew_warn_ms: Annotated[int, _why("F20: SendingTime beside the capture's clock")] = 2_000
    skew_max_ms: Annotated[int, _why("F20: what engines refuse")] = 120_000
    skew_slope_us_s: Annotated[int, _why("F20: drift of a clock")] = 1_000
    text_length: Annotated[int, _why("F21: bytes of a text that are looked into")] = 200
    text_entropy: Annotated[float, _why("F21: bits a byte; English has about 4.2")] = 4.5
    text_day: Annotated[int, _why("F21: bytes of suspicious text a day")] = 10_240
    days_learned: Annotated[int, _why("F22, F23: days before anything is called new")] = 5
    holidays: Annotated[tuple[str, ...], _why("F22: days (YYYY-MM-DD) without trading")] = ()
    size_times: Annotated[int, _why("F24: times the 99th percentile of sizes")] = 10
    price_off_percent: Annotated[float, _why("F24: away from the median of recent prices")] = 5.0
    price_spreads: Annotated[float, _why("F24: times the usual distance from it")] = 6.0
    volume_percent: Annotated[float, _why("F24: of the average daily volume seen here")] = 5.0
    volume_times: Annotated[float, _why("F24: and times the 99th percentile of sizes")] = 3.0
    orders_learned: Annotated[int, _why("F24, F29: orders before any is judged")] = 50
    burst_second: Annotated[int, _why("F25: orders, changes and cancels in 1 s")] = 50
    burst_times: Annotated[int, _why("F25: times the usual rate")] = 10
    cancel_share: Annotated[float, _why("F25: cancels of what is entered in a minute")] = 0.95
    cancel_orders: Annotated[int, _why("F25: orders in that minute")] = 100
    drop_reports: Annotated[int, _why("F26: reports to one who never ordered")] = 10
    tiny_segments: Annotated[int, _why("F27: segments below 8 bytes")] = 20
    baseline_spreads: Annotated[float, _why("B01: robust deviations from the median")] = 6.0
    baseline_margin: Annotated[float, _why("B01: deviations beyond all that was learned")] = 3.0
    drift_slack: Annotated[float, _why("B02: deviations a window that are no drift")] = 0.8
    drift_sum: Annotated[float, _why("B02: deviations beyond it, added up")] = 7.0
    score_margin: Annotated[float, _why("B03: beyond the highest score learned from")] = 0.0
    mass_cancels: Annotated[int, _why("F30: mass cancels in 10 min")] = 2
    cancels_after_drop: Annotated[int, _why("F30: cancels in 5 s after a lost connection")] = 20
