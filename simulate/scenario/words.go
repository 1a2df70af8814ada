package scenario

// trouble is what can be wrong with an item of a class: an alert's name, its summary and its severity.
type trouble struct{ name, summary, severity string }

// rootTroubles are what an item says that is broken itself.
func rootTroubles(class string) []trouble {
	return map[string][]trouble{
		classCore:     {{"RouterDown", "Router does not answer", "critical"}, {"LineCardFailed", "Line card failed", "critical"}},
		classSwitch:   {{"SwitchDown", "Switch does not answer", "critical"}, {"UplinkErrors", "Uplink reports errors", "major"}},
		classRack:     {{"RackPowerLost", "Power of the rack is lost", "critical"}, {"RackOverheated", "Rack is at 43 °C", "major"}},
		classStorage:  {{"StoragePoolDegraded", "Storage pool is degraded", "critical"}, {"StorageLatencyHigh", "Storage answers in 840 ms", "major"}},
		classHost:     {{"HostOutOfMemory", "Host has 120 MB left", "critical"}, {"HostDiskFailed", "Disk 2 has failed", "major"}, {"HostDown", "Host does not answer", "critical"}},
		classVM:       {{"VMDiskFull", "Disk is 99 % full", "major"}, {"VMKernelPanic", "Kernel panic", "critical"}},
		classPod:      {{"PodCrashLooping", "Pod restarted 12 times", "major"}, {"PodOOMKilled", "Pod was killed: out of memory", "major"}},
		classDatabase: {{"DatabaseDiskFull", "Tablespace is 100 % full", "critical"}, {"DatabaseDeadlocks", "170 deadlocks a minute", "major"}, {"ReplicationBroken", "Replication stands still", "major"}},
		classService:  {{"ServiceBadRelease", "Error rate rose after a release", "critical"}, {"CertificateExpired", "Certificate has expired", "critical"}},
	}[class]
}

// symptoms are what an item says when something fails that it rests on.
func symptoms(class string) []trouble {
	return map[string][]trouble{
		classCore:     {{"BGPSessionDown", "BGP session is down", "major"}},
		classSwitch:   {{"SwitchUnreachable", "Switch cannot be reached", "critical"}, {"PortsDown", "24 ports are down", "major"}},
		classRack:     {{"RackSensorLost", "Sensors of the rack are silent", "minor"}},
		classStorage:  {{"StorageUnreachable", "Storage cannot be reached", "critical"}},
		classHost:     {{"HostUnreachable", "Host cannot be reached", "critical"}, {"HostNetworkErrors", "Network errors: 1200 a second", "major"}},
		classVM:       {{"VMUnreachable", "Machine cannot be reached", "major"}, {"VMStalled", "CPU stalls for 12 s", "minor"}},
		classPod:      {{"PodNotReady", "Pod is not ready", "minor"}, {"PodProbeFailed", "Liveness probe failed 3 times", "minor"}, {"PodErrors", "Pod answers 38 % with errors", "major"}},
		classDatabase: {{"DatabaseDown", "Database does not answer", "critical"}, {"DatabaseSlow", "Queries take 2.4 s", "major"}},
		classService:  {{"ServiceErrors", "12 % of requests fail", "critical"}, {"ServiceLatency", "p99 is 4.2 s", "major"}},
	}[class]
}

// murmurs are alerts that mean nothing more: they come and go on any item.
func murmurs() []trouble {
	return []trouble{
		{"ClockSkew", "Clock is off by 70 ms", "minor"}, {"BackupSlow", "Backup took 3 h", "minor"}, {"CPUHigh", "CPU is at 92 %", "major"},
		{"LogVolumeHigh", "4000 log lines a second", "minor"}, {"TemperatureHigh", "Temperature is 71 °C", "major"}, {"ScrapeSlow", "Scrape took 9 s", "minor"},
	}
}
