-- The facts. Each row is keyed by where it comes from: the shard, the input's number (seq) and the change's number within it (n). A batch that
-- is inserted twice is the same rows twice, and FINAL folds them; the keys begin with a time, so that this costs next to nothing.
-- Codecs are by measurement (docs/history.md). Times are UTC with milliseconds; what did not happen is NULL. Names of teams, services and items are
-- those of the API; people are the opaque ids of the changes.

-- How far the projection of each shard is in here: written after its rows, so that what is cut off is inserted again. Besides the data folder's
-- own name there are "derived:" and it, up to where incidents and hours were recomputed, and "notify:" and it, for notifications by their numbers.
CREATE TABLE IF NOT EXISTS cursors
(
    shard    UInt32,
    instance String COMMENT 'of the data folder whose changes these are',
    seq      UInt64 COMMENT 'all changes up to here are in the tables',
    at       DateTime64(3, 'UTC') COMMENT 'of that change',
    written  DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(seq) ORDER BY (shard, instance);

-- Senders, by the number that changes call them by.
CREATE TABLE IF NOT EXISTS sources
(
    shard  UInt32,
    source UInt32 COMMENT 'from 1, in the order in which they were first heard of',
    seq    UInt64,
    n      UInt32,
    name   String,
    tenant LowCardinality(String),
    kind   LowCardinality(String) COMMENT 'resender, send_once'
)
ENGINE = ReplacingMergeTree(seq) ORDER BY (shard, source);

-- Alerts: what does not change while one is known.
CREATE TABLE IF NOT EXISTS alerts
(
    shard      UInt32 CODEC(ZSTD(1)),
    alert      UInt64 COMMENT 'its id; the API writes it in hexadecimal' CODEC(Delta, ZSTD(1)),
    seq        UInt64 CODEC(ZSTD(1)),
    n          UInt32 CODEC(ZSTD(1)),
    first_at   DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    tenant     LowCardinality(String) CODEC(ZSTD(1)),
    source     LowCardinality(String) COMMENT 'heard of first' CODEC(ZSTD(1)),
    name       LowCardinality(String) COMMENT 'alertname' CODEC(ZSTD(1)),
    resource   String COMMENT 'what its labels call the thing that is ill' CODEC(ZSTD(1)),
    labels     Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    annotations Map(LowCardinality(String), String) COMMENT 'as they were first' CODEC(ZSTD(1)),
    INDEX labels_values mapValues(labels) TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(seq) ORDER BY (shard, alert);

-- Everything that happened to alerts but repeats: raw events that changed something, and what the core made of them.
CREATE TABLE IF NOT EXISTS transitions
(
    at          DateTime64(3, 'UTC') COMMENT 'arrival' CODEC(DoubleDelta, ZSTD(1)),
    shard       UInt32 CODEC(ZSTD(1)),
    seq         UInt64 CODEC(DoubleDelta, ZSTD(1)),
    n           UInt32 CODEC(ZSTD(1)),
    kind        LowCardinality(String) COMMENT 'as the API names changes: alert_firing, alert_updated, alert_cleared, alert_expired, claim_ended, alert_suppressed, alert_released, alert_severity, alert_joined, alert_moved, alert_damped, alert_steadied, alert_unconfirmed, alert_reviewed, alert_dropped' CODEC(ZSTD(1)),
    event       Bool COMMENT 'a sender said it: alert_firing, alert_cleared, and of alert_updated, claim_ended and alert_expired those that a sender brought about. These are E of the reports' CODEC(ZSTD(1)),
    tenant      LowCardinality(String) CODEC(ZSTD(1)),
    source      LowCardinality(String) CODEC(ZSTD(1)),
    alert       UInt64 CODEC(T64, ZSTD(1)),
    name        LowCardinality(String) CODEC(ZSTD(1)),
    resource    LowCardinality(String) CODEC(ZSTD(1)),
    ci          LowCardinality(String) COMMENT 'id of the item it is bound to, empty when to none' CODEC(ZSTD(1)),
    bound       LowCardinality(String) COMMENT 'unbound, id, label, discovered, ambiguous, rule' CODEC(ZSTD(1)),
    phase       LowCardinality(String) COMMENT 'firing, cleared, expired' CODEC(ZSTD(1)),
    severity    UInt8 COMMENT '1 critical to 5 info' CODEC(ZSTD(1)),
    reason      LowCardinality(String) COMMENT 'why it is where it is' CODEC(ZSTD(1)),
    quiet       Array(LowCardinality(String)) COMMENT 'all that keeps it from ringing, the first that counts first' CODEC(ZSTD(1)),
    decided     LowCardinality(String) COMMENT 'the first deciding reason: what quiets it first, else reason' CODEC(ZSTD(1)),
    place       LowCardinality(String) COMMENT 'alert_firing: why topology put it there; none where rules group it' CODEC(ZSTD(1)),
    suppressed  Bool CODEC(ZSTD(1)),
    occurrence  UInt32 COMMENT 'firings of this alert that did not overlap, from 1' CODEC(ZSTD(1)),
    incident    UInt32 COMMENT '0: in none' CODEC(T64, ZSTD(1)),
    started_at  Nullable(DateTime64(3, 'UTC')) COMMENT 'of this occurrence, as the senders say' CODEC(Delta, ZSTD(1)),
    firing_at   Nullable(DateTime64(3, 'UTC')) COMMENT 'of this occurrence, arrival' CODEC(ZSTD(1)),
    ended_at    Nullable(DateTime64(3, 'UTC')) COMMENT 'arrival of its end' CODEC(Delta, ZSTD(1)),
    actor       LowCardinality(String) COMMENT 'person, empty: the machine' CODEC(ZSTD(1)),
    INDEX by_incident incident TYPE minmax GRANULARITY 1,
    INDEX by_ci ci TYPE bloom_filter GRANULARITY 4,
    INDEX by_alert alert TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, shard, seq, n);

-- Alerts in incidents: the last state of each occurrence while it was in one. Where it is now, moves tells.
CREATE TABLE IF NOT EXISTS members
(
    shard      UInt32 CODEC(ZSTD(1)),
    incident   UInt32 CODEC(ZSTD(1)),
    alert      UInt64 CODEC(T64, ZSTD(1)),
    occurrence UInt32 CODEC(ZSTD(1)),
    place      UInt64 COMMENT 'of the last transition in that incident: seq * 1048576 + n' CODEC(ZSTD(1)),
    phase      LowCardinality(String) CODEC(ZSTD(1)),
    started_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    firing_at  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    ended_at   Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(place) ORDER BY (shard, incident, alert, occurrence);

-- Alerts that went from one incident into another, by merges, splits and people.
CREATE TABLE IF NOT EXISTS moves
(
    shard      UInt32 CODEC(ZSTD(1)),
    alert      UInt64 CODEC(ZSTD(1)),
    occurrence UInt32 CODEC(ZSTD(1)),
    place      UInt64 COMMENT 'seq * 1048576 + n' CODEC(ZSTD(1)),
    at         DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    incident   UInt32 COMMENT 'into which' CODEC(ZSTD(1)),
    actor      LowCardinality(String) COMMENT 'person, empty: the machine' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree ORDER BY (shard, alert, occurrence, place);

-- Exact repeats, counted: changes alert_seen. A row counts those of a block of 65,536 inputs up to `through`.
CREATE TABLE IF NOT EXISTS repeats
(
    hour    DateTime('UTC') COMMENT 'of arrival' CODEC(ZSTD(1)),
    shard   UInt32 CODEC(ZSTD(1)),
    block   UInt64 COMMENT 'seq / 65536' CODEC(ZSTD(1)),
    tenant  LowCardinality(String) CODEC(ZSTD(1)),
    source  LowCardinality(String) CODEC(ZSTD(1)),
    repeats UInt64 CODEC(ZSTD(1)),
    through UInt64 COMMENT 'seq of the last input counted' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(through) PARTITION BY toYYYYMM(hour) ORDER BY (hour, shard, block, tenant, source);

-- Incidents, one row per version: each change with the state after it. Those of other systems have an origin of their own.
CREATE TABLE IF NOT EXISTS incident_versions
(
    origin       LowCardinality(String) COMMENT 'empty: Tocsin; else the name of the import' CODEC(ZSTD(1)),
    shard        UInt32 CODEC(ZSTD(1)),
    incident     UInt64 CODEC(ZSTD(1)),
    seq          UInt64 CODEC(T64, ZSTD(1)),
    n            UInt32 CODEC(ZSTD(1)),
    at           DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    kind         LowCardinality(String) COMMENT 'as the API names changes: incident_opened, incident_acknowledged, …' CODEC(ZSTD(1)),
    actor        LowCardinality(String) COMMENT 'person, empty: the machine' CODEC(ZSTD(1)),
    text         String CODEC(ZSTD(1)),
    number       String COMMENT 'INC-42, or what the other system calls it' CODEC(ZSTD(1)),
    tenant       LowCardinality(String) CODEC(ZSTD(1)),
    phase        LowCardinality(String) COMMENT 'open, resolved, closed, cancelled, merged' CODEC(ZSTD(1)),
    severity     UInt8 CODEC(ZSTD(1)),
    priority     UInt8 COMMENT '1 to 5' CODEC(ZSTD(1)),
    impact       UInt8 CODEC(ZSTD(1)),
    urgency      UInt8 CODEC(ZSTD(1)),
    title        String CODEC(ZSTD(1)),
    rule         LowCardinality(String) CODEC(ZSTD(1)),
    labels       Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    ci           String CODEC(ZSTD(1)),
    services     Array(LowCardinality(String)) COMMENT 'ids of the services it hurts' CODEC(ZSTD(1)),
    services_down Array(LowCardinality(String)) CODEC(ZSTD(1)),
    team         LowCardinality(String) CODEC(ZSTD(1)),
    assignee     LowCardinality(String) CODEC(ZSTD(1)),
    opened_at    DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    opened_by    LowCardinality(String) COMMENT 'person, empty: the machine' CODEC(ZSTD(1)),
    opened_name  LowCardinality(String) COMMENT 'alertname of the alert that opened it (on incident_opened only)' CODEC(ZSTD(1)),
    opened_resource String CODEC(ZSTD(1)),
    continues    UInt64 COMMENT 'incident that was full or too old to take the alert that opened this one (on incident_opened only); 0: none' CODEC(ZSTD(1)),
    acked_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    acked_by     LowCardinality(String) CODEC(ZSTD(1)),
    begun_at     Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    clear_since  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    held_until   Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    held_as      LowCardinality(String) COMMENT 'caller, vendor, change, problem, other; empty: not on hold' CODEC(ZSTD(1)),
    resolved_at  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    resolved_by  LowCardinality(String) COMMENT 'person, empty: the machine' CODEC(ZSTD(1)),
    closed_at    Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    reopened     UInt32 CODEC(ZSTD(1)),
    recurs       UInt64 CODEC(ZSTD(1)),
    merged_into  UInt64 CODEC(ZSTD(1)),
    parent       UInt64 CODEC(ZSTD(1)),
    storm        UInt32 CODEC(ZSTD(1)),
    heartbeat    UInt32 CODEC(ZSTD(1)),
    signal_lost  Bool CODEC(ZSTD(1)),
    unbound      Bool CODEC(ZSTD(1)),
    major        Bool CODEC(ZSTD(1)),
    rating       UInt8 COMMENT '0: none' CODEC(ZSTD(1)),
    reported     UInt32 COMMENT 'people who said that they are hit' CODEC(ZSTD(1)),
    first_event_said Nullable(DateTime64(3, 'UTC')) COMMENT 'imports: when the trouble began, where the export says so' CODEC(ZSTD(1)),
    reopens_said Nullable(UInt32) COMMENT 'imports: counts that the export gives without their times' CODEC(ZSTD(1)),
    reassignments_said Nullable(UInt32) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (origin, shard, incident, at, seq, n);

-- Incidents, one row each: what the reports count. Recomputed from incident_versions, transitions and causes whenever one of them changes.
CREATE TABLE IF NOT EXISTS incidents
(
    origin         LowCardinality(String) CODEC(ZSTD(1)),
    shard          UInt32 CODEC(ZSTD(1)),
    incident       UInt64 CODEC(ZSTD(1)),
    version        UInt64 COMMENT 'seq of the last change that is in it' CODEC(ZSTD(1)),
    number         String CODEC(ZSTD(1)),
    tenant         LowCardinality(String) CODEC(ZSTD(1)),
    phase          LowCardinality(String) COMMENT 'as of version: open, resolved, closed, cancelled, merged' CODEC(ZSTD(1)),
    severity       UInt8 CODEC(ZSTD(1)),
    priority       UInt8 COMMENT 'as of version' CODEC(ZSTD(1)),
    first_priority UInt8 COMMENT 'when it was opened' CODEC(ZSTD(1)),
    title          String CODEC(ZSTD(1)),
    rule           LowCardinality(String) CODEC(ZSTD(1)),
    ci             String CODEC(ZSTD(1)),
    services       Array(LowCardinality(String)) CODEC(ZSTD(1)),
    team           LowCardinality(String) CODEC(ZSTD(1)),
    assignee       LowCardinality(String) CODEC(ZSTD(1)),
    signature      UInt64 COMMENT 'of what happened where: tenant, opening alert or title without numbers, item' CODEC(ZSTD(1)),
    opened_at      DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    opened_by      LowCardinality(String) CODEC(ZSTD(1)),
    automatic      Bool COMMENT 'the machine opened it' CODEC(ZSTD(1)),
    first_event_at Nullable(DateTime64(3, 'UTC')) COMMENT 'earliest start of its alerts, as the senders say' CODEC(ZSTD(1)),
    received_at    Nullable(DateTime64(3, 'UTC')) COMMENT 'earliest arrival' CODEC(ZSTD(1)),
    last_clear_at  Nullable(DateTime64(3, 'UTC')) COMMENT 'latest end of its alerts, NULL while one fires' CODEC(ZSTD(1)),
    first_acked_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    acked_by       LowCardinality(String) CODEC(ZSTD(1)),
    resolved_at    Nullable(DateTime64(3, 'UTC')) COMMENT 'last resolve, NULL while open' CODEC(ZSTD(1)),
    resolved_by    LowCardinality(String) CODEC(ZSTD(1)),
    resolved_human Bool CODEC(ZSTD(1)),
    closed_at      Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    merged_into    UInt64 CODEC(ZSTD(1)),
    parent         UInt64 CODEC(ZSTD(1)),
    recurs         UInt64 CODEC(ZSTD(1)),
    major          Bool CODEC(ZSTD(1)),
    touched        Bool COMMENT 'a person did anything to it' CODEC(ZSTD(1)),
    resolves       Array(Tuple(at DateTime64(3, 'UTC'), human Bool)) COMMENT 'in order' CODEC(ZSTD(1)),
    reopens        Array(DateTime64(3, 'UTC')) COMMENT 'in order' CODEC(ZSTD(1)),
    reopen_count   UInt32 CODEC(ZSTD(1)),
    teams          Array(Tuple(team LowCardinality(String), since DateTime64(3, 'UTC'), until Nullable(DateTime64(3, 'UTC')))) COMMENT 'who had it, from opening to the last resolve (until NULL: still); consecutive ones differ' CODEC(ZSTD(1)),
    holds          Array(Tuple(reason LowCardinality(String), since DateTime64(3, 'UTC'), until Nullable(DateTime64(3, 'UTC')))) CODEC(ZSTD(1)),
    reassignments  UInt32 COMMENT 'changes of team or person after the first assignment' CODEC(ZSTD(1)),
    alerts         UInt32 COMMENT 'distinct alerts in it' CODEC(ZSTD(1)),
    occurrences    UInt32 COMMENT 'their firings' CODEC(ZSTD(1)),
    merges         UInt32 COMMENT 'merged in or out, split, or moved by people' CODEC(ZSTD(1)),
    verdict        LowCardinality(String) COMMENT 'of the machine''s cause: right, wrong, other; empty: none' CODEC(ZSTD(1)),
    rating         UInt8 CODEC(ZSTD(1)),
    updated_at     DateTime64(3, 'UTC') COMMENT 'of the last change' CODEC(ZSTD(1)),
    INDEX by_resolved ifNull(resolved_at, toDateTime64(0, 3, 'UTC')) TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(opened_at) ORDER BY (origin, shard, incident);

-- What the machine thought of root causes, and what people said of that.
CREATE TABLE IF NOT EXISTS causes
(
    at         DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    shard      UInt32 CODEC(ZSTD(1)),
    seq        UInt64 CODEC(ZSTD(1)),
    n          UInt32 CODEC(ZSTD(1)),
    incident   UInt64 CODEC(ZSTD(1)),
    candidates Array(Tuple(ci String, score Int64, share UInt16)) COMMENT 'best first; score in milli-nats, share in thousandths' CODEC(ZSTD(1)),
    margin     Int64 CODEC(ZSTD(1)),
    confident  Bool CODEC(ZSTD(1)),
    verdict    LowCardinality(String) COMMENT 'right, wrong, other; empty: none' CODEC(ZSTD(1)),
    verdict_on String CODEC(ZSTD(1)),
    verdict_by LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (shard, incident, at, seq, n);

-- Configuration items, bitemporal: what held in the world since valid_from, and since when Tocsin knows.
CREATE TABLE IF NOT EXISTS cis
(
    tenant     LowCardinality(String) CODEC(ZSTD(1)),
    id         String CODEC(ZSTD(1)),
    known_at   DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    shard      UInt32 CODEC(ZSTD(1)),
    seq        UInt64 CODEC(ZSTD(1)),
    n          UInt32 CODEC(ZSTD(1)),
    valid_from DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    gone       Bool COMMENT 'it left memory: dropped, or never confirmed' CODEC(ZSTD(1)),
    class      LowCardinality(String) CODEC(ZSTD(1)),
    name       String CODEC(ZSTD(1)),
    state      LowCardinality(String) COMMENT 'ordered, live, maintenance, retired, discovered' CODEC(ZSTD(1)),
    needs      UInt16 CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    relations  Array(Tuple(kind LowCardinality(String), to String, source LowCardinality(String))) CODEC(ZSTD(1)),
    source     LowCardinality(String) CODEC(ZSTD(1)),
    confidence UInt8 CODEC(ZSTD(1)),
    pinned     Array(LowCardinality(String)) CODEC(ZSTD(1)),
    actor      LowCardinality(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree ORDER BY (tenant, id, known_at, shard, seq, n);

-- Outages of services, one row per version.
CREATE TABLE IF NOT EXISTS outages
(
    shard        UInt32,
    outage       UInt32 COMMENT 'its number',
    version      UInt64 COMMENT 'of the change: seq * 1048576 + n',
    n            UInt32,
    at           DateTime64(3, 'UTC'),
    tenant       LowCardinality(String),
    service      LowCardinality(String),
    kind         LowCardinality(String) COMMENT 'down, degraded, planned',
    state        LowCardinality(String) COMMENT 'proposed, confirmed, rejected',
    began_at     DateTime64(3, 'UTC'),
    ended_at     Nullable(DateTime64(3, 'UTC')),
    cause        String,
    by_machine   Bool,
    known_at     DateTime64(3, 'UTC'),
    confirmed_by LowCardinality(String),
    confirmed_at Nullable(DateTime64(3, 'UTC')),
    incidents    Array(UInt64)
)
ENGINE = ReplacingMergeTree(version) ORDER BY (shard, outage);

-- Messages that a receiver took.
CREATE TABLE IF NOT EXISTS notifications
(
    at       DateTime64(3, 'UTC') COMMENT 'when the receiver took it' CODEC(DoubleDelta, ZSTD(1)),
    instance String CODEC(ZSTD(1)),
    number   UInt64 COMMENT 'of the delivery, in order' CODEC(ZSTD(1)),
    shard    UInt32 CODEC(ZSTD(1)),
    tenant   LowCardinality(String) CODEC(ZSTD(1)),
    incident UInt64 COMMENT '0: it is about no incident' CODEC(ZSTD(1)),
    subject  String COMMENT 'INC-42, storm, window, …' CODEC(ZSTD(1)),
    kind     LowCardinality(String) COMMENT 'change that it tells of' CODEC(ZSTD(1)),
    receiver LowCardinality(String) CODEC(ZSTD(1)),
    integration LowCardinality(String) COMMENT 'email, slack, pagerduty, webhook, …' CODEC(ZSTD(1)),
    team     LowCardinality(String) CODEC(ZSTD(1)),
    person   LowCardinality(String) COMMENT 'empty: nobody in person' CODEC(ZSTD(1)),
    rings    Bool COMMENT 'it interrupts: a page, a call, a direct message; false: a channel or a mailing list' CODEC(ZSTD(1)),
    step     UInt8 COMMENT 'of the escalation, from 0' CODEC(ZSTD(1)),
    attempts UInt16 CODEC(ZSTD(1)),
    delay_ms UInt32 COMMENT 'from the change to the delivery' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, instance, number);

-- Everything else that happened: silences, windows, storms, heartbeats, hand-overs, rules, pairs, starts of the core.
CREATE TABLE IF NOT EXISTS log
(
    at     DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
    shard  UInt32 CODEC(ZSTD(1)),
    seq    UInt64 CODEC(ZSTD(1)),
    n      UInt32 CODEC(ZSTD(1)),
    kind   LowCardinality(String) CODEC(ZSTD(1)),
    tenant LowCardinality(String) CODEC(ZSTD(1)),
    id     String COMMENT 'of the silence, window, storm, heartbeat, …' CODEC(ZSTD(1)),
    name   String CODEC(ZSTD(1)),
    source LowCardinality(String) COMMENT 'heartbeats and sources' CODEC(ZSTD(1)),
    actor  LowCardinality(String) CODEC(ZSTD(1)),
    since  Nullable(DateTime64(3, 'UTC')) COMMENT 'begin of what it is about' CODEC(ZSTD(1)),
    until  Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    count  UInt64 CODEC(ZSTD(1)),
    text   String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, shard, seq, n);

-- Rollup of what alerts did, by hour, recomputed from transitions when an hour is closed, and again when rows of it come late.
CREATE TABLE IF NOT EXISTS alert_hours
(
    hour       DateTime('UTC') CODEC(ZSTD(1)),
    shard      UInt32 CODEC(ZSTD(1)),
    tenant     LowCardinality(String) CODEC(ZSTD(1)),
    source     LowCardinality(String) CODEC(ZSTD(1)),
    name       LowCardinality(String) CODEC(ZSTD(1)),
    ci         String COMMENT 'item, else resource' CODEC(ZSTD(1)),
    events     UInt64 COMMENT 'E' CODEC(ZSTD(1)),
    opened     UInt64 COMMENT 'A: alert_firing' CODEC(ZSTD(1)),
    cleared    UInt64 CODEC(ZSTD(1)),
    expired    UInt64 CODEC(ZSTD(1)),
    flaps      UInt64 COMMENT 'alert_damped' CODEC(ZSTD(1)),
    quiet      UInt64 COMMENT 'of opened: something kept them quiet' CODEC(ZSTD(1)),
    joined     UInt64 COMMENT 'of opened: in an incident at once' CODEC(ZSTD(1)),
    incidents  UInt64 COMMENT 'alerts that opened one, at once or after waiting' CODEC(ZSTD(1)),
    version    UInt64 COMMENT 'seq up to which it was computed' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(hour) ORDER BY (hour, shard, tenant, source, name, ci);

-- What imports have brought: one row per incident of another system, so that a file that is read again changes only what differs.
CREATE TABLE IF NOT EXISTS imports
(
    origin     LowCardinality(String),
    incident   UInt64 COMMENT 'as in incident_versions: a hash of tenant and number',
    number     String,
    digest     UInt64 COMMENT 'of all its versions',
    generation UInt64 COMMENT 'the import that changed it last, counted within the origin: seq of its versions'
)
ENGINE = ReplacingMergeTree(generation) ORDER BY (origin, incident);
