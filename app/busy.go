package app

import (
	"sync"
	"syscall"
	"time"
)

const (
	busyShare  = 0.5 // of one processor, used by this process: much is happening
	busySample = 200 * time.Millisecond
	busyQueue  = 1000            // alerts that wait
	busyLag    = 5 * time.Minute // the history steps aside no more once it is so far behind
)

// load watches how much this process has to do, so that what can wait does.
type load struct {
	app *App

	mu     sync.Mutex
	at     time.Time
	used   time.Duration // processor time until then
	active bool
}

func (a *App) busy() *load { return &load{app: a, at: time.Now(), used: processorTime()} }

// needsTheMachine tells whether alerts come so fast that the history should wait for them, and may.
func (l *load) needsTheMachine() bool {
	if l.app.hurry.Load() > 0 || !l.working() && l.app.engine.Status().Queued <= busyQueue {
		return false
	}
	return l.app.history.Status().Lag < busyLag
}

// working tells whether this process was busy lately.
func (l *load) working() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if passed := now.Sub(l.at); passed >= busySample {
		used := processorTime()
		l.active = float64(used-l.used) > busyShare*float64(passed)
		l.at, l.used = now, used
	}
	return l.active
}

// processorTime is what this process has used so far, in user and system mode.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
