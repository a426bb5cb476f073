package producer

import (
	"context"
	"net/http"
	"time"
)

// pingTimeout bounds readyz: probes give up soon, and so must it.
const pingTimeout = time.Second

// health answers a probe that is content.
type health struct {
	Status string `json:"status"` // "ok"
}

// livez is GET /livez: the process runs and serves. It does not ask Redis, for
// to restart the process would not mend that.
func (h *Handler) livez(w http.ResponseWriter, _ *http.Request) *problem {
	writeJSON(w, http.StatusOK, typeJSON, health{"ok"})
	return nil
}

// readyz is GET /readyz: Redis takes writes as durably as was asked, and this process
// is not going down. A full queue, or a full store, is no reason to look elsewhere: it
// is the same for every process, passes as orders are sent, and in the meantime what
// was taken before is recognised, looked up and cancelled.
func (h *Handler) readyz(w http.ResponseWriter, r *http.Request) *problem {
	if h.draining.Load() {
		return problemDraining()
	}
	if err := h.ping(r.Context()); err != nil {
		return unavailable("unavailable", titleOf(err), "Redis cannot be used at present").
			retryIn(2 * time.Second).causedBy(err)
	}
	return h.livez(w, r)
}

// ping asks Redis once for all callers that wait at the same time: probes are many,
// and with durability fsync it is asked several things. The caller who happens to be
// first may leave without taking the answer from the others.
func (h *Handler) ping(ctx context.Context) error {
	_, err, _ := h.shared.Do("ping", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		err := h.queue.Ping(ctx)
		if err == nil {
			err = h.queue.CheckDurability(ctx)
		}
		h.countTrouble(err)
		return nil, err
	})
	return err
}
