package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// newServer bounds everything that a client can drag out or blow up.
func newServer(h http.Handler, log *zap.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		// The producer's own bounds for a body are tighter, or as wide: 10 s for
		// a batch, after the header's 5 s.
		ReadTimeout: 15 * time.Second,
		// From the end of the header: a batch's body, 2 s in Redis, and the rest
		// for reading the answer.
		WriteTimeout:   20 * time.Second,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100,
			// What a client may send ahead of the reading: enough for a batch of
			// 16 MiB in 10 s at a round trip of 100 ms.
			MaxReceiveBufferPerStream:     256 << 10,
			MaxReceiveBufferPerConnection: 512 << 10,
			MaxReadFrameSize:              16 << 10,
			// Streams have no IdleTimeout: a client that vanished is found so.
			SendPingTimeout:  30 * time.Second,
			PingTimeout:      15 * time.Second,
			WriteByteTimeout: 10 * time.Second,
		},
		ErrorLog: serverLog(log),
	}
}

// serverLog takes what net/http has to say of clients. Its lines differ by
// address; the message is one, so that a flood of them can be cut short.
func serverLog(to *zap.Logger) *log.Logger {
	return log.New(serverLines{to}, "", 0)
}

type serverLines struct{ log *zap.Logger }

// Write implements [io.Writer] for one line.
func (s serverLines) Write(line []byte) (int, error) {
	s.log.Warn("a connection went wrong", zap.String("reason", strings.TrimSpace(string(line))))
	return len(line), nil
}

// serveUntil serves until ctx ends, then ends the server and waits for it.
func serveUntil(ctx context.Context, serve, end func() error) error {
	served := make(chan error, 1)
	go func() { served <- serve() }()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	err := end()
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		return errors.Join(err, ended)
	}
	return err
}
