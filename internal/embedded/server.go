package embedded

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// Server is a Redis in this process.
type Server struct {
	redis *miniredis.Miniredis
}

// Start listens on addr, HOST:PORT; port 0 takes a free one. The error is that
// of the listener, such as a port in use.
func Start(addr string) (*Server, error) {
	m := miniredis.NewMiniRedis()
	// Without it keys expire only when a test says so.
	m.ClockTTL(true)
	if err := m.StartAddr(addr); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	m.Server().SetPreHook(newHook(m.Server()).before)
	return &Server{redis: m}, nil
}

// Addr is where the server listens: HOST:PORT.
func (s *Server) Addr() string { return s.redis.Addr() }

// Close ends the server and all its connections. Closing twice does nothing.
func (s *Server) Close() { s.redis.Close() }
