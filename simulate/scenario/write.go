package scenario

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Write writes the scenario as the folder dir, which is made when it is not there. Files of an earlier scenario are replaced, and
// its rules.yml is removed when this one has none. The same scenario gives the same bytes.
func (s *Scenario) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("scenario: write: %w", err)
	}
	for name, write := range map[string]func(*bufio.Writer) error{
		TopologyFile: s.writeTopology, AlertsFile: s.writeAlerts, TruthFile: s.writeTruth, FaultsFile: s.writeFaults,
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	rules := filepath.Join(dir, RulesFile)
	if s.Rules == nil {
		if err := os.Remove(rules); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("scenario: write: %w", err)
		}
		return nil
	}
	return writeFile(rules, func(w *bufio.Writer) error {
		_, err := w.Write(s.Rules)
		return err
	})
}

func writeFile(path string, write func(*bufio.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("scenario: write: %w", err)
	}
	w := bufio.NewWriterSize(f, 256<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("scenario: write: %w", err)
	}
	return nil
}

func (s *Scenario) writeAlerts(w *bufio.Writer) error {
	var line []byte
	for i := range s.Alerts {
		line = append(s.Alerts[i].appendLine(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) writeTruth(w *bufio.Writer) error {
	var line []byte
	for _, fault := range s.Truth {
		line = append(line[:0], `{"fault": `...)
		if fault == "" {
			line = append(line, "null"...)
		} else {
			line = appendString(line, fault)
		}
		if _, err := w.Write(append(line, "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

// writeTopology writes one item or relation a line, so that two topologies can be compared by their lines.
func (s *Scenario) writeTopology(w *bufio.Writer) error {
	if _, err := io.WriteString(w, "{\"cis\": [\n"); err != nil {
		return err
	}
	if err := writeList(w, s.Topology.CIs); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "], \"relations\": [\n"); err != nil {
		return err
	}
	if err := writeList(w, s.Topology.Relations); err != nil {
		return err
	}
	_, err := io.WriteString(w, "]}\n")
	return err
}

func (s *Scenario) writeFaults(w *bufio.Writer) error {
	list := make([]faultJSON, len(s.Faults))
	for i, f := range s.Faults {
		list[i] = faultJSON{name(f.ID), f.Root, f.Level, f.Kind, stamp(f.Start), stamp(f.End)}
	}
	if _, err := io.WriteString(w, "[\n"); err != nil {
		return err
	}
	if err := writeList(w, list); err != nil {
		return err
	}
	_, err := io.WriteString(w, "]\n")
	return err
}

// writeList writes the items of a list, one a line.
func writeList[T any](w io.Writer, list []T) error {
	for i, item := range list {
		text, err := json.Marshal(item)
		if err != nil {
			return err
		}
		if i < len(list)-1 {
			text = append(text, ',')
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}
