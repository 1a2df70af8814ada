package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/app"
	"github.com/tocsin-noc/tocsin/rules"
)

// newServeCommand returns the daemon.
func newServeCommand() *cobra.Command {
	var o app.Options
	var level, format string
	var features []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `Run the daemon: take alerts in, correlate them, answer the API and show the page.

It runs without any configuration, on loopback, with its data in ./data. Flags win over the configuration file.
SIGHUP (or a POST to /-/reload) reads rules, tokens and ingest keys again; SIGTERM ends it after a snapshot.`,
		Example: `  tocsin serve
  tocsin serve --data /var/lib/tocsin --config /etc/tocsin/tocsin.yml
  tocsin serve --listen :9595 --token-file /etc/tocsin/tokens.yml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			logger, err := newLogger(cmd, level, format)
			if err != nil {
				return err
			}
			for _, f := range features {
				if f != "classic-mode" && f != "" {
					return usage("there is no feature "+quote(f), "the only one is classic-mode")
				}
				o.ClassicMatchers = o.ClassicMatchers || f == "classic-mode"
			}
			o.Version, o.Revision = coreVersion(), revision()
			o.Stdout, o.Logger = cmd.OutOrStdout(), logger
			return serve(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.ConfigFile, "config", "c", "", "configuration `FILE`; none: the defaults")
	f.StringVar(&o.Data, "data", "", "`DIR` that holds everything the daemon must not forget (default ./data)")
	f.StringVar(&o.Listen, "listen", "", "`HOST:PORT` to listen on; port 0 takes a free one (default 127.0.0.1:9595)")
	f.StringVar(&o.RoutePrefix, "route-prefix", "", "`PATH` in front of every route, as behind a proxy")
	f.StringVar(&o.ExternalURL, "external-url", "", "`URL` under which people reach the daemon, for links")
	f.StringVar(&o.TokenFile, "token-file", "", "`FILE` of API tokens; `tocsin token new` makes one")
	f.StringVar(&o.WebConfigFile, "web-config-file", "", "`FILE` with TLS and users, in exporter-toolkit's format")
	f.StringVar(&o.History, "history", "", "where the history lies: chdb, none or a server's `URL` (default chdb)")
	f.BoolVar(&o.InsecureNoAuth, "insecure-no-auth", false, "serve beyond loopback although anybody is admin then")
	f.StringVar(&o.AlertmanagerConfig, "alertmanager-config", "", "Alertmanager `FILE` whose routes' group_by and inhibit_rules to take over")
	f.StringSliceVar(&features, "enable-feature", nil, "`NAMES` of features: classic-mode (matchers as before Alertmanager 0.27)")
	f.BoolVar(&o.Demo, "demo", false, "play a small outage into the daemon's own endpoints")
	f.StringVar(&level, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&format, "log-format", "text", "text or json")
	return cmd
}

func newLogger(cmd *cobra.Command, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usage("log level "+quote(level)+" is none", "one of debug, info, warn, error")
	}
	opts := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opts)), nil
	}
	return nil, usage("log format "+quote(format)+" is none", "one of text, json")
}

// serve runs the daemon until ctx ends.
func serve(ctx context.Context, o app.Options) error {
	a, err := app.New(o)
	if err != nil {
		return startFault(err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			select {
			case <-hup:
				_ = a.Reload(ctx) // it has logged why
			case <-ctx.Done():
				return
			}
		}
	}()
	return a.Run(ctx)
}

// startFault gives what the operator wrote wrong its exit code.
func startFault(err error) error {
	if !app.IsConfiguration(err) {
		return err
	}
	f := &fault{code: exitUsage, message: err.Error(), hint: "`tocsin check` finds all of it at once", cause: err}
	if problems, ok := errors.AsType[rules.Errors](err); ok {
		f.message = "the configuration is wrong"
		for _, p := range problems {
			f.details = append(f.details, p.String())
		}
	}
	return f
}
