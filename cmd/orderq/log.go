package main

import (
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// logging is the process's log: a logger, its level, which may be changed
// while it runs, and the file to close at the end.
type logging struct {
	*zap.Logger
	level zap.AtomicLevel
	file  io.Closer // nil without log.file
}

// newLogging opens the log. A file that cannot be opened is a bad
// configuration.
func newLogging(c *loaded, stderr io.Writer, noColor bool) (*logging, error) {
	level, err := zap.ParseAtomicLevel(c.Log.Level)
	if err != nil {
		return nil, err
	}
	l := &logging{level: level}
	terminal := c.Log.File == "" && isTerminal(stderr)
	if c.Log.File != "" {
		file, err := os.OpenFile(string(c.Log.File), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
		if err != nil {
			c.problemf("log.file", "%s: %s", c.Log.File, reason(err))
			return nil, c.err()
		}
		stderr, l.file = file, file
	}
	encoder := jsonEncoder()
	if c.Log.Format == "console" || c.Log.Format == "auto" && terminal {
		encoder = consoleEncoder(terminal && !noColor)
	}
	core := zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(stderr)), level)
	l.Logger = zap.New(core, zap.WithCaller(level.Level() == zap.DebugLevel))
	return l, nil
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
