//go:build !unix

package jpeg

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
