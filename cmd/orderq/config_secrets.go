package main

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// readSecret reads the one line of a file. The newline that editors put at the
// end does not count. Errors do not show the secret.
func readSecret(path Path, check func(string) error) (Secret, error) {
	b, err := os.ReadFile(string(path))
	text := strings.TrimRight(string(b), "\r\n")
	switch {
	case err != nil:
		return "", errors.New(reason(err))
	case text == "":
		return "", errors.New("is empty")
	case strings.ContainsAny(text, "\r\n"):
		return "", errors.New("has more than one line")
	case check != nil:
		err = check(text)
	}
	return Secret(text), err
}

// settleTime is how long after its change a file's modification time tells two
// changes apart; until then it is read every time.
const settleTime = 2 * time.Second

// watchedSecret is a secret in a file that may be replaced at any time. While
// the file is no good the last good secret stays in use.
type watchedSecret struct {
	key   string // the setting that names the file
	path  Path   // empty: value never changes
	check func(string) error
	log   *zap.Logger

	mu    sync.Mutex
	value Secret
	seen  os.FileInfo // of the file that value is from; nil: read it
	fault string      // what was wrong last, and has been said
}

// current gives the secret, from the file if that has changed. It costs one
// stat, so that every call may ask.
func (w *watchedSecret) current() Secret {
	if w.path == "" {
		return w.value
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := os.Stat(string(w.path))
	if err == nil && (w.isSeen(info) || !info.Mode().IsRegular()) { // a pipe gives its secret once
		return w.value
	}
	var secret Secret
	if err == nil {
		secret, err = readSecret(w.path, w.check)
	}
	w.seen = nil
	w.sayOnce(err)
	if err != nil {
		return w.value
	}
	if secret != w.value {
		w.value = secret
		w.log.Info("a secret was replaced; using the new one from now on", zap.String("key", w.key))
	}
	if time.Since(info.ModTime()) > settleTime {
		w.seen = info
	}
	return w.value
}

func (w *watchedSecret) isSeen(info os.FileInfo) bool {
	return w.seen != nil && os.SameFile(info, w.seen) &&
		info.ModTime().Equal(w.seen.ModTime()) && info.Size() == w.seen.Size()
}

// sayOnce logs a fault when it begins, not at every call.
func (w *watchedSecret) sayOnce(err error) {
	fault := ""
	if err != nil {
		fault = reason(err)
	}
	if fault != "" && fault != w.fault {
		w.log.Warn("a secret's file is no good; going on with the last good secret",
			zap.String("key", w.key), zap.String("file", string(w.path)), zap.String("reason", fault))
	}
	w.fault = fault
}
