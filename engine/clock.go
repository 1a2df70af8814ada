package engine

import (
	"sync"
	"time"

	"github.com/tocsin-noc/tocsin/event"
)

// Clock tells the time twice: the wall's, which people set, and the monotonic one, which only runs.
type Clock func() (wall time.Time, running time.Duration)

func newMachineClock() Clock {
	start := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now, now.Sub(start)
	}
}

// maxJump is how far the wall clock may move against the monotonic clock before somebody has to say that it is right.
const maxJump = 5 * time.Minute

// clock gives inputs their time. It follows the wall clock, never goes back, and runs on by itself after a jump.
type clock struct {
	read Clock

	mu     sync.Mutex
	offset time.Duration // of the wall clock from the monotonic one, as accepted
	jump   time.Duration // how far the wall clock is off, 0: it is not
	last   event.Time
}

func newClock(read Clock, last event.Time) clock {
	wall, running := read()
	return clock{read: read, offset: time.Duration(wall.UnixNano()) - running, last: last}
}

// now returns the time for the next input.
func (c *clock) now() event.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookLocked()
	return c.last
}

// jumped returns how far the wall clock is off, 0 when it is not.
func (c *clock) jumped() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookLocked()
	return c.jump
}

func (c *clock) lookLocked() {
	wall, running := c.read()
	off := time.Duration(wall.UnixNano()) - running
	if jump := off - c.offset; jump.Abs() > maxJump {
		c.jump = jump
	} else {
		c.offset, c.jump = off, 0
	}
	c.last = max(c.last, event.Time((c.offset + running).Milliseconds()))
}

// accept follows the wall clock from here on and returns by how much time jumped.
func (c *clock) accept() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, running := c.read()
	off := time.Duration(wall.UnixNano()) - running
	jump := off - c.offset
	c.offset, c.jump = off, 0
	return jump
}
