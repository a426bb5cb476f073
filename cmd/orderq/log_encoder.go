package main

import (
	"io"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/journal"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// callerEncoder leaves out where in the code a line comes from, but while the
// level is debug: whoever asks for debug lines reads the code too.
type callerEncoder struct {
	zapcore.Encoder
	level zap.AtomicLevel
}

// Clone implements [zapcore.Encoder].
func (e callerEncoder) Clone() zapcore.Encoder { return callerEncoder{e.Encoder.Clone(), e.level} }

// EncodeEntry implements [zapcore.Encoder].
func (e callerEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	if e.level.Level() > zap.DebugLevel {
		entry.Caller = zapcore.EntryCaller{}
	}
	return e.Encoder.EncodeEntry(entry, fields)
}

// journalEncoder writes for the journal. Every line begins with its priority,
// which the journal takes away again: then journalctl -p finds it. The time is
// left out, for the journal has its own.
type journalEncoder struct{ zapcore.Encoder }

// Clone implements [zapcore.Encoder].
func (e journalEncoder) Clone() zapcore.Encoder { return journalEncoder{e.Encoder.Clone()} }

var journalLines = buffer.NewPool()

// EncodeEntry implements [zapcore.Encoder].
func (e journalEncoder) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	entry.Time = time.Time{} // which zap does not write
	text, err := e.Encoder.EncodeEntry(entry, fields)
	if err != nil {
		return nil, err
	}
	defer text.Free()
	line := journalLines.Get()
	line.AppendString(journalPrefix(entry.Level))
	_, err = line.Write(text.Bytes())
	return line, err
}

// journalPrefix is the priority as sd-daemon(3) writes it.
func journalPrefix(level zapcore.Level) string {
	switch {
	case level <= zap.DebugLevel:
		return "<7>"
	case level == zap.InfoLevel:
		return "<6>"
	case level == zap.WarnLevel:
		return "<4>"
	}
	return "<3>"
}

// isJournal reports whether w leads to the journal.
func isJournal(w io.Writer) bool {
	if w != os.Stderr {
		return false
	}
	is, err := journal.StderrIsJournalStream()
	return err == nil && is
}
