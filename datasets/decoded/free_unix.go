//go:build linux || darwin

package decoded

import "golang.org/x/sys/unix"

// freeSpace is the free bytes on the disk of a folder; false if that is not known.
func freeSpace(dir string) (int64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
