package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/tocsin-noc/tocsin/rules"
	"github.com/tocsin-noc/tocsin/rules/strict"
)

// Load reads the file at path over the defaults; path "" gives the defaults. What is wrong in the file comes as one error of
// type strict.Errors, sorted by place. It reads the key and password files that the file names, but not the rules.
func Load(path string) (*Config, error) {
	c, problems, err := load(path)
	if err != nil {
		return nil, err
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// load returns what could be read together with the problems; err means that there was nothing to read.
func load(path string) (*Config, strict.Errors, error) {
	c := Default()
	if path == "" {
		return c, nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("config: read: %w", err)
	}
	rd := &reader{dir: filepath.Dir(path), config: c}
	problems := strict.Read(path, text, rd.value())
	c.Warnings.Sort()
	return c, problems, nil
}

// ErrExposed says that everybody who reaches the listener could command the daemon.
var ErrExposed = errors.New("config: listening beyond loopback without authentication; " +
	"set auth.token_file or web_config_file, listen on 127.0.0.1, or accept it with auth.insecure_no_auth")

// Exposed returns ErrExposed when c must not be served: call it after flags have had their say.
func (c *Config) Exposed() error {
	if c.Auth.TokenFile != "" || c.WebConfigFile != "" || c.Auth.InsecureNoAuth {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("config: listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return ErrExposed
}

// ReadRules reads the rule files that c names, each once, in the order of their names. A pattern that matches nothing is a
// warning.
func (c *Config) ReadRules() (files []rules.File, warnings strict.Errors, err error) {
	var names []string
	for _, pattern := range c.RuleFiles {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, nil, fmt.Errorf("config: rule_files: %s: %w", pattern, err)
		}
		if len(found) == 0 {
			warnings = append(warnings, strict.Problem{Place: strict.Place{File: pattern}, Key: "rule_files", Message: "matches no file"})
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("config: rule_files: %w", err)
		}
		files = append(files, rules.File{Name: filepath.ToSlash(name), Text: text})
	}
	return files, warnings, nil
}

// hidden stands where a secret stood.
const hidden = "<hidden>"

// Redacted returns c as YAML for people to look at, with every default written out and without secrets.
func (c *Config) Redacted() []byte {
	shown := *c
	shown.Sources = slices.Clone(c.Sources)
	for i := range shown.Sources {
		if shown.Sources[i].KeySHA256 != "" {
			shown.Sources[i].KeySHA256 = hidden
		}
	}
	text, err := yaml.Marshal(&shown)
	if err != nil {
		panic(err) // only types that cannot be marshalled fail, and these are known
	}
	return text
}
