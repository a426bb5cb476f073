//go:build !linux

package redistest

import "os/exec"

// dieWithParent has no means outside Linux: there t.Cleanup and Run end the
// servers, and one may outlive a test process that was killed.
func dieWithParent(*exec.Cmd) {}
