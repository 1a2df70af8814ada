package settings

import (
	"cmp"
	"reflect"
	"strings"
	texttemplate "text/template"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify/discord"
	"github.com/prometheus/alertmanager/notify/mattermost"
	"github.com/prometheus/alertmanager/notify/msteamsv2"
	"github.com/prometheus/alertmanager/notify/opsgenie"
	"github.com/prometheus/alertmanager/notify/pagerduty"
	"github.com/prometheus/alertmanager/notify/telegram"
	amtemplate "github.com/prometheus/alertmanager/template"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/notify/receivers"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// configurations returns what the kinds of receiver are configured by.
func configurations() map[string]reflect.Type {
	return map[string]reflect.Type{
		"discord": reflect.TypeFor[discord.DiscordConfig](), "email": reflect.TypeFor[config.EmailConfig](),
		"mattermost": reflect.TypeFor[mattermost.MattermostConfig](), "msteamsv2": reflect.TypeFor[msteamsv2.MSTeamsV2Config](),
		"opsgenie": reflect.TypeFor[opsgenie.OpsGenieConfig](), "pagerduty": reflect.TypeFor[pagerduty.PagerdutyConfig](),
		"pushover": reflect.TypeFor[config.PushoverConfig](), "rocketchat": reflect.TypeFor[config.RocketchatConfig](),
		"slack": reflect.TypeFor[config.SlackConfig](), "telegram": reflect.TypeFor[telegram.TelegramConfig](),
		"victorops": reflect.TypeFor[config.VictorOpsConfig](), "webex": reflect.TypeFor[config.WebexConfig](),
		"webhook": reflect.TypeFor[receivers.Webhook](),
	}
}

// checkKind checks the keys and values of a receiver's configuration one by one. Decoding it at once, as is done to make the
// receiver, would tell the first mistake only, without its place, and with the value, which may be a secret. It returns
// whether there is no problem.
func checkKind(kind string, sr *strict.Reader, n *yaml.Node) bool {
	k := &kindChecker{sound: true}
	k.value(configurations()[kind])(sr, n)
	return k.sound
}

type kindChecker struct{ sound bool }

func (k *kindChecker) problem(sr *strict.Reader, n *yaml.Node, message, hint string) {
	sr.Problem(n, message, hint)
	k.sound = false
}

// value checks what a variable of type t is decoded from.
func (k *kindChecker) value(t reflect.Type) strict.Value {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return func(sr *strict.Reader, n *yaml.Node) {
		keys, free := fields(t)
		switch {
		case n.Tag == "!!null": // the same as without the key
		case n.Kind == yaml.MappingNode && free != nil:
			strict.Pairs(func(string) strict.Value { return k.value(free) })(sr, n)
		case n.Kind == yaml.MappingNode && len(keys) > 0:
			k.mapping(keys, sr, n)
		case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
			var items []struct{}
			strict.List(&items, func(*struct{}) strict.Value { return k.value(t.Elem()) })(sr, n)
		default:
			k.leaf(t, sr, n)
		}
	}
}

// mapping checks keys and what stands behind them.
func (k *kindChecker) mapping(keys []key, sr *strict.Reader, n *yaml.Node) {
	read := 0
	list := make([]strict.Field, len(keys))
	for i, f := range keys {
		list[i] = strict.Field{Key: f.name, Value: func(sr *strict.Reader, n *yaml.Node) {
			read++
			if strings.HasSuffix(f.name, "_file") && strings.Contains(n.Value, "://") {
				k.problem(sr, n, "must be the name of a file that holds the URL", "write "+strings.TrimSuffix(f.name, "_file")+" for the URL itself")
				return
			}
			k.value(f.value)(sr, n)
		}}
	}
	strict.Mapping(list...)(sr, n)
	k.sound = k.sound && 2*read == len(n.Content) // else it has told of keys that are unknown or given twice
}

// leaf decodes a value by itself. It never repeats the value.
func (k *kindChecker) leaf(t reflect.Type, sr *strict.Reader, n *yaml.Node) {
	const masked = "<secret>" // Alertmanager takes it for a secret URL
	if n.Value == masked {
		k.problem(sr, n, "is what Alertmanager shows in place of a secret", "write the secret itself, or better name a file that holds it")
		return
	}
	if err := n.Decode(reflect.New(t).Interface()); err != nil {
		k.problem(sr, n, "must be "+wanted(t), "")
		return
	}
	if t.Kind() == reflect.String && strings.Contains(n.Value, "{{") {
		if _, err := texttemplate.New("").Funcs(texttemplate.FuncMap(amtemplate.DefaultFuncs)).Parse(n.Value); err != nil {
			k.problem(sr, n, "must be a template of Alertmanager's", "look for braces that are not closed and functions that do not exist")
		}
	}
}

// wanted says what a value of type t looks like.
func wanted(t reflect.Type) string {
	switch {
	case strings.HasSuffix(t.Name(), "URL"):
		return "an http or https URL"
	case t.Name() == "HostPort":
		return "a host and a port, as in mail.example.org:587"
	case t.Name() == "Duration":
		return "a duration such as 30s"
	case t.Name() == "TLSVersion":
		return "TLS10, TLS11, TLS12 or TLS13"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Struct, reflect.Map:
		return "a mapping of keys and values"
	case reflect.Slice:
		return "a list"
	case reflect.String:
		return "a single value"
	default:
		return "a whole number"
	}
}

// key is a key that a struct is decoded from.
type key struct {
	name  string
	value reflect.Type
}

// fields returns the keys of a struct as the YAML library knows them, none where it has no say over them; and for a map, or a
// struct that stands for one, the type of what its free keys hold.
func fields(t reflect.Type) (keys []key, free reflect.Type) {
	if t.Kind() == reflect.Map {
		return nil, t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	for f := range t.Fields() {
		tag, tagged := f.Tag.Lookup("yaml")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case !tagged || !f.IsExported() || name == "-":
		case strings.Contains(options, "inline"):
			more, rest := fields(f.Type)
			keys, free = append(keys, more...), cmp.Or(free, rest)
		default:
			keys = append(keys, key{name, f.Type})
		}
	}
	return keys, free
}
