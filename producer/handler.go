package producer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path"
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

// elsewhere is how metrics call all that is no path of ours.
const elsewhere = "other"

// storeTimeout bounds all that a request does in Redis, so that a client has its
// answer within two seconds, come what may.
const storeTimeout = 1500 * time.Millisecond

// Queue is what a [Handler] asks of a queue; [streamutil.Queue] is one. Errors are
// those of its methods.
type Queue interface {
	Name() string
	Enqueue(context.Context, streamutil.NewOrder) (streamutil.Receipt, error)
	EnqueueBatch(context.Context, []streamutil.NewOrder) []streamutil.Submission
	Lookup(ctx context.Context, orderID string) (streamutil.Record, error)
	Cancel(ctx context.Context, orderID string, by streamutil.Act) (streamutil.Cancellation, error)
	Inspect(context.Context) (streamutil.Snapshot, error)
	Ping(context.Context) error
	CheckDurability(context.Context) error
}

// Handler takes orders in over HTTP. Its paths begin with / and are those of
// the package's comment. It is safe for concurrent use.
type Handler struct {
	queue    Queue
	cfg      Config
	log      *zap.Logger
	rules    *validator.Validate
	metrics  *metrics.Producer
	redis    *metrics.Redis
	mux      *http.ServeMux
	entry    http.Handler // leads to mux
	nothing  http.Handler // what is at no path
	clients  *clients     // nil without a rate limit
	places   *places      // of requests
	batches  *places      // and of batches
	draining atomic.Bool
	troubled atomic.Bool        // Redis gave trouble last
	shared   singleflight.Group // what several callers may be told by one look
}

// New makes the handler of a queue. It does not talk to Redis yet. It fails
// only if cfg makes no sense.
func New(q Queue, cfg Config) (*Handler, error) {
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
		clients: newClients(cfg.RateLimit),
		places:  newPlaces(cfg.MaxRequests),
		batches: newPlaces(cfg.MaxBatches),
	}
	h.routes()
	h.entry = h.fromBrowsers(h.mux)
	return h, nil
}

func (h *Handler) routes() {
	h.route("/v1/orders", methods{http.MethodPost: h.counted(h.taking(h.with(scopeSubmit, h.submit)))})
	h.route("/v1/orders:batch", methods{http.MethodPost: h.countedBatch(h.taking(h.with(scopeSubmit, h.batch)))})
	h.route("/v1/orders/{id}", methods{
		http.MethodGet:    h.with(scopeRead, h.lookup),
		http.MethodDelete: h.with(scopeCancel, h.cancel),
	})
	h.route("/v1/queue", methods{http.MethodGet: h.with(scopeRead, h.queueState)})
	h.route("/livez", methods{http.MethodGet: h.livez})
	h.route("/readyz", methods{http.MethodGet: h.readyz})
	h.route("/openapi.yaml", methods{http.MethodGet: static("application/yaml", openAPI)})
	h.webRoutes()
	h.nothing = h.answer(elsewhere, notFound)
	h.mux.Handle("/", h.nothing)
}

func notFound(http.ResponseWriter, *http.Request) *problem {
	return problemNotFound("there is nothing at this path")
}

// Drain says that this process is going down: readyz answers 503 from now on,
// so that load balancers look elsewhere, and new orders are refused with 503.
// Submissions that were begun end as usual.
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
	if r.URL.Path != path.Clean(r.URL.Path) { // which ServeMux would redirect
		h.nothing.ServeHTTP(w, r)
		return
	}
	h.entry.ServeHTTP(w, r)
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

// route serves a path: HEAD as GET, whose body net/http leaves out, OPTIONS, and
// methods that the path does not have as 405.
func (h *Handler) route(path string, m methods) {
	if get, ok := m[http.MethodGet]; ok {
		m[http.MethodHead] = get
	}
	pattern := path
	if path == "/" {
		pattern = "/{$}" // to ServeMux, / alone would be every path
	}
	names := []string{http.MethodOptions}
	for name := range m {
		names = append(names, name)
		h.mux.Handle(name+" "+pattern, h.answer(path, m[name]))
	}
	slices.Sort(names)
	allow := strings.Join(names, ", ")
	h.mux.Handle(http.MethodOptions+" "+pattern, h.answer(path, func(w http.ResponseWriter, _ *http.Request) *problem {
		w.Header().Set("Allow", allow)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}))
	h.mux.Handle(pattern, h.answer(path, func(http.ResponseWriter, *http.Request) *problem { return problemMethod(allow) }))
}

// answer writes what is left to be said after an endpoint of a path, and counts. A
// panic is a 500: one bad request must not cost the others their connection.
func (h *Handler) answer(path string, next endpoint) http.Handler {
	seen := h.metrics.Path(path)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Serve(func() (status int) {
			p := recovered(next, w, r)
			if p == nil {
				return http.StatusOK // or another that means it went well
			}
			p.log(h.log, w, r)
			discardRest(w, r)
			p.write(w)
			return p.Status
		})
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

// counted counts the orders that come in by themselves and those that are not
// taken.
func (h *Handler) counted(next endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		h.metrics.Offered(metrics.SourceHTTP, 1)
		p := recovered(next, w, r)
		if p != nil {
			h.metrics.Rejected(p.reason)
		}
		return p
	}
}

// countedBatch counts as one order a batch that is refused unread: how many it
// has nobody knows. Any other one counts its orders itself.
func (h *Handler) countedBatch(next endpoint) endpoint {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		p := recovered(next, w, r)
		if p != nil && p.reason != "" {
			h.metrics.Offered(metrics.SourceBatch, 1)
			h.metrics.Rejected(p.reason)
		}
		return p
	}
}

// countTrouble counts what went wrong with Redis, if anything did; that a client
// left in the middle is not its fault.
func (h *Handler) countTrouble(err error) {
	if !errors.Is(err, context.Canceled) {
		h.redis.Error(streamutil.ErrorKind(err))
	}
}

// wrote is countTrouble for a write, and says when trouble is over. A read that went
// well says nothing about that: it does while no write can be confirmed.
func (h *Handler) wrote(err error) {
	h.countTrouble(err)
	switch {
	case errors.Is(err, context.Canceled):
	case streamutil.ErrorKind(err) != "", errors.Is(err, streamutil.ErrNotConfirmed), errors.Is(err, streamutil.ErrDurability):
		h.troubled.Store(true)
	case err == nil && h.troubled.CompareAndSwap(true, false):
		h.log.Info("Redis answers as it should again")
	}
}
