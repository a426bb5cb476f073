package producer

import (
	"context"
	"errors"
	"net/http"

	"go.uber.org/zap"

	"orderq/metrics"
	"orderq/streamutil"
)

// cancelled answers a cancellation.
type cancelled struct {
	OrderID string           `json:"order_id"`
	State   streamutil.State `json:"state"`
	// Was is the state that the order was in.
	Was streamutil.State `json:"was"`
	// Attempts is how often it was sent: if ever, the partner may have it.
	Attempts int `json:"attempts"`
}

// cancel is DELETE /v1/orders/{id}.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request, who caller) *problem {
	id := r.PathValue("id")
	if !validOrderID(id) {
		return problemOf(streamutil.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	by := "HTTP"
	if who.name != "" {
		by = who.name + " by HTTP"
	}
	c, err := h.queue.Cancel(ctx, id, streamutil.Act{Who: by})
	h.wrote(err)
	switch {
	case errors.Is(err, streamutil.ErrNotConfirmed):
		p := problemOf(err)
		p.Title, p.Detail = "The cancellation is not safe yet", "the order is cancelled, but not as safely as promised; send the same request again"
		return p
	case err != nil:
		return problemOf(err)
	case !c.Done:
		return problemNotCancellable(c.State)
	}
	h.metrics.Cancelled()
	h.log.Info("order cancelled", zap.String("order_id", id), zap.String("by", by), zap.Int("attempts", c.Attempts),
		zap.String("request_id", w.Header().Get(headerRequestID)))
	writeJSON(w, http.StatusOK, typeJSON, cancelled{
		OrderID: id, State: streamutil.Cancelled, Was: c.State, Attempts: c.Attempts,
	})
	return nil
}

// whyNotCancelled says what stands against it, for each state that does.
var whyNotCancelled = map[streamutil.State]string{
	streamutil.InFlight:  "the order is being sent; ask again when that is over",
	streamutil.Delivered: "the partner has the order; only the partner can cancel it",
	streamutil.Cancelled: "the order is cancelled already",
	streamutil.Dead:      "the order is set aside for a person; it is not sent unless that person says so",
}

func problemNotCancellable(state streamutil.State) *problem {
	p := newProblem(http.StatusConflict, "not-cancellable", "Not cancelled", whyNotCancelled[state]).
		counted(metrics.RejectedConflict)
	p.State = state
	return p
}
