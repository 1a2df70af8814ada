package grafana

// itself is for who runs Tocsin: the daemon's own metrics.
func itself() Board {
	return Board{
		UID: "tocsin-itself", Title: "Tocsin itself", Span: "now-6h", Refresh: "30s",
		Description: "The daemon: what it takes in, what waits, what its disk, its projections and its receivers do. The alert rules beside the boards ring on the same figures.",
		Variables: []Variable{
			{Name: prometheus, Label: "Prometheus", Plugin: prometheusPlugin},
			{Name: "job", Label: "Job", Source: prometheus, Query: "label_values(tocsin_build_info, job)"},
			{Name: "instance", Label: "Instance", Source: prometheus, Query: `label_values(tocsin_build_info{job=~"$job"}, instance)`},
		},
		Sections: []Section{
			{"Is it well", wellness()},
			{"Intake", intake()},
			{"Journal and core", core()},
			{"History and search", projections()},
			{"Telling people", telling()},
			{"Kafka", kafka()},
			{"Process", process()},
		},
	}
}

// of is a metric of the chosen daemons; more are further matchers.
func of(metric, more string) string {
	if more != "" {
		more += ", "
	}
	return metric + "{" + more + `job=~"$job", instance=~"$instance"}`
}

// rate and rateBy are a counter per second, by instance and by the labels named.
func rate(metric string) string { return rateBy("instance", metric, "") }

func rateBy(labels, metric, more string) string {
	return "sum by (" + labels + ") (rate(" + of(metric, more) + "[$__rate_interval]))"
}

// spread is the median and the 99th percentile of a histogram, with the number of observations per second that they rest on.
func spread(histogram, more string) []Metric {
	buckets := rateBy("le", histogram+"_bucket", more)
	return []Metric{
		{"histogram_quantile(0.5, " + buckets + ")", "p50"},
		{"histogram_quantile(0.99, " + buckets + ")", "p99"},
	}
}

// lines is a panel over time of half the width.
func lines(title, what, unit string, metrics ...Metric) Panel {
	return Panel{Title: title, Kind: Lines, Width: 8, Height: 7, What: what, Unit: unit, Metrics: metrics}
}

// light is one figure that is 0 while all is well.
func light(title, what, expr string) Panel {
	return Panel{Title: title, Kind: Stat, Width: 3, Height: 4, What: what, Unit: "short", Metrics: []Metric{{expr, title}}, Steps: amiss()}
}

func wellness() []Panel {
	return []Panel{
		{
			Title: "Version", Kind: Stat, Width: 6, Height: 4, What: "What runs, by version and instance.", Unit: "short", Names: true,
			Metrics: []Metric{{"sum by (version, instance) (" + of("tocsin_build_info", "") + ")", "{{version}} {{instance}}"}},
		},
		light("Not scraped", "Instances that Prometheus knows and cannot scrape: down, or still recovering their state.", "count("+of("up", "")+" == 0) or vector(0)"),
		light("Log failed", "Logs that refuse to write after a failed sync. The daemon ends; start it again.", "sum("+of("tocsin_journal_failed", "")+")"),
		light("Clock jump", "Instances whose wall clock jumped: their deadlines wait.", "count("+of("tocsin_engine_clock_jump_seconds", "")+" != 0) or vector(0)"),
		light("Differences", "Decisions that came out otherwise than logged at the last start.", "sum("+of("tocsin_engine_start_differences", "")+")"),
		light("Outbox stalled", "Outboxes that cannot be written: messages wait.", "sum("+of("tocsin_notify_stalled", "")+")"),
		light("Gaps", "Times that changes were dropped before anybody was told of them, and entries that the history lacks because of it.",
			"(sum("+of("tocsin_notify_truncated_total", "")+") or vector(0)) + (sum("+of("tocsin_history_gap_entries_total", "")+") or vector(0))"),
	}
}

func intake() []Panel {
	return []Panel{
		lines("Events by source", "Events that became durable, per second, of the ten busiest sources with a key; all others are `without_key`.", "short",
			Metric{"topk(10, " + rateBy("source", "tocsin_ingest_events_total", "") + ")", "{{source}}"}),
		lines("Refused, by class", "Requests and alerts that were refused per second, and those over their source's cap.", "short",
			Metric{rateBy("class", "tocsin_ingest_errors_total", ""), "{{class}}"},
			Metric{rate("tocsin_ingest_over_cap_total"), "over their cap {{instance}}"},
			Metric{rate("tocsin_engine_refused_total"), "queue or disk full {{instance}}"}),
		lines("Acknowledging senders", "From a sender's request to the answer that its alerts are durable.", "s",
			spread("tocsin_api_request_seconds", `route=~"/api/v2/|POST /webhook/.*"`)...),
		lines("Queue", "Alerts accepted and not yet durable, and how many may be: beyond it senders get 503 and come again.", "short",
			Metric{of("tocsin_engine_queue_alerts", ""), "waiting {{instance}}"},
			Metric{of("tocsin_engine_queue_limit_alerts", ""), "limit {{instance}}"}),
		lines("Inputs and commits", "Inputs made durable per second, and the commits that did it: many inputs share one when it is busy.", "short",
			Metric{rate("tocsin_engine_inputs_total"), "inputs {{instance}}"},
			Metric{rate("tocsin_engine_commits_total"), "commits {{instance}}"}),
		lines("Requests", "All requests answered per second by class of status, and those refused before they reached a handler.", "short",
			Metric{rateBy("code", "tocsin_api_requests_total", ""), "{{code}}"},
			Metric{rateBy("reason", "tocsin_auth_refused_total", ""), "refused: {{reason}}"},
			Metric{rate("tocsin_api_panics_total"), "panics {{instance}}"}),
	}
}

func core() []Panel {
	return []Panel{
		lines("Sync", "Duration of the sync of a commit, by log: what the disk takes to make alerts durable.", "s",
			Metric{"histogram_quantile(0.5, " + rateBy("le, log", "tocsin_journal_sync_seconds_bucket", "") + ")", "p50 {{log}}"},
			Metric{"histogram_quantile(0.99, " + rateBy("le, log", "tocsin_journal_sync_seconds_bucket", "") + ")", "p99 {{log}}"}),
		lines("Written", "Bytes made durable per second, by log.", "Bps", Metric{rateBy("log", "tocsin_journal_written_bytes_total", ""), "{{log}}"}),
		lines("Held on disk", "Bytes of the logs, and of the timelines of incidents with their bound.", "bytes",
			Metric{"sum by (log) (" + of("tocsin_journal_size_bytes", "") + ")", "{{log}}"},
			Metric{"sum(" + of("tocsin_records_size_bytes", "") + ")", "records"},
			Metric{"sum(" + of("tocsin_records_capacity_bytes", "") + ")", "bound of records"}),
		lines("Step", "Time to decide on what one commit held.", "s", spread("tocsin_engine_step_seconds", "")...),
		lines("Changes not durable", "Inputs acknowledged whose changes are not durable yet; it stays above 0 while the disk has no room.", "short",
			Metric{of("tocsin_engine_changes_lag_inputs", ""), "{{instance}}"}),
		lines("Age of the snapshot", "How old the last snapshot of this run is, -1 before the first: what a crash has to step again.", "s",
			Metric{of("tocsin_engine_snapshot_age_seconds", ""), "{{instance}}"}),
		lines("Writes refused", "Per second, because the disk or a quota is full, by log; and snapshots that could not be written.", "short",
			Metric{rateBy("log", "tocsin_journal_full_total", ""), "{{log}}"},
			Metric{rate("tocsin_engine_snapshot_errors_total"), "snapshots {{instance}}"}),
		lines("Damage", "Bytes of an unfinished commit that opening a log cleared, places of the records that hold something else than was written, oldest segments of them removed.", "short",
			Metric{"sum by (log) (" + of("tocsin_journal_repair_cut_bytes", "") + ")", "cut from {{log}}"},
			Metric{"sum(" + of("tocsin_records_damaged_total", "") + ")", "damaged records"},
			Metric{"sum(" + of("tocsin_records_dropped_segments_total", "") + ")", "segments dropped"}),
		lines("Shadow", "Inputs that the shadow of other rules has yet to step, -1 when none runs.", "short",
			Metric{of("tocsin_engine_shadow_behind_inputs", ""), "{{instance}}"}),
	}
}

func projections() []Panel {
	return []Panel{
		lines("Behind, in entries", "Entries of the changes log that a projection has not taken in.", "short",
			Metric{of("tocsin_history_lag_entries", ""), "history {{instance}}"},
			Metric{of("tocsin_search_lag_entries", ""), "search {{instance}}"},
			Metric{of("tocsin_notify_lag_entries", ""), "notify {{instance}}"}),
		lines("Behind, in time", "How long ago a projection was even with the changes log.", "s",
			Metric{of("tocsin_history_lag_seconds", ""), "history {{instance}}"},
			Metric{of("tocsin_search_lag_seconds", ""), "search {{instance}}"}),
		lines("Rows into the history", "Rows inserted per second, by table.", "short", Metric{rateBy("table", "tocsin_history_rows_total", ""), "{{table}}"}),
		lines("Batches and errors", "Batches inserted per second, tries that failed, and faults of the search index.", "short",
			Metric{rate("tocsin_history_batches_total"), "batches {{instance}}"},
			Metric{rate("tocsin_history_errors_total"), "errors {{instance}}"},
			Metric{rate("tocsin_search_faults_total"), "faults of search {{instance}}"}),
		lines("Embedded ClickHouse", "Whether it answers, and how often it was started again. Empty where the history is on a server.", "short",
			Metric{of("tocsin_history_engine_up", ""), "up {{instance}}"},
			Metric{"increase(" + of("tocsin_history_engine_restarts_total", "") + "[1h])", "restarts in 1 h {{instance}}"}),
		lines("Asking the search", "Time to answer a query.", "s", spread("tocsin_search_query_seconds", "")...),
	}
}

func telling() []Panel {
	return []Panel{
		lines("Waiting", "Messages that wait for their receiver.", "short", Metric{"sum by (receiver) (" + of("tocsin_notify_pending", "") + ")", "{{receiver}}"}),
		lines("Oldest that waits", "A receiver that is down delays only its own messages.", "s", Metric{"max by (receiver) (" + of("tocsin_notify_oldest_seconds", "") + ")", "{{receiver}}"}),
		lines("Finished, by outcome", "Messages that left the outbox per second: sent, failed, expired, dropped.", "short",
			Metric{rateBy("outcome", "tocsin_notify_finished_total", ""), "{{outcome}}"}),
		lines("Not sent, by receiver", "Messages that will never arrive, per second.", "short",
			Metric{rateBy("receiver", "tocsin_notify_finished_total", `outcome!="sent"`), "{{receiver}}"}),
		lines("Retries", "Attempts that failed and are repeated, per second.", "short", Metric{rateBy("receiver", "tocsin_notify_retries_total", ""), "{{receiver}}"}),
		lines("Escalations", "Escalation steps taken, and times that nobody was on call and the whole team was told; in one hour.", "short",
			Metric{"sum(increase(" + of("tocsin_notify_escalations_total", "") + "[1h]))", "escalations"},
			Metric{"sum(increase(" + of("tocsin_notify_uncovered_total", "") + "[1h]))", "nobody on call"}),
	}
}

func kafka() []Panel {
	return []Panel{
		lines("Oldest message not durable", "By topic, over its partitions. Empty without Kafka.", "s", Metric{"max by (topic) (" + of("tocsin_kafka_lag_seconds", "") + ")", "{{topic}}"}),
		lines("Messages not durable", "By topic, over its partitions.", "short", Metric{"sum by (topic) (" + of("tocsin_kafka_lag_messages", "") + ")", "{{topic}}"}),
		lines("Faults", "Partitions that cannot be read, messages that ended as dead letters and that the broker deleted unread, in 5 min.", "short",
			Metric{"sum by (topic) (" + of("tocsin_kafka_partition_failing", "") + ")", "failing {{topic}}"},
			Metric{"sum by (topic, where) (increase(" + of("tocsin_kafka_dead_letters_total", "") + "[5m]))", "dead letters {{topic}} {{where}}"},
			Metric{"sum by (topic) (increase(" + of("tocsin_kafka_deleted_unread_messages_total", "") + "[5m]))", "deleted unread {{topic}}"}),
	}
}

func process() []Panel {
	return []Panel{
		lines("Memory", "Resident memory of the daemon and of the embedded ClickHouse, and the daemon's live heap.", "bytes",
			Metric{of("process_resident_memory_bytes", ""), "daemon {{instance}}"},
			Metric{of("go_memstats_heap_inuse_bytes", ""), "heap {{instance}}"},
			Metric{of("tocsin_history_engine_rss_bytes", ""), "ClickHouse {{instance}}"}),
		lines("Processor", "Cores that the daemon keeps busy; the embedded ClickHouse is a process of its own and not in it.", "short",
			Metric{rate("process_cpu_seconds_total"), "{{instance}}"}),
		lines("Handles and streams", "Open files, goroutines, and clients that follow the stream of changes.", "short",
			Metric{of("process_open_fds", ""), "files {{instance}}"},
			Metric{of("go_goroutines", ""), "goroutines {{instance}}"},
			Metric{of("tocsin_api_streams", ""), "streams {{instance}}"}),
	}
}
