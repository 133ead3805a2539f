//go:build !unix

package folder

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
