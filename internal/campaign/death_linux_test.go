package campaign

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel kill the process when the test ends in any
// way. A process group of its own keeps the terminal's Ctrl-C from it.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
