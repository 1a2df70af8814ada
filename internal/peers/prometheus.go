package peers

import (
	"fmt"
	"testing"
)

// Prometheus starts a Prometheus on configYAML; rulesYAML, where not empty, lies beside it as rules.yml, which the
// configuration may name under rule_files.
//
// It learns its alertmanagers after 5 s, drops what fires before, and sends it again after a minute: give a rule
// `for: 6s`, or pass --rules.alert.resend-delay.
func Prometheus(t testing.TB, configYAML, rulesYAML string, flags ...string) *Proc {
	t.Helper()
	p := newProc(t, "prometheus", program(t, "prometheus"))
	config := write(t, p.Dir, "prometheus.yml", configYAML)
	if rulesYAML != "" {
		write(t, p.Dir, "rules.yml", rulesYAML)
	}
	return p.serve(append([]string{
		"--config.file=" + config,
		"--storage.tsdb.path=data",
		"--web.enable-lifecycle",
	}, flags...)...)
}

// Alertmanager starts an Alertmanager without clustering on configYAML.
func Alertmanager(t testing.TB, configYAML string) *Proc {
	t.Helper()
	p := newProc(t, "alertmanager", program(t, "prometheus-alertmanager", "alertmanager"))
	return p.serve(
		"--config.file="+write(t, p.Dir, "alertmanager.yml", configYAML),
		"--storage.path=data",
		"--cluster.listen-address=",
	)
}

// serve starts p on a free port, which both daemons take through the same flag, and waits until it is ready.
// The port is chosen here because their generatorURL and externalURL are made of the flag as given.
func (p *Proc) serve(flags ...string) *Proc {
	p.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(p.t))
	p.URL = "http://" + address
	p.start(append(flags, "--web.listen-address="+address)...)
	p.awaitReady("/-/ready")
	return p
}
