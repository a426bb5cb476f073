package main

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// aGroup is a group that is not root's, and whether a user has the same name.
// A user who is not root can give a file only to a group of his own.
func aGroup(t *testing.T) (gid int, name string, hasUser bool) {
	t.Helper()
	gid = os.Getegid()
	if os.Geteuid() == 0 {
		gid = 65534
		if g, err := user.LookupGroup("daemon"); err == nil {
			gid, _ = strconv.Atoi(g.Gid)
		}
	}
	g, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil || gid == 0 {
		t.Skipf("group %d: no name that a person could use", gid)
	}
	_, err = user.Lookup(g.Name)
	return gid, g.Name, err == nil
}

func TestWhyUnread(t *testing.T) {
	gid, group, hasUser := aGroup(t)
	path := filepath.Join(t.TempDir(), "orderq.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, os.Geteuid(), gid); err != nil {
		t.Fatal(err)
	}
	member := ", or as a member of the group " + group + " (usermod -aG " + group + " USER, then log in again)"
	if hasUser {
		member = ", with sudo -u " + group + member
	}
	owner := ""
	if me, err := user.Current(); err == nil && os.Geteuid() != 0 {
		owner = ", or with sudo -u " + me.Username
	}
	for _, c := range []struct {
		name string
		mode os.FileMode
		err  error
		want string
	}{
		{"the group may", 0o640, &fs.PathError{Path: path, Err: syscall.EACCES}, "permission denied: run this as root" + member},
		{"only the owner may", 0o600, &fs.PathError{Path: path, Err: syscall.EACCES}, "permission denied: run this as root" + owner},
		{"the folder is closed", 0o640, &fs.PathError{Path: path + "/x", Err: syscall.EACCES}, "permission denied: run this as root"},
		{"it is not there", 0o640, &fs.PathError{Path: path + "/x", Err: syscall.ENOENT}, "no such file or directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			if got := whyUnread(c.err); got != c.want {
				t.Errorf("whyUnread = %q, want %q", got, c.want)
			}
		})
	}
}
