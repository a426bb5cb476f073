package producer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-playground/validator/v10"
	"go.uber.org/zap"
	"golang.org/x/sync/singleflight"

	"orderq/metrics"
	"orderq/streamutil"
)

const headerRequestID = "X-Request-Id"

const (
	// storeTimeout bounds all that a request does in Redis, so that a client
	// has its answer within two seconds, come what may.
	storeTimeout = 1500 * time.Millisecond
	// bodyTimeout bounds how slowly a body may come: a client that dawdles
	// holds one of MaxRequests places.
	bodyTimeout = 5 * time.Second
)

// Handler takes orders in over HTTP. Its paths begin with / and are those of
// the package's comment. It is safe for concurrent use.
type Handler struct {
	queue    *streamutil.Queue
	cfg      Config
	log      *zap.Logger
	rules    *validator.Validate
	metrics  *metrics.Producer
	redis    *metrics.Redis
	mux      *http.ServeMux
	places   chan struct{} // one token for each request under way
	draining atomic.Bool
	pings    singleflight.Group
}

// New makes the handler of a queue. It does not talk to Redis yet. It fails
// only if cfg makes no sense.
func New(q *streamutil.Queue, cfg Config) (*Handler, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure the producer: %w", err)
	}
	cfg = cfg.withDefaults()
	rules, err := newValidator()
	if err != nil {
		return nil, fmt.Errorf("register the rules: %w", err)
	}
	h := &Handler{
		queue: q, cfg: cfg, rules: rules, mux: http.NewServeMux(),
		log:     cfg.Logger.With(zap.String("queue", q.Name())),
		metrics: metrics.NewProducer(cfg.Registerer, q.Name()),
		redis:   metrics.NewRedis(cfg.Registerer),
		places:  make(chan struct{}, cfg.MaxRequests),
	}
	h.route("/v1/orders", methods{http.MethodPost: h.counted(h.bounded(h.submit))})
	h.route("/v1/orders/{id}", methods{http.MethodGet: h.bounded(h.lookup)})
	h.route("/livez", methods{http.MethodGet: h.livez})
	h.route("/readyz", methods{http.MethodGet: h.readyz})
	h.mux.Handle("/", h.answer(func(http.ResponseWriter, *http.Request) *problem {
		return problemNotFound("there is nothing at this path")
	}))
	return h, nil
}

// Drain says that this process is going down: readyz answers 503 from now on,
// so that load balancers look elsewhere. Orders are still taken, until the
// server is shut down: to refuse them would help nobody.
func (h *Handler) Drain() { h.draining.Store(true) }

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set(headerRequestID, requestID(r))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if h.draining.Load() {
		header.Set("Connection", "close")
	}
	h.mux.ServeHTTP(w, r)
}

var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// requestID is the caller's, if it can stand in a log as it is, or a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(headerRequestID); requestIDForm.MatchString(id) {
		return id
	}
	return rand.Text()
}

// endpoint answers a request, or gives the problem to answer with.
type endpoint func(http.ResponseWriter, *http.Request) *problem

// methods are the endpoints of one path.
type methods map[string]endpoint

// route serves a path: HEAD as GET, whose body net/http leaves out, and
// methods that the path does not have as 405.
func (h *Handler) route(path string, m methods) {
	if get, ok := m[http.MethodGet]; ok {
		m[http.MethodHead] = get
	}
	var names []string
	for name := range m {
		names = append(names, name)
		h.mux.Handle(name+" "+path, h.answer(m[name]))
	}
	slices.Sort(names)
	h.mux.Handle(path, h.answer(func(http.ResponseWriter, *http.Request) *problem {
		return problemMethod(strings.Join(names, ", "))
	}))
}

// answer writes what is left to be said after an endpoint. A panic is a 500:
// one bad request must not cost the others their connection.
func (h *Handler) answer(next endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := recovered(next, w, r); p != nil {
			p.log(h.log, w, r)
			p.write(w)
		}
	})
}

func recovered(next endpoint, w http.ResponseWriter, r *http.Request) (p *problem) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler: // net/http's own way to give a request up
			panic(cause)
		default:
			p = problemInternal(fmt.Errorf("panic: %v", cause))
		}
	}()
	return next(w, r)
}

// counted counts the orders that come in and those that are not taken.
func (h *Handler) counted(next endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		h.metrics.Offered(metrics.SourceHTTP)
		p := recovered(next, w, r)
		if p != nil {
			h.metrics.Rejected(p.reason)
		}
		return p
	}
}

// bounded refuses requests beyond MaxRequests at once: a queue in front of the
// queue would only hide that there are too many.
func (h *Handler) bounded(next endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		select {
		case h.places <- struct{}{}:
			defer func() { <-h.places }()
			return next(w, r)
		default:
			return problemOverloaded()
		}
	}
}

// countTrouble counts what went wrong with Redis, if anything did; that a
// client left in the middle is not its fault.
func (h *Handler) countTrouble(err error) {
	if !errors.Is(err, context.Canceled) {
		h.redis.Error(streamutil.ErrorKind(err))
	}
}
