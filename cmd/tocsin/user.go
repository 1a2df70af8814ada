package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tocsin-noc/tocsin/api"
	"github.com/tocsin-noc/tocsin/internal/auth"
	"github.com/tocsin-noc/tocsin/internal/terminal"
)

func newUserCommand() *cobra.Command {
	cmd := newParent("user", "People: who they are, how they are reached, what they may do",
		"  tocsin user add ann --name 'Ann Berg' --email ann@example.org --grant responder\n  tocsin user token ann --name laptop\n  tocsin user forget ann")
	r := addRemote(cmd.PersistentFlags())
	cmd.AddCommand(newUserAddCommand(r), newUserSetCommand(r), newUserListCommand(r), newUserShowCommand(r), newUserTokenCommand(r), newUserRevokeCommand(r), newForgetCommand(r))
	return cmd
}

// userFlags describe a person.
type userFlags struct {
	name, email, phone, zone string
	grants                   []string
	disabled                 bool
}

func (f *userFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "`NAME` as people say it")
	fl.StringVar(&f.email, "email", "", "e-mail `ADDRESS`")
	fl.StringVar(&f.phone, "phone", "", "phone `NUMBER`")
	fl.StringVar(&f.zone, "zone", "", "time `ZONE`, as in Europe/Berlin")
	fl.StringArrayVar(&f.grants, "grant", nil, "`ROLE[:TENANT[:TEAM,…]]`: "+strings.Join(auth.RoleNames(), ", ")+"; may be given again; replaces the grants so far")
}

// draft returns what was given.
func (f *userFlags) draft(cmd *cobra.Command) (*api.UserDraft, error) {
	d := &api.UserDraft{}
	for name, at := range map[string]struct {
		dst  **string
		text *string
	}{"name": {&d.Name, &f.name}, "email": {&d.Email, &f.email}, "phone": {&d.Phone, &f.phone}, "zone": {&d.Zone, &f.zone}} {
		if cmd.Flags().Changed(name) {
			*at.dst = at.text
		}
	}
	if cmd.Flags().Changed("disabled") {
		d.Disabled = &f.disabled
	}
	if !cmd.Flags().Changed("grant") {
		return d, nil
	}
	list := []api.Grant{}
	for _, text := range f.grants {
		parts := strings.SplitN(text, ":", 3)
		g := api.Grant{Role: parts[0], Tenant: "main"}
		if _, err := auth.ParseRole(g.Role); err != nil {
			return nil, usage("--grant: "+quote(text)+" names no role", "as in responder, manager:acme or responder:main:db,web")
		}
		if len(parts) > 1 && parts[1] != "" {
			g.Tenant = parts[1]
		}
		if len(parts) > 2 {
			g.Teams = strings.Split(parts[2], ",")
		}
		list = append(list, g)
	}
	d.Grants = &list
	return d, nil
}

func newUserAddCommand(r *remote) *cobra.Command {
	f := &userFlags{}
	cmd := &cobra.Command{
		Use: "add LOGIN", Short: "Add a person", Args: cobra.ExactArgs(1),
		Example: "  tocsin user add ann --name 'Ann Berg' --email ann@example.org --zone Europe/Berlin --grant responder --grant manager:acme",
	}
	f.add(cmd)
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		d, err := f.draft(cmd)
		if err != nil {
			return err
		}
		text, u, err := act[api.User](ctx, t.api, struct {
			*api.UserDraft
			Login string `json:"login"`
		}{d, args[0]}, "users")
		if err != nil {
			return err
		}
		return t.user(text, u)
	})
	return cmd
}

func newUserSetCommand(r *remote) *cobra.Command {
	f := &userFlags{}
	cmd := &cobra.Command{
		Use: "set LOGIN", Short: "Change a person; what is not given stays", Args: cobra.ExactArgs(1),
		Example: "  tocsin user set ann --email ann@example.net\n  tocsin user set bob --disabled",
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.disabled, "disabled", false, "refuse the person's tokens; --disabled=false takes it back")
	force := addForce(cmd)
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		d, err := f.draft(cmd)
		if err != nil {
			return err
		}
		text, err := t.api.do(ctx, http.MethodPatch, []string{"users", args[0]}, forced(*force), d)
		if err != nil {
			return err
		}
		u, err := decode[api.User](text)
		if err != nil {
			return err
		}
		return t.user(text, u)
	})
	return cmd
}

// user prints a person.
func (t *tool) user(text []byte, u *api.User) error {
	if t.json {
		return t.raw(text)
	}
	t.line("%s  %s", u.Login, u.Name)
	state := "active"
	if u.Disabled {
		state = "disabled"
	}
	var tokens []string
	for _, k := range u.Tokens {
		ends := "never expires"
		if k.ExpiresAt != nil {
			ends = "until " + dayClock(k.ExpiresAt.Local())
			if k.ExpiresAt.Before(t.now) {
				ends = "expired " + t.time(*k.ExpiresAt)
			}
		}
		tokens = append(tokens, k.Name+" ("+ends+")")
	}
	return t.pairs("  ", "Id", u.ID, "State", state, "E-mail", u.Email, "Phone", u.Phone, "Zone", u.Zone, "Grants", grantWords(u.Grants), "Tokens", strings.Join(tokens, ", "))
}

func grantWords(list []api.Grant) string {
	var out []string
	for _, g := range list {
		word := g.Role + " of " + g.Tenant
		if g.Role == auth.Provider.String() {
			word = g.Role
		}
		if len(g.Teams) > 0 {
			word += " for " + strings.Join(g.Teams, ", ")
		}
		out = append(out, word)
	}
	return strings.Join(out, "; ")
}

func newUserListCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List people", Example: "  tocsin user list", Args: cobra.NoArgs,
		RunE: r.run(func(ctx context.Context, t *tool, _ []string) error {
			text, got, err := fetch[api.UserList](ctx, t.api, nil, "users")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			if len(got.Users) == 0 {
				t.note("there is nobody; `tocsin user add` adds people")
				return nil
			}
			table := terminal.NewTable("LOGIN", "NAME", "E-MAIL", "ZONE", "GRANTS")
			for i := range got.Users {
				u := &got.Users[i]
				name := u.Name
				if u.Disabled {
					name += " (disabled)"
				}
				table.Add(terminal.Text(u.Login), terminal.Text(name), terminal.Text(u.Email), terminal.Text(u.Zone), terminal.Text(grantWords(u.Grants)))
			}
			return t.table(table, "")
		}),
	}
}

func newUserShowCommand(r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "show LOGIN", Short: "Show a person", Example: "  tocsin user show ann", Args: cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			text, u, err := fetch[api.User](ctx, t.api, nil, "users", args[0])
			if err != nil {
				return err
			}
			return t.user(text, u)
		}),
	}
}

func newUserTokenCommand(r *remote) *cobra.Command {
	var name, duration string
	cmd := &cobra.Command{
		Use: "token LOGIN --name NAME", Short: "Make a token of a person; prints the secret once", Example: "  tocsin user token ann --name laptop --duration 90d > ~/.tocsin-token", Args: cobra.ExactArgs(1),
		RunE: r.run(func(ctx context.Context, t *tool, args []string) error {
			payload := map[string]string{"name": name}
			if duration != "" {
				payload["duration"] = duration
			}
			text, made, err := act[struct{ Token string }](ctx, t.api, payload, "users", args[0], "tokens")
			if err != nil {
				return err
			}
			if t.json {
				return t.raw(text)
			}
			t.line("%s", made.Token)
			return nil
		}),
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` of the token, as in laptop")
	cmd.Flags().StringVar(&duration, "duration", "", "`SPAN` after which it is refused (default never)")
	cmd.MarkFlagsOneRequired("name")
	return cmd
}

// addForce adds the flag that what leaves nobody in charge asks for.
func addForce(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("force", false, "also when nobody else can prove to be an admin of main")
}

func forced(force bool) url.Values {
	if !force {
		return nil
	}
	return url.Values{"force": {"true"}}
}

func newUserRevokeCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use: "revoke LOGIN NAME", Short: "Take a token away", Example: "  tocsin user revoke ann laptop", Args: cobra.ExactArgs(2),
	}
	force := addForce(cmd)
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		if _, err := t.api.do(ctx, http.MethodDelete, []string{"users", args[0], "tokens", args[1]}, forced(*force), nil); err != nil {
			return err
		}
		if !t.json {
			t.line("the token %s of %s is taken away", args[1], args[0])
		}
		return nil
	})
	return cmd
}

func newForgetCommand(r *remote) *cobra.Command {
	cmd := &cobra.Command{
		Use: "forget LOGIN", Short: "Forget a person: names, addresses, tokens and grants go",
		Long: `Forget a person. Names, addresses, tokens and grants leave the table of people and its file; the opaque id stays, so that the journal can
still be read and proven. It cannot be taken back. What the person wrote in notes is taken away with "tocsin redact"; messages that
were sent or wait to be sent keep what they say.`,
		Example: "  tocsin user forget ann", Args: cobra.ExactArgs(1),
	}
	force := addForce(cmd)
	cmd.RunE = r.run(func(ctx context.Context, t *tool, args []string) error {
		text, err := t.api.do(ctx, http.MethodPost, []string{"users", args[0], "forget"}, forced(*force), nil)
		if err != nil {
			return err
		}
		gone, err := decode[struct{ ID string }](text)
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		t.line("%s is forgotten; the journal goes on to know %s", args[0], gone.ID)
		return nil
	})
	return cmd
}

func newMeCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "me", Short: "Show who you are to the daemon, and what you may do", Example: "  tocsin me", Args: cobra.NoArgs}
	cmd.RunE = addRemote(cmd.Flags()).run(func(ctx context.Context, t *tool, _ []string) error {
		text, me, err := fetch[api.Me](ctx, t.api, nil, "me")
		if err != nil {
			return err
		}
		if t.json {
			return t.raw(text)
		}
		t.line("%s: %s of %s", me.Name, me.Role, me.Tenant)
		return t.pairs("  ", "Id", me.ID, "Acts for", strings.Join(me.Teams, ", "), "Grants", grantWords(me.Grants))
	})
	return cmd
}
