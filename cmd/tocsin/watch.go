package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tocsin-noc/tocsin/internal/terminal"
)

// follow shows the list, and again whenever it changed, until it is interrupted. When the daemon does not answer it says so once
// and goes on: it may be starting anew.
func (f *incidentsFlags) follow(ctx context.Context, t *tool) error {
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	var last []byte
	lost := false
	for first := true; ; first = false {
		found, err := t.api.list(ctx, "incidents", f.limit, f.values(), "incidents")
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && (first || !mayPass(err)):
			return err
		case err != nil && !lost:
			lost = true
			t.note("%s; still trying", err.Error())
		case err == nil:
			lost = false
			if last, err = f.showChanged(t, found, last, first); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// clearScreen moves to the top left and erases what is below.
const clearScreen = "\x1b[H\x1b[J"

// showChanged shows the list unless it is the same as last; on a terminal it takes the place of the one before, whose distances
// in time have moved on.
func (f *incidentsFlags) showChanged(t *tool, found listing, last []byte, first bool) ([]byte, error) {
	now, err := json.Marshal(found.items)
	if err != nil || t.columns == 0 && !first && bytes.Equal(now, last) {
		return now, err
	}
	t.now = time.Now()
	if !t.json {
		if t.columns > 0 {
			fmt.Fprint(t.out, clearScreen)
		}
		t.line("%s: %s", terminal.Clock(t.now), plural(found.total, "incident", "incidents"))
	}
	return now, f.show(t, found)
}
