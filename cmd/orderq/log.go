package main

import (
	"io"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"orderq/metrics"
)

// logging is the process's log: a logger, its level, which may be changed
// while it runs, and the file, which may be opened anew.
type logging struct {
	*zap.Logger
	level zap.AtomicLevel
	file  *logFile // nil without log.file
	flood *flood   // for what clients can cause
}

// newLogging opens the log. A file that cannot be opened is a bad
// configuration.
func newLogging(c *loaded, stderr io.Writer, noColor bool) (*logging, error) {
	level, err := zap.ParseAtomicLevel(c.Log.Level)
	if err != nil {
		return nil, err
	}
	l := &logging{level: level}
	out := zapcore.Lock(zapcore.AddSync(stderr))
	terminal, journal := isTerminal(stderr), isJournal(stderr)
	if c.Log.File != "" {
		if l.file, err = openLogFile(string(c.Log.File)); err != nil {
			c.problemf("log.file", "%s: %s", c.Log.File, reason(err))
			return nil, c.err()
		}
		out, terminal, journal = l.file, false, false
	}
	encoder := jsonEncoder()
	if c.Log.Format == "console" || c.Log.Format == "auto" && terminal {
		encoder = consoleEncoder(terminal && !noColor)
	}
	if journal {
		encoder = journalEncoder{encoder}
	}
	l.Logger = zap.New(zapcore.NewCore(callerEncoder{encoder, level}, out, level), zap.AddCaller())
	l.flood = newFlood(l.Logger)
	return l, nil
}

// countIn counts what is written from now on, for /metrics.
func (l *logging) countIn(reg prometheus.Registerer) {
	written := metrics.NewLog(reg)
	l.Logger = l.Logger.WithOptions(zap.Hooks(func(e zapcore.Entry) error {
		written.Message(min(e.Level, zap.ErrorLevel).String())
		return nil
	}))
	l.flood = newFlood(l.Logger)
}

// close ends the log. Syncing a terminal or a pipe always fails; that says
// nothing about what was written.
func (l *logging) close() {
	_ = l.Sync()
	if l.file != nil {
		_ = l.file.Close()
	}
}

// jsonEncoder writes for machines: times in UTC, durations in seconds.
func jsonEncoder() zapcore.Encoder {
	return zapcore.NewJSONEncoder(encoderConfig(func(t time.Time, enc zapcore.PrimitiveArrayEncoder) {
		enc.AppendString(t.UTC().Format(time.RFC3339Nano))
	}, zapcore.LowercaseLevelEncoder, zapcore.SecondsDurationEncoder))
}

// consoleEncoder writes for people in front of a terminal: local time.
func consoleEncoder(colours bool) zapcore.Encoder {
	level := zapcore.CapitalLevelEncoder
	if colours {
		level = zapcore.CapitalColorLevelEncoder
	}
	return zapcore.NewConsoleEncoder(encoderConfig(zapcore.TimeEncoderOfLayout("15:04:05.000"), level, zapcore.StringDurationEncoder))
}

func encoderConfig(at zapcore.TimeEncoder, level zapcore.LevelEncoder, d zapcore.DurationEncoder) zapcore.EncoderConfig {
	return zapcore.EncoderConfig{
		TimeKey: "ts", LevelKey: "level", NameKey: "logger", MessageKey: "msg", CallerKey: "caller",
		LineEnding: zapcore.DefaultLineEnding,
		EncodeTime: at, EncodeLevel: level, EncodeDuration: d,
		EncodeName: zapcore.FullNameEncoder, EncodeCaller: zapcore.ShortCallerEncoder,
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
