package main

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Of one message so many lines are written in this time: whoever sends us
// requests to refuse must not be able to fill the disk.
const (
	floodLines  = 10
	floodWindow = 10 * time.Second
)

// flood cuts the warnings and errors of a logger short, message by message, and
// knows how many were left out.
type flood struct {
	log *zap.Logger // the one that is not cut

	mu      sync.Mutex
	leftOut map[floodLine]int
}

// floodLine is what lines have in common that count as one.
type floodLine struct {
	level   zapcore.Level
	message string
}

func newFlood(log *zap.Logger) *flood {
	return &flood{log: log, leftOut: map[floodLine]int{}}
}

// logger gives the logger that is cut. Lines below warnings are no flood:
// somebody asked for them.
func (f *flood) logger() *zap.Logger {
	return f.log.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		cut := zapcore.NewSamplerWithOptions(core, floodWindow, floodLines, 0, zapcore.SamplerHook(f.count))
		return floodCore{Core: core, cut: cut}
	}))
}

func (f *flood) count(e zapcore.Entry, d zapcore.SamplingDecision) {
	if d&zapcore.LogDropped == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leftOut[floodLine{e.Level, e.Message}]++
}

// run says every so often what was left out, until ctx ends, and then the rest.
func (f *flood) run(ctx context.Context) error {
	ticker := time.NewTicker(floodWindow)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.tell()
		case <-ctx.Done():
			f.tell()
			return nil
		}
	}
}

func (f *flood) tell() {
	f.mu.Lock()
	leftOut := f.leftOut
	f.leftOut = map[floodLine]int{}
	f.mu.Unlock()
	for line, n := range leftOut {
		f.log.Log(line.level, "lines were left out of the log", zap.String("message", line.message), zap.Int("lines", n))
	}
}

// floodCore sends what may be cut through the sampler and the rest past it.
type floodCore struct {
	zapcore.Core
	cut zapcore.Core
}

// With implements [zapcore.Core].
func (c floodCore) With(fields []zapcore.Field) zapcore.Core {
	return floodCore{Core: c.Core.With(fields), cut: c.cut.With(fields)}
}

// Check implements [zapcore.Core].
func (c floodCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if e.Level >= zapcore.WarnLevel {
		return c.cut.Check(e, ce)
	}
	return c.Core.Check(e, ce)
}
