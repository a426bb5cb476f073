package main

import (
	"os"
	"runtime"
	"syscall"
	"testing"
)

// TestUnreadableConfiguration reads files as somebody who has no right to: each
// is named, with what to do.
func TestUnreadableConfiguration(t *testing.T) {
	gid, _, _ := aGroup(t)
	t.Chdir(t.TempDir())
	for _, name := range []string{"etc", "etc/orderq.yaml", "etc/redis.password", "etc/.env"} {
		var err error
		if name == "etc" {
			err = os.Mkdir(name, 0o755)
		} else {
			err = os.WriteFile(name, []byte("secret\n"), 0o640)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"etc/orderq.yaml", "etc/redis.password", "etc/.env"} {
		if err := os.Chown(name, os.Geteuid(), gid); err != nil {
			t.Fatal(err)
		}
	}
	help := whoMayRead("etc/orderq.yaml")
	if os.Geteuid() == 0 {
		asNobody(t)
	} else {
		for _, name := range []string{"etc/orderq.yaml", "etc/redis.password", "etc/.env"} {
			if err := os.Chmod(name, 0o040); err != nil {
				t.Fatal(err)
			}
		}
	}

	_, err := load(sources{system: "etc/orderq.yaml"}, roleOperator)
	wantProblems(t, err,
		"etc/orderq.yaml: permission denied: "+help,
		"etc/.env: permission denied: "+help,
		"etc/redis.password: redis.password_file: etc/redis.password: permission denied: "+help)
}

// asNobody lets this goroutine read files with the rights of nobody until the
// test ends. Its thread is of no use after that.
func asNobody(t *testing.T) {
	t.Helper()
	runtime.LockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setfsgid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Setfsgid(0)
		_ = syscall.Setfsuid(0)
	})
}
