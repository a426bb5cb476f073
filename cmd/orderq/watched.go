package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// settleTime is how long after its change a file's modification time tells two
// changes apart; until then it is read every time.
const settleTime = 2 * time.Second

// watched is what files hold that may be replaced at any time. While they are
// no good the last good value stays in use. A nil one is without a value.
type watched[T any] struct {
	key   string // the setting that names the files
	files []Path
	parse func(texts []string) (T, error)
	log   *zap.Logger

	mu    sync.Mutex
	value T
	good  digest        // of what value is from
	bad   digest        // of what was refused last
	why   error         // the reason
	seen  []os.FileInfo // of the files as they were read last; nil: read them
	fault string        // what was wrong last, and has been said
}

// digest tells two contents of files apart, without keeping them.
type digest [sha256.Size]byte

// watch reads the files for the first time. parse gets their texts, without the
// newlines at the end that editors put there; its errors must show no secrets.
func watch[T any](key string, parse func(texts []string) (T, error), files ...Path) (*watched[T], error) {
	w := &watched[T]{key: key, files: files, parse: parse, log: zap.NewNop()}
	infos, err := w.stat()
	if err == nil {
		_, err = w.read(infos)
	}
	return w, err
}

// follow gives a function that always gives the present value; log is told when
// that changes, and when its files are no good.
func (w *watched[T]) follow(log *zap.Logger) func() T {
	if w != nil {
		w.log = log
	}
	return w.current
}

// current gives the value, from the files if they have changed. It costs one
// stat a file, so that every request may ask.
func (w *watched[T]) current() T {
	if w == nil {
		var none T
		return none
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	infos, err := w.stat()
	if err == nil && (w.isSeen(infos) || !regular(infos)) { // a pipe gives what it has once
		return w.value
	}
	changed := false
	if err == nil {
		changed, err = w.read(infos)
	}
	w.sayOnce(err)
	if changed {
		w.log.Info("a watched file was replaced; what it holds is in use from now on", zap.String("key", w.key))
	}
	return w.value
}

func (w *watched[T]) stat() ([]os.FileInfo, error) {
	infos := make([]os.FileInfo, len(w.files))
	for i, file := range w.files {
		info, err := os.Stat(string(file))
		if err != nil {
			w.seen = nil
			return nil, w.about(file, err)
		}
		infos[i] = info
	}
	return infos, nil
}

// read takes over what the files hold, if that is new and good. What is no good
// is not looked at again until a file changes; what could not be read is, since
// that can change without a trace.
func (w *watched[T]) read(infos []os.FileInfo) (changed bool, err error) {
	w.seen = nil
	texts := make([]string, len(w.files))
	sum := sha256.New()
	for i, file := range w.files {
		b, err := os.ReadFile(string(file))
		if err != nil {
			return false, w.about(file, err)
		}
		b = bytes.TrimRight(b, "\r\n")
		texts[i] = string(b)
		part := sha256.Sum256(b)
		sum.Write(part[:])
	}
	if settled(infos) {
		w.seen = infos
	}
	return w.take(digest(sum.Sum(nil)), texts)
}

func (w *watched[T]) take(sum digest, texts []string) (changed bool, err error) {
	switch sum {
	case w.good:
		return false, nil
	case w.bad:
		return false, w.why
	}
	value, err := w.parse(texts)
	if err != nil {
		w.bad, w.why = sum, err
		return false, err
	}
	w.value, w.good = value, sum
	return true, nil
}

// about gives the cause of a file's error, with the file's name where it could
// be one of several.
func (w *watched[T]) about(file Path, err error) error {
	text := whyUnread(err)
	if len(w.files) > 1 {
		text = string(file) + ": " + text
	}
	return errors.New(text)
}

func (w *watched[T]) isSeen(infos []os.FileInfo) bool {
	if w.seen == nil {
		return false
	}
	for i, now := range infos {
		was := w.seen[i]
		if !os.SameFile(now, was) || !now.ModTime().Equal(was.ModTime()) || now.Size() != was.Size() {
			return false
		}
	}
	return true
}

// sayOnce logs a fault when it begins, not at every call.
func (w *watched[T]) sayOnce(err error) {
	fault := ""
	if err != nil {
		fault = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	if fault != "" && fault != w.fault {
		w.log.Warn("a watched file is no good; what it held before stays in use",
			zap.String("key", w.key), zap.String("file", w.names()), zap.String("reason", fault))
	}
	w.fault = fault
}

func (w *watched[T]) names() string {
	names := make([]string, len(w.files))
	for i, file := range w.files {
		names[i] = string(file)
	}
	return strings.Join(names, ", ")
}

func regular(infos []os.FileInfo) bool {
	for _, info := range infos {
		if !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func settled(infos []os.FileInfo) bool {
	for _, info := range infos {
		if time.Since(info.ModTime()) <= settleTime {
			return false
		}
	}
	return true
}
