package simulate

// kind is an alerting rule; query is its expression as Prometheus escapes it.
type kind struct{ name, job, summary, query string }

// Rules in the manner of the kubernetes and node mixins.
var kinds = []kind{
	{"NodeFilesystemAlmostOutOfSpace", "node-exporter", "Filesystem has less than 5% space left",
		"node_filesystem_avail_bytes%7Bfstype%21%3D%22%22%7D+%2F+node_filesystem_size_bytes%7Bfstype%21%3D%22%22%7D+%2A+100+%3C+5"},
	{"NodeNetworkReceiveErrs", "node-exporter", "Network interface reports many receive errors",
		"rate%28node_network_receive_errs_total%5B2m%5D%29+%2F+rate%28node_network_receive_packets_total%5B2m%5D%29+%3E+0.01"},
	{"NodeMemoryHighUtilization", "node-exporter", "Host is running out of memory",
		"100+-+%28node_memory_MemAvailable_bytes+%2F+node_memory_MemTotal_bytes+%2A+100%29+%3E+90"},
	{"NodeCPUHighUsage", "node-exporter", "CPU has been busy for a quarter of an hour",
		"sum+by%28instance%29+%28avg+without%28cpu%29+%28rate%28node_cpu_seconds_total%7Bmode%21%3D%22idle%22%7D%5B2m%5D%29%29%29+%2A+100+%3E+90"},
	{"KubePodCrashLooping", "kube-state-metrics", "Pod is crash looping and does not come up",
		"max_over_time%28kube_pod_container_status_waiting_reason%7Breason%3D%22CrashLoopBackOff%22%7D%5B5m%5D%29+%3E%3D+1"},
	{"KubeDeploymentReplicasMismatch", "kube-state-metrics", "Deployment has not matched its replicas",
		"kube_deployment_spec_replicas+%3E+kube_deployment_status_replicas_available+and+changes%28kube_deployment_status_replicas_updated%5B10m%5D%29+%3D%3D+0"},
	{"HTTPRequestErrorRateHigh", "gateway", "Share of failing requests burns the budget",
		"sum%28rate%28http_requests_total%7Bcode%3D~%225..%22%7D%5B5m%5D%29%29+%2F+sum%28rate%28http_requests_total%5B5m%5D%29%29+%3E+0.05"},
	{"HTTPRequestLatencyHigh", "gateway", "The 99th percentile of latency is too high",
		"histogram_quantile%280.99%2C+sum+by%28le%29+%28rate%28http_request_duration_seconds_bucket%5B5m%5D%29%29%29+%3E+1.5"},
	{"PostgreSQLReplicationLag", "postgres-exporter", "Replica lags behind its primary database",
		"pg_replication_lag_seconds+%3E+30+and+on%28instance%29+pg_replication_is_replica+%3D%3D+1"},
	{"PostgreSQLTooManyConnections", "postgres-exporter", "Connections are almost used up",
		"sum+by%28instance%29+%28pg_stat_activity_count%29+%3E+0.9+%2A+pg_settings_max_connections"},
	{"KafkaConsumerLagGrowing", "kafka-exporter", "Consumer group falls behind its topic",
		"delta%28kafka_consumergroup_lag_sum%5B10m%5D%29+%3E+10000+and+kafka_consumergroup_lag_sum+%3E+100000"},
	{"TargetDown", "prometheus", "Target has not answered its last scrapes",
		"100+%2A+%28count%28up+%3D%3D+0%29+by+%28job%2C+namespace%2C+service%29+%2F+count%28up%29+by+%28job%2C+namespace%2C+service%29%29+%3E+10"},
}

var services = []string{
	"accounts", "ads", "billing", "cart", "catalogue", "checkout", "currency", "delivery",
	"frontend", "identity", "inventory", "ledger", "mailer", "orders", "payments", "pricing",
	"recommendation", "reporting", "search", "sessions", "shipping", "storage", "vouchers", "webhooks",
}

var regions = []string{"eu-central-1", "eu-west-2", "us-east-1", "ap-south-1"}
