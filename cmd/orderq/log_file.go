package main

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// logFile is the file that log.file names. It can be opened anew while others
// write, for logrotate, which renames the file that we have open: every line
// is whole in the one or in the other.
type logFile struct {
	path string

	mu sync.Mutex
	f  *os.File
}

func openLogFile(path string) (*logFile, error) {
	f, err := appendTo(path)
	return &logFile{path: path, f: f}, err
}

// appendTo opens a file, or makes it, for ourselves to write and for our group
// to read: the umask of a service leaves out the group.
func appendTo(path string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_APPEND
	f, err := os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, 0o640)
	if errors.Is(err, fs.ErrExist) { // it has the mode that somebody gave it
		return os.OpenFile(path, flags|os.O_CREATE, 0o640)
	}
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o640); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Write implements [zapcore.WriteSyncer]; zap gives it one line at a time.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(line)
}

// Sync implements [zapcore.WriteSyncer].
func (l *logFile) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Sync()
}

// Close closes the file. Nothing can be written after it.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Close()
}

// reopen goes on with what is at the path now. If that cannot be opened, the
// file that was open stays in use. Opening may hang, on a network file system;
// lines do not wait for it.
func (l *logFile) reopen() error {
	f, err := appendTo(l.path)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.f
	l.f = f
	l.mu.Unlock()
	return old.Close()
}
