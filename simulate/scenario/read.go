package scenario

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
// arrived later keep their place. What a scenario may say and hardly means is told by its Doubts.
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

	faultsUnread bool // not all that faults.json lists is known
}

// file hands read the named file and takes down what is wrong with it.
func (r *reader) file(name string, read func(in io.Reader, p *problems)) {
	p := &problems{file: filepath.Join(r.dir, name)}
	defer func() { r.found = append(r.found, p.all()...) }()
	f, err := os.Open(p.file)
	if err != nil {
		r.faultsUnread = r.faultsUnread || name == FaultsFile
		p.add(0, "a scenario is a folder with "+TopologyFile+", "+AlertsFile+", "+TruthFile+" and "+FaultsFile, "%s", because(err))
		return
	}
	defer func() { _ = f.Close() }() // only read
	in := bufio.NewReader(f)
	if mark, err := in.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // what was peeked at is there
	}
	read(in, p)
}

// byteOrderMark stands at the beginning of files that some editors write; it says nothing.
const byteOrderMark = "\xef\xbb\xbf"

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
			p.add(line, `an alert is written as {"at": "2026-01-02T15:04:05.000Z", "labels": {"alertname": "Down", "ci": "db-1"}}`, "%s", plainWords(err))
			return
		}
		r.s.Alerts = append(r.s.Alerts, a)
	})
}

// truth reads which fault each line is of. Where the list of faults cannot be read, whether they are in it is not asked.
func (r *reader) truth(in io.Reader, p *problems) {
	known := make(map[string]string, len(r.s.Faults))
	for i := range r.s.Faults {
		known[r.s.Faults[i].ID] = r.s.Faults[i].ID
	}
	const hint = `write {"fault": "f-1"}, or {"fault": null} for noise`
	lines(in, p, func(line int, text []byte) {
		said, err := parseTruth(text)
		if err != nil {
			p.add(line, hint, "%s", plainWords(err))
			return
		}
		id, ok := known[said]
		if !ok && said != "" && !r.faultsUnread {
			p.add(line, FaultsFile+" must list it", "there is no fault %q", said)
		}
		r.s.Truth = append(r.s.Truth, id)
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
	r.s.Topology = parseTopology(text, p)
}

// ReadTopology reads text, the content of the named topology.json. What is wrong with it comes all at once, as Errors.
func ReadTopology(file string, text []byte) (*Topology, error) {
	p := &problems{file: file}
	t := parseTopology(bytes.TrimPrefix(text, []byte(byteOrderMark)), p)
	if found := p.all(); len(found) > 0 {
		return nil, Errors(found)
	}
	return &t, nil
}

func parseTopology(text []byte, p *problems) (t Topology) {
	const hint = `write {"cis": [{"id", "class"}], "relations": [{"from", "type", "to"}]}`
	seen := map[string]int{}
	item := func(line int, text []byte) {
		var ci CI
		if err := json.Unmarshal(text, &ci); err != nil {
			p.add(line, hint, "%s", plainWords(err))
			return
		}
		first, twice := seen[ci.ID]
		switch {
		case ci.ID == "" || ci.Class == "":
			p.add(line, misspelt(text, "id", "class"), "an item needs an id and a class (id %q, class %q)", ci.ID, ci.Class)
		case twice:
			p.add(line, fmt.Sprintf("first on line %d", first), "item %q is given twice", ci.ID)
		default:
			seen[ci.ID] = line
		}
		t.CIs = append(t.CIs, ci)
	}
	relation := func(line int, text []byte) {
		var said relationJSON
		err := json.Unmarshal(text, &said)
		kind := event.ParseRelationKind(said.Type)
		switch {
		case err != nil:
			p.add(line, hint, "%s", plainWords(err))
		case said.From == "" || said.To == "" || said.Type == "":
			p.add(line, misspelt(text, "from", "type", "to"), "a relation needs from, type and to (%q, %q, %q)", said.From, said.Type, said.To)
		case kind == 0:
			p.add(line, meant(said.Type, event.RelationKinds()), "relation from %q to %q: there is no type %q", said.From, said.To, said.Type)
		case said.From == said.To:
			p.add(line, "", "item %q cannot have a relation to itself", said.From)
		}
		t.Relations = append(t.Relations, Relation{said.From, kind, said.To})
	}
	err := walk(text, map[string]func(int, []byte){"cis": item, "relations": relation}, func(line int, key string) {
		if hint := meant(key, []string{"cis", "relations"}); hint != "" {
			p.add(line, hint, "unknown key %q", key)
		}
	})
	if err != nil {
		p.add(lineOf(text, err), hint, "%s", plainWords(err))
	}
	return t
}

func (r *reader) faults(in io.Reader, p *problems) {
	text, err := io.ReadAll(in)
	if err != nil {
		p.add(0, "", "%s", because(err))
		return
	}
	const hint = `write [{"id": "f-1", "root": ["db-1"], "level", "kind", "start": "2026-01-02T15:04:05.000Z", "end"}]`
	seen := map[string]int{}
	err = walk(text, map[string]func(int, []byte){"": func(line int, text []byte) {
		var f faultJSON
		if err := json.Unmarshal(text, &f); err != nil {
			p.add(line, hint, "%s", plainWords(err))
			r.faultsUnread = true
			return
		}
		first, twice := seen[string(f.ID)]
		switch {
		case f.ID == "":
			p.add(line, misspelt(text, faultKeys()...), "a fault has no id")
		case twice:
			p.add(line, fmt.Sprintf("first on line %d", first), "fault %q is given twice", string(f.ID))
		case f.Root == nil && misspelt(text, faultKeys()...) != "":
			p.add(line, misspelt(text, faultKeys()...), "fault %q has no root", string(f.ID))
		case f.Start != 0 && f.End != 0 && f.End < f.Start:
			p.add(line, "", "fault %q ends before it starts", string(f.ID))
		}
		seen[string(f.ID)] = line
		r.s.Faults = append(r.s.Faults, Fault{string(f.ID), f.Root, f.Level, f.Kind, event.Time(f.Start), event.Time(f.End)})
	}}, nil)
	if err != nil {
		p.add(lineOf(text, err), hint, "%s", plainWords(err))
		r.faultsUnread = true
	}
}

func faultKeys() []string { return []string{"id", "root", "level", "kind", "start", "end"} }

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
