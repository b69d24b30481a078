"""A configuration of Envoy in front of a house and its doors that read: it takes TLS 1.3 with a
client's certificate, says whose it is in X-Forwarded-Client-Cert, sends reads to the doors that
read, one after the other, and everything else to the house.

A door that is not ready is left out; what a door cannot answer (421, 503, or no answer at all) is
asked again at the next priority, which is the house. As JSON, which Envoy reads as it reads YAML.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fondaco.app.reading_door import paths
from fondaco.gateway.door import PREFIXES
from fondaco.kernel.errors import Invalid

TYPES: Final = "type.googleapis.com/envoy."
ROUTER: Final = "extensions.filters.http.router.v3.Router"
MANAGER: Final = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
DOWNSTREAM: Final = "extensions.transport_sockets.tls.v3.DownstreamTlsContext"
UPSTREAM: Final = "extensions.transport_sockets.tls.v3.UpstreamTlsContext"
PRIORITIES: Final = "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
OTHER_HOSTS: Final = "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
Node = dict[str, Any]
_PARAMETER: Final = re.compile(r"\\\{\w+\\\}")


def envoy(
    *,
    listen: str,
    owner: str,
    readers: Sequence[str],
    cert: str,
    key: str,
    clients: str,
    mesh_cert: str = "",
    mesh_key: str = "",
    mesh_ca: str = "",
    admin: str = "",
) -> Node:
    """Places are host:port, files are PEM. With `mesh_cert` Envoy speaks TLS to the house, shows
    that certificate, and believes what `mesh_ca` has signed. Raises `Invalid`."""
    if bool(mesh_cert) != bool(mesh_ca) or bool(mesh_cert) != bool(mesh_key):
        raise Invalid("mesh_cert, mesh_key and mesh_ca go together: give all three, or none")
    towards = _towards(mesh_cert, mesh_key, mesh_ca) if mesh_cert else {}
    reads = [[each] for each in ([*readers], [owner]) if each]
    listener = {
        "name": "door",
        "address": _address(listen),
        "filter_chains": [
            {
                "transport_socket": _shown(cert, key, clients),
                "filters": [_typed("manager", MANAGER, _manager())],
            }
        ],
    }
    clusters = [
        _cluster("house", [[owner]], towards),
        _cluster("reads", [group for [group] in reads], towards),
    ]
    found: Node = {"static_resources": {"listeners": [listener], "clusters": clusters}}
    if admin:
        found["admin"] = {"address": _address(admin)}
    return found


def _manager() -> Node:
    return {
        "stat_prefix": "door",
        "codec_type": "AUTO",
        # The client's own words about who it is are taken away; ours are put in their place.
        "use_remote_address": True,
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": {"subject": True, "uri": True},
        "normalize_path": True,
        "merge_slashes": False,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "75s",
        "request_headers_timeout": "10s",
        "http_filters": [_typed("router", ROUTER, {})],
        "route_config": {
            "name": "routes",
            "virtual_hosts": [{"name": "house", "domains": ["*"], "routes": _routes()}],
        },
    }


def _routes() -> list[Node]:
    reading = {
        "cluster": "reads",
        "timeout": "30s",
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
            "retriable_status_codes": [421, 502, 503, 504],
            "num_retries": 3,
            "per_try_timeout": "10s",
            "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.050s"},
            "retry_priority": _typed(
                "envoy.retry_priorities.previous_priorities", PRIORITIES, {"update_frequency": 1}
            ),
            "retry_host_predicate": [
                _typed("envoy.retry_host_predicates.previous_hosts", OTHER_HOSTS, {})
            ],
            "host_selection_retry_max_attempts": 3,
        },
    }
    is_get = [{"name": ":method", "string_match": {"exact": "GET"}}]
    reads = [
        {"match": {**each, "headers": is_get}, "route": reading}
        for path in paths()
        for each in _matches(path)
    ]
    # What may change something is asked once: whoever asks has an id to ask again with.
    return [*reads, {"match": {"prefix": "/"}, "route": {"cluster": "house", "timeout": "0s"}}]


def _matches(path: str) -> list[Node]:
    """Small ones: Envoy refuses expressions that take long (RE2 programs above 100)."""
    if "{" not in path:
        return [{"path": prefix + path} for prefix in PREFIXES]
    return [{"safe_regex": {"regex": "/api(/v1)?" + _PARAMETER.sub("[^/]+", re.escape(path))}}]


def _cluster(name: str, groups: Sequence[Sequence[str]], towards: Mapping[str, Any]) -> Node:
    """`groups` in the order in which they are asked."""
    endpoints = [
        {
            "priority": priority,
            "lb_endpoints": [{"endpoint": {"address": _address(each)}} for each in group],
        }
        for priority, group in enumerate(groups)
    ]
    found: Node = {
        "name": name,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        **towards,
    }
    if len(groups) > 1:
        found["common_lb_config"] = {
            # None is asked that is known not to be ready, however few are left.
            "healthy_panic_threshold": {"value": 0},
            # Who is ready is known at once: by default Envoy gathers such news for a second, in
            # which what a door cannot answer would not reach a house that has just begun.
            "update_merge_window": "0s",
        }
        found["health_checks"] = [
            {
                "timeout": "1s",
                "interval": "0.5s",
                "no_traffic_interval": "0.5s",
                "unhealthy_threshold": 1,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/ready"},
            }
        ]
    return found


def _shown(cert: str, key: str, clients: str) -> Node:
    context = {
        "require_client_certificate": True,
        "common_tls_context": {
            **_pair(cert, key),
            "alpn_protocols": ["h2", "http/1.1"],
            "validation_context": {"trusted_ca": {"filename": clients}},
        },
    }
    return _typed("envoy.transport_sockets.tls", DOWNSTREAM, context)


def _towards(cert: str, key: str, authority: str) -> Node:
    context = {
        "common_tls_context": {
            **_pair(cert, key),
            "validation_context": {"trusted_ca": {"filename": authority}},
        }
    }
    return {"transport_socket": _typed("envoy.transport_sockets.tls", UPSTREAM, context)}


def _pair(cert: str, key: str) -> Node:
    return {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_3",
            "tls_maximum_protocol_version": "TLSv1_3",
        },
        "tls_certificates": [
            {"certificate_chain": {"filename": cert}, "private_key": {"filename": key}}
        ],
    }


def _typed(name: str, kind: str, value: Mapping[str, Any]) -> Node:
    return {"name": name, "typed_config": {"@type": TYPES + kind, **value}}


def _address(place: str) -> Node:
    host, mark, port = place.rpartition(":")
    if not mark or not port.isdecimal() or not host:
        raise Invalid(f"{place[:100]!r} is no place, must be host:port such as 127.0.0.1:8000")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}
