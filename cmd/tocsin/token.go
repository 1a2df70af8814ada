package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/internal/auth"
)

// tokenFlags describe a token to be made.
type tokenFlags struct {
	name, role, tenant, file string
	json                     bool
}

func newTokenCommand() *cobra.Command {
	f := &tokenFlags{}
	cmd := &cobra.Command{
		Use:   "new --name NAME",
		Short: "Make a token; prints the secret once",
		Long: `Make a token for a person or a program. The secret goes to standard output, once, and is kept nowhere; the line for the daemon's
token file (auth.token_file), which holds only its digest, goes to standard error, or with --file into that file.`,
		Example: "  tocsin token new --name ann --role responder --file /etc/tocsin/tokens.yml > ~/.tocsin-token",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "`NAME` of whose it is")
	fl.StringVar(&f.role, "role", auth.Viewer.String(), "`ROLE`: provider (looks into every tenant), viewer (reads), responder (acts on incidents), manager (plans) or admin")
	fl.StringVar(&f.tenant, "tenant", event.DefaultTenant, "`TENANT` whose data it shows")
	fl.StringVar(&f.file, "file", "", "token `FILE` to append the line to")
	fl.BoolVar(&f.json, "json", false, "print JSON: token, line and what it is for")
	complete(cmd, "role", auth.RoleNames()...)
	if err := cmd.MarkFlagRequired("name"); err != nil {
		panic(err) // the flag does not exist: a mistake in this file
	}
	return newParent("token", "Tokens for people and programs", "  tocsin token new --name ann --role responder", cmd)
}

func (f *tokenFlags) run(cmd *cobra.Command) error {
	role, err := auth.ParseRole(f.role)
	if err != nil {
		return usage("--role: must be one of "+strings.Join(auth.RoleNames(), ", "), "")
	}
	secret, entry, err := auth.NewToken(f.name, role, f.tenant)
	if err != nil {
		return usage(err.Error(), "")
	}
	if f.file != "" {
		if err := appendToken(f.file, entry); err != nil {
			return err
		}
	}
	p := newPrinter(cmd, f.json, false)
	if p.json {
		return p.value(map[string]string{
			"token": secret, "line": entry.Line(), "name": entry.Name, "role": role.String(), "tenant": entry.Tenant,
			"sha256": hex.EncodeToString(entry.Digest[:]),
		})
	}
	if f.file == "" {
		p.note("add this line to the daemon's token file (auth.token_file):\n%s", painted(entry.Line()))
	} else {
		p.note("added to %s; the daemon reads it when it starts or reloads", f.file)
	}
	p.line("%s", secret)
	return nil
}

// appendToken adds an entry to a token file, which is made when it is not there. The file is checked with the entry in it before
// it is written.
func appendToken(file string, entry auth.Token) error {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("token file: %w", err)
	}
	line := entry.Line() + "\n"
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		line = "\n" + line
	}
	if _, err := auth.ParseTokens(file, append(text, line...)); err != nil {
		return usage("with the new line the token file would be wrong: "+err.Error(), "nothing was written")
	}
	out, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("token file: %w", err)
	}
	_, err = out.WriteString(line)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return fmt.Errorf("token file: %w", err)
	}
	return nil
}
