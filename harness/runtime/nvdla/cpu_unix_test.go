//go:build unix

package nvdla

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used, in user and system mode.
func processorTime() time.Duration {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
