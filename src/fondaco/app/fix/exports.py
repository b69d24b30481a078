"""Alerts for other people's systems: ECS, CEF and OCSF, one line an alert.

Elastic Common Schema 8.11; ArcSight Common Event Format, revision 25; OCSF 1.1 Detection Finding
(class_uid 2004). Secrets are masked before an alert exists.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from fondaco import __version__
from fondaco.app.fix.report import Report

_MS: Final = 1_000_000
_SEVERITIES: Final = {"low": 1, "medium": 2, "high": 3, "critical": 4}
_CEF_SEVERITIES: Final = {"low": 3, "medium": 6, "high": 8, "critical": 10}


def exported(report: Report, form: str) -> Iterator[str]:
    """The report's alerts, worst first, in "ecs", "cef" or "ocsf"."""
    return exported_alerts(report.alerts, form)


def exported_alerts(alerts: Iterable[Mapping[str, Any]], form: str) -> Iterator[str]:
    """Alerts as an audit shows them, a line each."""
    write = FORMS[form]
    for alert in alerts:
        yield write(alert)


def _ecs(alert: Mapping[str, Any]) -> str:
    first = alert["evidence"][0] if alert["evidence"] else {}
    return _json(
        {
            "@timestamp": _iso(alert["last_at"]),
            "ecs": {"version": "8.11.0"},
            "event": {
                **({"id": alert["id"]} if "id" in alert else {}),
                "kind": "alert",
                "category": ["network", "intrusion_detection"],
                "type": ["info"],
                "module": "fondaco",
                "dataset": "fondaco.fix",
                "severity": _SEVERITIES[alert["severity"]],
                "start": _iso(alert["first_at"]),
                "end": _iso(alert["last_at"]),
                "reason": alert["reason"],
            },
            "message": f"{alert['title']}: {alert['subject']}: {alert['reason']}",
            "network": {"protocol": "fix", "transport": "tcp"},
            "rule": {"id": alert["pattern"], "name": alert["title"], "ruleset": "fondaco-fix"},
            "threat": {
                "framework": "MITRE ATT&CK",
                "technique": {"id": list(alert["attack"])},
            },
            "observer": {"vendor": "Fondaco", "product": "fondaco", "version": __version__},
            "fondaco": {
                "subject": alert["subject"],
                "count": alert["count"],
                "evidence": alert["evidence"],
            },
            **({"file": {"name": first["file"]}} if first else {}),
        }
    )


def _ocsf(alert: Mapping[str, Any]) -> str:
    return _json(
        {
            "class_uid": 2004,
            "class_name": "Detection Finding",
            "category_uid": 2,
            "category_name": "Findings",
            "activity_id": 1,
            "activity_name": "Create",
            "type_uid": 200401,
            "time": alert["last_at"] // _MS,
            "start_time": alert["first_at"] // _MS,
            "end_time": alert["last_at"] // _MS,
            "count": alert["count"],
            "severity_id": _SEVERITIES[alert["severity"]] + 1,
            "severity": alert["severity"].capitalize(),
            "status_id": 1,
            "message": alert["reason"],
            "finding_info": {
                "uid": alert.get("id")
                or f"{alert['pattern']}:{alert['subject']}:{alert['first_at']}",
                "title": alert["title"],
                "desc": alert["reason"],
                "analytic": {"type_id": 1, "type": "Rule", "uid": alert["pattern"]},
                "attacks": [
                    {"technique": {"uid": technique}, "version": "14"}
                    for technique in alert["attack"]
                ],
                "first_seen_time": alert["first_at"] // _MS,
                "last_seen_time": alert["last_at"] // _MS,
            },
            "evidences": [{"data": each} for each in alert["evidence"]],
            "resources": [{"name": alert["subject"], "type": "FIX session"}],
            "metadata": {
                "version": "1.1.0",
                "product": {"name": "fondaco", "vendor_name": "Fondaco", "version": __version__},
            },
        }
    )


def _cef(alert: Mapping[str, Any]) -> str:
    head = "|".join(
        _cef_head(part)
        for part in ("Fondaco", "fondaco", __version__, alert["pattern"], alert["title"])
    )
    extension = {
        "start": alert["first_at"] // _MS,
        "end": alert["last_at"] // _MS,
        "cnt": alert["count"],
        "app": "FIX",
        "msg": alert["reason"],
        "cs1Label": "subject",
        "cs1": alert["subject"],
        "cs2Label": "attack",
        "cs2": " ".join(alert["attack"]),
    }
    if "id" in alert:
        extension["externalId"] = alert["id"]
    if alert["evidence"]:
        first = alert["evidence"][0]
        extension |= {
            "fname": first["file"],
            "cn1Label": "offset",
            "cn1": first["offset"],
            "cs3Label": "sha256",
            "cs3": first["sha256"],
        }
    said = " ".join(f"{name}={_cef_value(value)}" for name, value in extension.items())
    return f"CEF:0|{head}|{_CEF_SEVERITIES[alert['severity']]}|{said}"


def _cef_head(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _cef_value(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("=", "\\=")
    return text.replace("\r", " ").replace("\n", "\\n")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1_000_000_000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1_000_000_000 // _MS:03d}Z"


FORMS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "ecs": _ecs,
    "cef": _cef,
    "ocsf": _ocsf,
}
