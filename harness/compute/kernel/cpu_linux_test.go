package kernel

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used. On a busy machine
// it repeats where wall clock does not.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
