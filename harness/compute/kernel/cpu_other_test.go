//go:build !linux

package kernel

import "time"

var started = time.Now()

// cpuTime is the wall clock where processor time is not asked for.
func cpuTime() time.Duration { return time.Since(started) }
