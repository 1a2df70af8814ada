//go:build !linux

package flat

import "time"

var epoch = time.Now()

// threadTime is the time that has passed, where the system does not count by thread.
func threadTime() time.Duration { return time.Since(epoch) }
