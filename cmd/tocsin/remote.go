package main

import (
	"cmp"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const defaultURL = "http://127.0.0.1:9595"

// remote is the flags of every command that asks the daemon.
type remote struct {
	url, tokenFile, caFile, tenant string
	json, absolute                 bool
}

func addRemote(f *pflag.FlagSet) *remote {
	r := addDaemon(f)
	f.BoolVar(&r.absolute, "absolute", false, "show times as date and time of the local zone")
	addJSON(f, &r.json)
	return r
}

// addDaemon is addRemote for what has no answer in words or JSON.
func addDaemon(f *pflag.FlagSet) *remote {
	r := &remote{}
	f.StringVar(&r.url, "url", "", "`URL` of the daemon (default $TOCSIN_URL, else "+defaultURL+")")
	f.StringVar(&r.tokenFile, "token-file", "", "`FILE` that holds the token (default the token in $TOCSIN_TOKEN)")
	f.StringVar(&r.caFile, "ca-file", "", "PEM `FILE` with the certificate that signed the daemon's (default the system's)")
	f.StringVar(&r.tenant, "tenant", "", "`TENANT` to ask for, where the token has grants in several (default $TOCSIN_TENANT, else the token's first)")
	return r
}

func addJSON(f *pflag.FlagSet, dst *bool) {
	f.BoolVar(dst, "json", false, "print JSON as the API gives it; lists as one object per line")
}

// run returns a cobra function that hands do what it needs. An empty argument is refused: no name is empty.
func (r *remote) run(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if slices.Contains(args, "") {
			return usage("an argument is empty", "`"+cmd.CommandPath()+" --help` shows how")
		}
		t := &tool{printer: newPrinter(cmd, r.json, r.absolute), in: cmd.InOrStdin()}
		var err error
		if t.api, err = r.client(t.printer); err != nil {
			return err
		}
		return do(cmd.Context(), t, args)
	}
}

func (r *remote) client(p *printer) (*client, error) {
	text := cmp.Or(r.url, os.Getenv("TOCSIN_URL"), defaultURL)
	base, err := url.Parse(text)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, usage("--url: "+quote(text)+" is no address of a daemon", "write it as in "+defaultURL+"; a token goes into --token-file")
	}
	base.RawQuery, base.Fragment = "", ""
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	if token != "" && base.Scheme == "http" && !loopback(base.Hostname()) {
		p.note("the token goes to %s in plain text; use https", base.Host)
	}
	roots, err := r.roots()
	if err != nil {
		return nil, err
	}
	c := newClient(base, token, roots)
	c.wide = &p.wide
	c.tenant = cmp.Or(r.tenant, os.Getenv("TOCSIN_TENANT"))
	return c, nil
}

func (r *remote) token() (string, error) {
	if r.tokenFile == "" {
		return strings.TrimSpace(os.Getenv("TOCSIN_TOKEN")), nil
	}
	text, err := os.ReadFile(r.tokenFile)
	if err != nil {
		return "", usage("--token-file: "+err.Error(), "")
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", usage("--token-file: "+r.tokenFile+" must hold one token and nothing else",
			"the file with all names and digests is the daemon's (auth.token_file); this one holds the secret that `tocsin token new` printed")
	}
	return token, nil
}

// roots returns the certificates to trust, nil for the system's.
func (r *remote) roots() (*x509.CertPool, error) {
	if r.caFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(r.caFile)
	if err != nil {
		return nil, usage("--ca-file: "+err.Error(), "")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, usage("--ca-file: "+r.caFile+" holds no certificate", "it must be PEM")
	}
	return pool, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
