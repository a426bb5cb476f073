package main

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// whyUnread gives the cause why a file could not be read, and what to do about
// it where that is a matter of rights.
func whyUnread(err error) string {
	text := reason(err)
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		return text
	}
	return text + ": " + whoMayRead(path.Path)
}

// whoMayRead says who can run this instead. Of a file in a folder that is closed
// too, nobody but root is known.
func whoMayRead(path string) string {
	const root = "run this as root"
	info, err := os.Stat(path)
	if err != nil {
		return root
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return root
	}
	group, err := user.LookupGroupId(strconv.FormatUint(uint64(stat.Gid), 10))
	if err == nil && stat.Gid != 0 && info.Mode().Perm()&0o040 != 0 {
		text := root
		if _, err := user.Lookup(group.Name); err == nil {
			text += ", with sudo -u " + group.Name
		}
		return text + ", or as a member of the group " + group.Name + " (usermod -aG " + group.Name + " USER, then log in again)"
	}
	owner, err := user.LookupId(strconv.FormatUint(uint64(stat.Uid), 10))
	if err != nil || stat.Uid == 0 {
		return root
	}
	return root + ", or with sudo -u " + owner.Username
}
