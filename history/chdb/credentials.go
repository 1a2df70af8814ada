package chdb

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tocsin-noc/tocsin/history/chdb/handoff"
)

// Credentials are a user and a password for the engine's HTTP interface.
type Credentials = handoff.Credentials

const (
	writerName = "tocsin_writer"
	readerName = "tocsin_reader"
	readerFile = "reader.json"
)

// newWriter returns a credential that nobody has seen.
func newWriter() Credentials { return Credentials{User: writerName, Password: rand.Text()} }

// keptReader returns the reader's credential, and makes it the first time, so that a Grafana that knows it goes on working.
func keptReader(dir string) (Credentials, error) {
	path := filepath.Join(dir, readerFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		made := Credentials{User: readerName, Password: rand.Text()}
		if text, err = json.Marshal(made); err != nil {
			return Credentials{}, err
		}
		return made, writeFile(path, append(text, '\n'))
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("chdb: the reader's credential: %w", err)
	}
	var kept Credentials
	if err := json.Unmarshal(text, &kept); err != nil {
		return Credentials{}, fmt.Errorf("chdb: %s: %w; delete it, and a new one is made at the next start", path, err)
	}
	if kept.User == "" || len(kept.Password) < 16 || kept.User == writerName {
		return Credentials{}, fmt.Errorf("chdb: %s: it needs a user other than %s and a password of 16 characters or more; delete it, and a new one is made at the next start", path, writerName)
	}
	return kept, nil
}

// writeFile writes a small private file, whole or not at all.
func writeFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error says more
		}
	}()
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
