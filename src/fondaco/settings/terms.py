"""Every knob of the house, with its unit, its default and the reason for it."""

from typing import Annotated, Final, Literal

import msgspec

from fondaco.settings.knobs import GIB, KIB, MIB
from fondaco.settings.knobs import whole as _whole
from fondaco.settings.knobs import why as _why

LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The effective values. Made by `load`, read by app.py, which hands on what each part needs."""

    # Where
    host: Annotated[
        str, _why("only this machine can reach the house until somebody says otherwise", "address")
    ] = "127.0.0.1"
    port: Annotated[
        int, _whole("TCP port", 0, 65_535, "0 takes a free one and prints it; 8000 is customary")
    ] = 8_000
    data: Annotated[
        str, _why("journal, tape, views and records of one house; one process writes it", "folder")
    ] = ".fondaco"
    feed: Annotated[
        str,
        _why(
            "auto, none, synthetic[,seed=N][,rate=N], replay:PATH[,speed=N] or binance:SYMBOL,…; "
            "several parted by ';', of which the first that is good is shown; a synthetic market "
            "works without a network, and is labelled wherever it is shown",
            "feed",
        ),
    ] = "synthetic"
    demo: Annotated[
        bool, _why("creates tenant, account and token `demo`, so it listens on loopback only")
    ] = False

    sandbox: Annotated[
        bool,
        _why(
            "R9: begins a house whose time stands still until POST /api/test-clock/advance moves "
            "it, and whose prices are made up; an empty data directory becomes one for good"
        ),
    ] = False

    tls_cert: Annotated[
        str,
        _why(
            "a certificate and those that signed it (PEM): HTTP and WebSocket then speak TLS 1.3, "
            "and show what changes in the files without dropping a request; none: plainly",
            "file",
        ),
    ] = ""
    tls_key: Annotated[str, _why("the key of tls_cert (PEM)", "file")] = ""
    tls_clients: Annotated[
        str,
        _why(
            "certificates (PEM) that sign those of clients, or are theirs: nobody connects without "
            "one; an authority that is taken out is still believed until the house starts again",
            "file",
        ),
    ] = ""

    proxies: Annotated[
        str,
        _why(
            "10.0.0.0/8, spiffe://house/door, …: whose X-Forwarded-For, -Proto and -Client-Cert "
            "are believed, by network or by the name in their certificate (docs/mesh.md); none: "
            "nobody's",
            "networks and SPIFFE ids",
        ),
    ] = ""
    proxy_viewer_header: Annotated[
        str,
        _why(
            "a header in which a CDN says who asks, such as cloudfront-viewer-address; believed "
            "from `proxies` alone, and only right where every way in leads through that CDN",
            "header",
        ),
    ] = ""
    zero_trust: Annotated[
        str,
        _why(
            "tenants, parted by blanks, of whose requests every link of the chain is required: "
            "encryption, certificate, user, session, second factor, trusted device, policy, audit "
            "(docs/identity.md); all: every tenant; none: nobody's",
            "tenants",
        ),
    ] = "none"

    fix_port: Annotated[
        int,
        _whole("TCP port", 0, 65_535, "counterparties of fix.toml log on here; 0 listens to none"),
    ] = 0
    fix_venue: Annotated[
        str,
        _why(
            "another demo house's host:fix_port: every order goes there; other counterparties "
            "are in fix.toml",
            "host:port",
        ),
    ] = ""

    fix_publish_to: Annotated[
        str,
        _why(
            "F7, F8: FIX messages and alerts for other programs, keyed by session, at least once: "
            "kafka://host:9092, redis:// (streams) or file:// (JSON lines); ?partitions=8",
            "address",
        ),
    ] = "none"
    fix_alerts_to: Annotated[
        str,
        _why(
            "each alert to a SIEM: syslog+tls://host:6514, syslog+tcp://, syslog+udp:// (CEF), or "
            "https:// (OCSF); ?form=ecs for another form, ca=FILE for an authority of one's own",
            "address",
        ),
    ] = "none"

    topics: Annotated[
        str,
        _why(
            "P55, P56: what webhooks tell, for programs of the firm, a topic a type, keyed by what "
            "it is about: kafka://host:9092, redis:// (streams) or file:// (JSON lines); "
            "?partitions=8",
            "address",
        ),
    ] = "none"

    mcp_origins: Annotated[
        str,
        _why(
            "pages elsewhere, parted by blanks, that may connect to /mcp from a browser, like "
            "https://desk.example; those on this machine may; programs send no origin",
            "origins",
        ),
    ] = ""

    # Four eyes
    four_eyes: Annotated[
        Literal["on", "off", "strict"],
        _why(
            "limits and FIX sequence numbers need a second person; with --demo the tenant `demo` "
            "is one person, who may do both halves: strict asks for a second one there, too"
        ),
    ] = "on"
    approval_ttl_s: Annotated[
        int, _whole("s", 60, 2_592_000, "what nobody has agreed to by then must be asked again")
    ] = 86_400
    password_memory_mib: Annotated[
        int,
        _whole("MiB", 8, 4_096, "argon2id, RFC 9106: what a guess costs whoever stole the records"),
    ] = 64
    password_breached: Annotated[
        str,
        _why(
            "Have I Been Pwned's folder of ranges, or its sorted file: none of these passwords",
            "path",
        ),
    ] = ""
    session_idle_min: Annotated[
        int, _whole("min", 1, 1_440, "a browser that nobody uses is signed out")
    ] = 30
    session_max_min: Annotated[
        int, _whole("min", 5, 43_200, "nobody stays signed in for longer, however busy: 24 hours")
    ] = 1_440
    issuer: Annotated[
        str,
        _why(
            "the name of this house as an OpenID provider, https://fondaco.example.com; empty: the "
            "address that it listens on",
            "URL",
        ),
    ] = ""
    oauth_registration: Annotated[
        bool,
        _why(
            "whether applications may register themselves (RFC 7591), as MCP clients do; they can "
            "do nothing until a person agrees. A demo lets them"
        ),
    ] = False
    kyc_required: Annotated[
        str,
        _why(
            "tenants, parted by blanks, whose people place no order and take out no money until "
            "they are verified; all: every tenant; none: nobody is asked",
            "tenants",
        ),
    ] = "none"
    kyc_valid_days: Annotated[
        int, _whole("d", 1, 3_650, "who was approved is asked again after this; 2 years")
    ] = 730
    kyc_countries_refused: Annotated[
        str,
        _why(
            "ISO 3166-1 codes of countries from where nobody is accepted: those for which the FATF "
            "calls for action, and Cuba",
            "countries",
        ),
    ] = "CU IR KP MM"
    kyc_countries_watched: Annotated[
        str, _why("ISO 3166-1 codes of countries that a reviewer is told of", "countries")
    ] = ""
    screening_lists: Annotated[
        str,
        _why(
            "files, parted by blanks, in which people are looked up: SDN.CSV (ALT.CSV beside it) "
            "or SDN.XML of OFAC, targets.simple.csv of OpenSanctions; auto: a list of invented "
            "names in a demo, and none elsewhere, where nobody is approved then",
            "files",
        ),
    ] = "auto"
    break_glass_max_min: Annotated[
        int, _whole("min", 0, 1_440, "how long one may do without a second person; 0 is never")
    ] = 60

    fix_capture_max_bytes: Annotated[
        int, _whole("bytes", MIB, 64 * GIB, "one upload that is to be audited and searched")
    ] = 256 * MIB
    fix_captures_quota_bytes: Annotated[
        int,
        _whole("bytes", MIB, 1024**5, "uploads together can never fill the disk of the journal"),
    ] = 4 * GIB

    # Journal
    journal: Annotated[
        str,
        _why(
            "segments (files in the data directory) or postgresql://user@host/database: with a "
            "synchronous replica, what was acknowledged outlives the machine",
            "address",
        ),
    ] = "segments"
    segment_bytes: Annotated[
        int,
        _whole(
            "bytes", MIB, 4 * GIB, "a file is preallocated whole; 64 MiB is seconds of full load"
        ),
    ] = 64 * MIB
    snapshot_every_entries: Annotated[
        int,
        _whole("entries", 1_000, 10_000_000, "bounds recovery: a stream replays at most this tail"),
    ] = 100_000
    checks_every_s: Annotated[
        int,
        _whole(
            "s",
            0,
            86_400,
            "how late a wrong balance may be told of; 0 makes no standing checks",
        ),
    ] = 60
    root_every_s: Annotated[
        int,
        _whole(
            "s", 1, 604_800, "R15: a published root binds all before it; what is newer can be cut"
        ),
    ] = 86_400
    behind_max_ms: Annotated[
        int,
        _whole("ms", 50, 60_000, "a committer or reactor further behind answers Unavailable"),
    ] = 1_000
    drain_timeout_s: Annotated[
        int, _whole("s", 1, 600, "SIGTERM waits this long for requests under way; then it stops")
    ] = 10

    # Tape and market
    tape_quota_bytes: Annotated[
        int,
        _whole("bytes", 16 * MIB, 1024**5, "market data can never fill the disk of the journal"),
    ] = 10 * GIB
    stale_after_ms: Annotated[
        int,
        _whole("ms", 100, 600_000, "a book silent for longer admits only orders that reduce"),
    ] = 5_000
    paper_latency_ms: Annotated[
        int, _whole("ms", 0, 10_000, "from acceptance to the paper venue's book; 0 is at once")
    ] = 1
    pool_every_ms: Annotated[
        int,
        _whole("ms", 50, 3_600_000, "a block gathers the fractional orders that came meanwhile"),
    ] = 1_000

    # Tracing
    otlp_endpoint: Annotated[
        str,
        _why(
            "http://host:4318 of a collector that takes OTLP over HTTP; empty sends nothing. The "
            "standard OTEL_EXPORTER_OTLP_ENDPOINT counts where this is not set",
            "address",
        ),
    ] = ""
    decisions_quota_bytes: Annotated[
        int,
        _whole(
            "bytes",
            0,
            1024**4,
            "what was decided about who may do what, to ask what other rules would have decided; "
            "the oldest go first; 0 keeps none, and the journal still has every denial",
        ),
    ] = 64 * MIB
    traces_quota_bytes: Annotated[
        int,
        _whole(
            "bytes",
            0,
            1024**5,
            "when commits were: 60 bytes an order, of which the oldest go first; 0 notes nothing",
        ),
    ] = GIB

    # Retention
    retention_idempotency_h: Annotated[
        int,
        _whole("h", 24, 87_600, "C53: replay of status and body; cl_ord_ids are kept for ever"),
    ] = 24
    retention_tape_days: Annotated[
        int, _whole("days", 1, 36_500, "X22: raw market data for a year, within its quota")
    ] = 365

    retention_orders_years: Annotated[
        int,
        _whole("years", 1, 100, "R16: what somebody who is forgotten did stays; 17a-4 asks six"),
    ] = 7
    retention_fix_admin_days: Annotated[
        int,
        _whole("days", 1, 36_500, "heartbeats are searched so long, then archived in files"),
    ] = 30
    retention_fix_days: Annotated[
        int,
        _whole("days", 1, 36_500, "F21: other FIX messages are searched so long, then archived"),
    ] = 400
    retention_fix_archive_days: Annotated[
        int,
        _whole("days", 1, 36_500, "the archive's files are deleted then; SEC 17a-4 asks 6 years"),
    ] = 2_557

    # Records
    store: Annotated[
        str,
        _why(
            "sqlite (a file in the data directory) or postgresql://user@host/database: users, keys "
            "and kept replies; views stay in the directory, since they are worked out again",
            "address",
        ),
    ] = "sqlite"

    # Secrets
    secrets: Annotated[
        str,
        _why(
            "the key ring: file (in the data directory), aws:REGION/ALIAS (KMS and Secrets "
            "Manager) or pkcs11:TOKEN (an HSM); chosen when a house first starts",
            "address",
        ),
    ] = "file"
    unseal: Annotated[
        str,
        _why(
            "what unseals the ring: key (a file beside it, which protects backups and copies), "
            "file:PATH or env:NAME (a passphrase, or the PIN of a token: protects the disk, too)",
            "address",
        ),
    ] = "key"

    encrypt_at_rest: Annotated[
        bool,
        _why(
            "orders, accounts and FIX messages are encrypted on the disk under a key of the ring: "
            "journal, views, records, tape, archive; for a new house, or one that was sealed "
            "(fondaco seal); it stays so whatever this says later"
        ),
    ] = False

    # Cache
    cache: Annotated[
        str,
        _why(
            "memory, or redis://host:6379/0 (rediss://, unix://): rates and tickets that several "
            "processes share, and a restart keeps",
            "address",
        ),
    ] = "memory"

    # Simulations
    compute: Annotated[
        str,
        _why(
            "who walks simulations: processes of this machine, ray:local (a Ray cluster here, for "
            "as long as one is walked), or one that is there, ray:HOST:PORT or ray://HOST:PORT",
            "address",
        ),
    ] = "processes"

    # Outwards
    outbound_networks: Annotated[
        str,
        _why(
            "webhooks and providers are called at public addresses, over TLS; these networks "
            "(10.0.0.0/8, …) may be called besides, also plainly; a demo may call its own machine",
            "networks",
        ),
    ] = ""

    mail_server: Annotated[
        str,
        _why(
            "smtp://user:password@host:587 (STARTTLS) or smtps://host (TLS at once); ?ca=FILE "
            "for an authority of one's own; none: mails are kept as files in mail/",
            "address",
        ),
    ] = "none"
    mail_from: Annotated[
        str, _why("who mails are from; a domain that your server may send for", "address")
    ] = "Fondaco <fondaco@localhost>"
    pager: Annotated[
        str,
        _why(
            "pagerduty://:ROUTING_KEY@events.pagerduty.com (Events API v2): failing checks, the "
            "kill switch and severe alerts wake somebody up; none: nobody",
            "address",
        ),
    ] = "none"
    # Payments
    payments: Annotated[
        Literal["auto", "none", "sandbox", "stripe"],
        _why(
            "who takes the money for what is sold: auto is the sandbox in a demo, and nobody "
            "elsewhere; the sandbox behaves as Stripe does and moves no money (docs/payments.md)"
        ),
    ] = "auto"
    stripe_key: Annotated[
        str, _why("where Stripe's secret key is kept, a restricted one does", "reference")
    ] = "secret://stripe/key"
    stripe_webhook_secrets: Annotated[
        str,
        _why(
            "where the secrets of Stripe's webhook are kept: several, parted by spaces, are "
            "believed while one is being changed",
            "reference",
        ),
    ] = "secret://stripe/webhooks"
    stripe_address: Annotated[
        str, _why("none: Stripe's own; another for its mock, within outbound_networks", "address")
    ] = ""
    payments_tape_quota_bytes: Annotated[
        int,
        _whole("bytes", MIB, 1 << 40, "what providers have said, as evidence: a million messages"),
    ] = 4 * GIB

    # Doors
    body_max_bytes: Annotated[
        int, _whole("bytes", KIB, 256 * MIB, "holds a bulk of 1,000 orders with room to spare")
    ] = MIB
    graphql_documents: Annotated[
        str,
        _why("a JSON object of GraphQL documents: then no other is executed; none: any", "file"),
    ] = ""
    header_timeout_s: Annotated[
        int, _whole("s", 1, 300, "who has not sent a whole request by then is cut off")
    ] = 10
    ws_connections_max: Annotated[
        int, _whole("connections", 1, 1_000_000, "bounds the memory that idle clients can take")
    ] = 10_000
    ws_idle_timeout_s: Annotated[
        int, _whole("s", 5, 86_400, "a peer that answers no ping for this long is gone")
    ] = 60
    ws_send_queue_max: Annotated[
        int,
        _whole("messages", 16, 1_000_000, "a slower consumer is cut off: executions never gap"),
    ] = 10_000
    request_filter: Annotated[
        Literal["off", "observe", "enforce"],
        _why("rules over method, path and headers (docs/door.md); observe counts and lets in"),
    ] = "enforce"
    request_maps: Annotated[
        str,
        _why(
            "rules by which requests of old partners at /partners/… become ours: names of headers "
            "and of fields in bodies (docs/door.md); none: there are none",
            "file",
        ),
    ] = ""
    connections_per_address: Annotated[
        int,
        _whole("connections", 0, 1_000_000, "one crowd leaves room for others; 0 is off"),
    ] = 2_000
    cors_origins: Annotated[
        str,
        _why(
            "https://app.example, …: pages of these origins may call operations with a token; "
            "none: those of this house alone",
            "origins",
        ),
    ] = ""
    rate_user_per_s: Annotated[
        int,
        _whole("requests/s", 0, 1_000_000, "0 is off: the velocity rule already bounds orders"),
    ] = 0
    rate_user_burst: Annotated[
        int, _whole("requests", 1, 10_000_000, "what may come at once after a pause")
    ] = 1_000
    rate_key_per_s: Annotated[
        int,
        _whole("requests/s", 0, 1_000_000, "0 is off: of each key; a user has several"),
    ] = 0
    rate_key_burst: Annotated[
        int, _whole("requests", 1, 10_000_000, "what may come at once after a pause")
    ] = 1_000
    rate_ip_per_s: Annotated[
        int,
        _whole("requests/s", 0, 1_000_000, "0 is off: set it where strangers reach the door"),
    ] = 0
    rate_ip_burst: Annotated[
        int, _whole("requests", 1, 10_000_000, "what may come at once after a pause")
    ] = 1_000

    # Watching
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARN", "ERROR"],
        _why("C70: at INFO every request writes a line, which the order path can do without"),
    ] = "WARN"
    log_to: Annotated[
        str,
        _why(
            "P91: cloudwatch://REGION/GROUP, where the log and the audit are told, too; none keeps "
            "the log on stderr alone",
            "address",
        ),
    ] = "none"
