package alertmanager

import (
	"net/http"
	"runtime"
)

// shortestConfig is valid to Alertmanager and says what is true of Tocsin: one receiver, groups by its own rules.
const shortestConfig = `# Tocsin groups alerts by its own rules; this is what they look like to Alertmanager's clients.
global:
  resolve_timeout: 5m
route:
  receiver: tocsin
  group_by: [alertname]
receivers:
  - name: tocsin
`

type statusAnswer struct {
	Cluster     clusterStatus `json:"cluster"`
	Config      configStatus  `json:"config"`
	Uptime      stamp         `json:"uptime"` // when the daemon started: Alertmanager's name is misleading
	VersionInfo versionInfo   `json:"versionInfo"`
}

type clusterStatus struct {
	Name   string       `json:"name"`
	Peers  []peerStatus `json:"peers"`
	Status string       `json:"status"`
}

type peerStatus struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

type configStatus struct {
	Original string `json:"original"`
}

type versionInfo struct {
	Branch    string `json:"branch"`
	BuildDate string `json:"buildDate"`
	BuildUser string `json:"buildUser"`
	GoVersion string `json:"goVersion"`
	Revision  string `json:"revision"`
	Version   string `json:"version"`
}

// getStatus says which Alertmanager the API is compatible with, and in branch and buildUser what it really is.
func (a *API) getStatus(w http.ResponseWriter, _ *http.Request) {
	product := "tocsin " + a.opts.Version
	answer(w, http.StatusOK, statusAnswer{
		Cluster: clusterStatus{
			Name: a.opts.Name, Status: "ready",
			Peers: []peerStatus{{Address: a.opts.Address, Name: a.opts.Name}},
		},
		Config: configStatus{*a.config.Load()},
		Uptime: stampOf(a.opts.Started),
		VersionInfo: versionInfo{
			Branch: product, BuildUser: product, GoVersion: runtime.Version(), Revision: a.opts.Revision, Version: CompatibleVersion,
		},
	})
}

type receiverName struct {
	Name string `json:"name"`
}

type receiverAnswer struct {
	Labels map[string]string `json:"labels"`
	Name   string            `json:"name"`
}

func (a *API) getReceivers(w http.ResponseWriter, r *http.Request) {
	wanted, ok := a.receiverWanted(w, r.URL.Query())
	if !ok {
		return
	}
	list := []receiverAnswer{}
	if wanted {
		list = append(list, receiverAnswer{receiverLabels(), receiver})
	}
	answer(w, http.StatusOK, list)
}
