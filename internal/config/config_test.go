package config

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/event"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const example = "../../examples/config/tocsin.yml"

func TestBadFilesAreReportedWithEveryProblemAndItsPlace(t *testing.T) {
	names, err := filepath.Glob("testdata/bad/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, err := Load(name)
			require.IsType(t, strict.Errors{}, err)
			golden := strings.TrimSuffix(name, ".yml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			require.Equal(t, string(want), err.Error()+"\n")
		})
	}
}

func TestTheDefaultsRunWithoutAnyFile(t *testing.T) {
	c, err := Load("")
	require.NoError(t, err)
	require.Equal(t, Default(), c)
	require.NoError(t, c.Exposed())
	require.Empty(t, Check(""))
	empty := write(t, t.TempDir(), "tocsin.yml", "# nothing\n")
	c, err = Load(empty)
	require.NoError(t, err)
	require.Equal(t, Default(), c)
}

func TestTheExampleParsesAsItIs(t *testing.T) {
	c, err := Load(example)
	require.NoError(t, err)
	require.Equal(t, "/var/lib/tocsin", c.Data)
	require.Empty(t, Check(example))
}

func TestTheExampleHasEveryKeyAndTheDefaultsItNames(t *testing.T) {
	c, text := loadWholeExample(t)
	require.Equal(t, structPaths(reflect.TypeFor[Config](), ""), textPaths(t, text))
	d := Default()
	require.Equal(t, []any{d.Listen, d.Limits, d.Journal, d.Changes, d.Records, d.Snapshot},
		[]any{c.Listen, c.Limits, c.Journal, c.Changes, c.Records, c.Snapshot})
	require.Equal(t, event.Resender, c.Sources[0].Kind.Source())
	require.Equal(t, event.SendOnce, c.Sources[1].Kind.Source())
	require.NotEqual(t, c.Sources[0].Digest, c.Sources[1].Digest)
	require.Equal(t, "a password", c.Kafka[0].SASL.Password)
	require.Equal(t, Beat{URLFile: c.Heartbeat.URLFile, Interval: d.Heartbeat.Interval, URL: "https://hc.example.org/ping/2f1c"}, c.Heartbeat)
	require.Equal(t, []string{filepath.Join(filepath.Dir(c.Auth.TokenFile), "rules/*.yml")}, c.RuleFiles)
}

func TestRedactedIsTheSameConfigurationWithoutItsSecrets(t *testing.T) {
	c, _ := loadWholeExample(t)
	text := string(c.Redacted())
	require.NotContains(t, text, c.Sources[1].KeySHA256)
	require.NotContains(t, text, "a password")
	require.Contains(t, text, hidden)
	again, err := Load(write(t, t.TempDir(), "again.yml", strings.ReplaceAll(text, hidden, c.Sources[1].KeySHA256)))
	require.NoError(t, err)
	require.Equal(t, c, again)
	require.Contains(t, string(Default().Redacted()), "body_bytes: 16MiB")
	require.Contains(t, string(Default().Redacted()), "age: 30d")
}

func TestListeningBeyondLoopbackNeedsAuthentication(t *testing.T) {
	for listen, exposed := range map[string]bool{
		"127.0.0.1:9595": false, "[::1]:9595": false, "localhost:0": false, "127.8.8.8:1": false,
		":9595": true, "0.0.0.0:9595": true, "[::]:9595": true, "tocsin.example.org:9595": true, "10.0.0.1:9595": true,
	} {
		c := Default()
		c.Listen = listen
		if !exposed {
			require.NoError(t, c.Exposed(), listen)
			continue
		}
		require.ErrorIs(t, c.Exposed(), ErrExposed, listen)
		for _, accept := range []func(*Config){
			func(c *Config) { c.Auth.TokenFile = "tokens" },
			func(c *Config) { c.WebConfigFile = "web.yml" },
			func(c *Config) { c.Auth.InsecureNoAuth = true },
		} {
			accepted := *c
			accept(&accepted)
			require.NoError(t, accepted.Exposed(), listen)
		}
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	_, err := Load("testdata/none.yml")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "config: read: open testdata/none.yml")
	require.Len(t, Check("testdata/none.yml"), 1)
}

func TestPlainPasswordsAndUncheckedCertificatesAreWarnedAbout(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "password", "a password")
	c, err := Load(write(t, dir, "tocsin.yml", `kafka:
  - {name: a, brokers: ["k:1"], topics: [{topic: t, format: tocsin}], sasl: {mechanism: plain, username: u, password_file: password}}
  - {name: b, brokers: ["k:1"], topics: [{topic: t, format: tocsin}], tls: {insecure_skip_verify: true}}
`))
	require.NoError(t, err)
	require.Equal(t, "t", c.Kafka[0].Topics[0].Source, "a topic is its own source")
	require.Equal(t, "tocsin", c.Kafka[0].Group)
	require.Len(t, c.Warnings, 2)
	require.Contains(t, c.Warnings[0].String(), "tocsin.yml:2:5: sasl: the password goes over the network in plain text")
	require.Contains(t, c.Warnings[1].String(), "tocsin.yml:3:76: insecure_skip_verify: the brokers' certificates are not checked")
}

// uncomment takes the # from lines that hold a commented setting, which is one that no space follows.
func uncomment(text string) string {
	return regexp.MustCompile(`(?m)^#([^ \n]|  )`).ReplaceAllString(text, "$1")
}

func loadWholeExample(t *testing.T) (c *Config, text string) {
	t.Helper()
	b, err := os.ReadFile(example)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "secrets"), 0o700))
	write(t, dir, "secrets/prometheus-eu.key", "an ingest key of some length\n")
	write(t, dir, "secrets/kafka.password", "a password\n")
	write(t, dir, "secrets/clickhouse.password", "a password of the history\n")
	write(t, dir, "secrets/clickhouse-reader.password", "a password of its readers\n")
	write(t, dir, "secrets/heartbeat.url", "https://hc.example.org/ping/2f1c\n")
	text = uncomment(string(b))
	c, err = Load(write(t, dir, "tocsin.yml", text))
	require.NoError(t, err)
	require.Empty(t, c.Warnings)
	return c, text
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// structPaths lists the keys that t's yaml tags name, as in kafka[].tls.ca_file; sorted.
func structPaths(t reflect.Type, prefix string) (paths []string) {
	for f := range t.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "-" {
			continue
		}
		path, inner := prefix+key, f.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct {
				path += "[]"
			}
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			paths = append(paths, structPaths(inner, path+".")...)
		} else {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// textPaths lists the keys that stand in a YAML text in the same form.
func textPaths(t *testing.T, text string) []string {
	t.Helper()
	var doc any
	require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
	seen := map[string]bool{}
	var walk func(v any, prefix string)
	walk = func(v any, prefix string) {
		switch v := v.(type) {
		case map[string]any:
			for k, inner := range v {
				walk(inner, strings.TrimPrefix(prefix+"."+k, "."))
			}
		case []any:
			for _, inner := range v {
				if _, isMap := inner.(map[string]any); isMap {
					walk(inner, prefix+"[]")
				} else {
					seen[prefix] = true
				}
			}
		default:
			seen[prefix] = true
		}
	}
	walk(doc, "")
	var paths []string
	for p := range seen {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	return paths
}
