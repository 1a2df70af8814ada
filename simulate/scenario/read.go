package scenario

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/event"
)

// Names of the files in a folder.
const (
	TopologyFile = "topology.json"
	AlertsFile   = "alerts.ndjson"
	TruthFile    = "truth.ndjson"
	FaultsFile   = "faults.json"
	RulesFile    = "rules.yml"
)

// maxLine bounds one line of a file.
const maxLine = 16 << 20

// Read reads the scenario in the folder dir. What is wrong with it comes all at once, as Errors. Alerts that stand after one that
// arrived later keep their place.
func Read(dir string) (*Scenario, error) {
	r := reader{dir: dir, s: &Scenario{}}
	r.file(TopologyFile, r.topology)
	r.file(AlertsFile, r.alerts)
	r.file(FaultsFile, r.faults)
	r.file(TruthFile, r.truth)
	text, err := os.ReadFile(filepath.Join(dir, RulesFile))
	switch {
	case err == nil:
		r.s.Rules = text
	case !errors.Is(err, fs.ErrNotExist):
		r.found = append(r.found, Problem{File: filepath.Join(dir, RulesFile), Message: err.Error()})
	}
	if len(r.found) > 0 {
		return nil, r.found
	}
	return r.s, nil
}

type reader struct {
	dir   string
	s     *Scenario
	found Errors
}

// file hands read the named file and takes down what is wrong with it.
func (r *reader) file(name string, read func(in io.Reader, p *problems)) {
	p := &problems{file: filepath.Join(r.dir, name)}
	defer func() { r.found = append(r.found, p.all()...) }()
	f, err := os.Open(p.file)
	if err != nil {
		p.add(0, "a scenario is a folder with "+TopologyFile+", "+AlertsFile+", "+TruthFile+" and "+FaultsFile, "%s", because(err))
		return
	}
	defer func() { _ = f.Close() }() // only read
	read(f, p)
}

// because returns an error without the path that the problem names already.
func because(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// lines calls each for every line that is not empty, with its number.
func lines(in io.Reader, p *problems, each func(line int, text []byte)) {
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 64<<10), maxLine)
	n := 0
	for scan.Scan() {
		n++
		if text := bytes.TrimSpace(scan.Bytes()); len(text) > 0 {
			each(n, text)
		}
	}
	if err := scan.Err(); err != nil {
		p.add(n+1, "", "%s", because(err))
	}
}

func (r *reader) alerts(in io.Reader, p *problems) {
	intern := interner{}
	lines(in, p, func(line int, text []byte) {
		a, err := parseAlert(text, intern)
		if err != nil {
			p.add(line, `an alert is written as {"at": "2026-01-02T15:04:05.000Z", "labels": {"alertname": "Down", "ci": "db-1"}}`, "%s", err)
			return
		}
		r.s.Alerts = append(r.s.Alerts, a)
	})
}

func (r *reader) truth(in io.Reader, p *problems) {
	known := make(map[string]string, len(r.s.Faults))
	for i := range r.s.Faults {
		known[r.s.Faults[i].ID] = r.s.Faults[i].ID
	}
	lines(in, p, func(line int, text []byte) {
		var entry struct{ Fault *name }
		if err := json.Unmarshal(text, &entry); err != nil {
			p.add(line, `write {"fault": "f-1"}, or {"fault": null} for noise`, "%s", err)
			return
		}
		fault := ""
		if entry.Fault != nil {
			id, ok := known[string(*entry.Fault)]
			if fault = id; !ok {
				p.add(line, FaultsFile+" must list it", "there is no fault %q", string(*entry.Fault))
			}
		}
		r.s.Truth = append(r.s.Truth, fault)
	})
	if len(p.found) == 0 && len(r.s.Truth) != len(r.s.Alerts) && len(r.found) == 0 {
		p.add(0, "it must say of each line there which fault it is of", "has %d lines, and %s has %d", len(r.s.Truth), AlertsFile, len(r.s.Alerts))
	}
}

func (r *reader) topology(in io.Reader, p *problems) {
	text, err := io.ReadAll(in)
	if err != nil {
		p.add(0, "", "%s", because(err))
		return
	}
	if err := json.Unmarshal(text, &r.s.Topology); err != nil {
		p.add(lineOf(text, err), `write {"cis": [{"id", "class"}], "relations": [{"from", "type", "to"}]}`, "%s", err)
		return
	}
	seen := make(map[string]bool, len(r.s.Topology.CIs))
	for _, ci := range r.s.Topology.CIs {
		switch {
		case ci.ID == "" || ci.Class == "":
			p.add(0, "", "an item needs an id and a class (id %q, class %q)", ci.ID, ci.Class)
		case seen[ci.ID]:
			p.add(0, "", "item %q is given twice", ci.ID)
		}
		seen[ci.ID] = true
	}
	for _, rel := range r.s.Topology.Relations {
		if rel.From == "" || rel.To == "" || rel.Type == 0 {
			p.add(0, "", "a relation needs from, type and to (%q, %q)", rel.From, rel.To)
		}
	}
}

func (r *reader) faults(in io.Reader, p *problems) {
	text, err := io.ReadAll(in)
	if err != nil {
		p.add(0, "", "%s", because(err))
		return
	}
	var list []faultJSON
	if err := json.Unmarshal(text, &list); err != nil {
		p.add(lineOf(text, err), `write [{"id", "root": ["db-1"], "level", "kind", "start", "end"}]`, "%s", err)
		return
	}
	seen := make(map[string]bool, len(list))
	for _, f := range list {
		switch {
		case f.ID == "":
			p.add(0, "", "a fault has no id")
		case seen[string(f.ID)]:
			p.add(0, "", "fault %q is given twice", string(f.ID))
		}
		seen[string(f.ID)] = true
		r.s.Faults = append(r.s.Faults, Fault{string(f.ID), f.Root, f.Level, f.Kind, event.Time(f.Start), event.Time(f.End)})
	}
}

// lineOf returns the line that a JSON error is about, 0 when it names no place.
func lineOf(text []byte, err error) int {
	offset := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset = e.Offset
	}
	if offset < 0 {
		return 0
	}
	return 1 + bytes.Count(text[:min(offset, int64(len(text)))], []byte("\n"))
}
