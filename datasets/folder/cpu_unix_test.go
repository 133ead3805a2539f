//go:build unix

package folder

import (
	"syscall"
	"time"
)

// cpuTime is the processor time this process has used so far: a busy machine
// does not change it much.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
